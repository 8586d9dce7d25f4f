/** Every command: its name, what it does in a line, and the module that runs it, loaded only then. */

/** A command's module. */
export interface CommandModule {
  /** @returns the exit code: 0 done, 1 failed, 2 usage */
  run(args: readonly string[]): Promise<number>;
}

interface Command {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CommandModule>;
}

const commands: readonly Command[] = [
  { name: "up", summary: "the whole system on this machine", load: () => import("./up.ts") },
  { name: "down", summary: "stop what up started", load: () => import("./down.ts") },
  { name: "status", summary: "what runs, where, how healthy", load: () => import("./status.ts") },
  { name: "server", summary: "the API server alone", load: () => import("./server.ts") },
  { name: "controllers", summary: "the controllers alone", load: () => import("./controllers.ts") },
  { name: "gateway", summary: "where fleet agents come in", load: () => import("./gateway.ts") },
  { name: "console", summary: "the web console alone, or a link into it", load: () => import("./console.ts") },
  { name: "fleet-agent", summary: "one attached cluster's agent", load: () => import("./fleetagent.ts") },
  { name: "cluster", summary: "attach, detach and list clusters", load: () => import("./cluster.ts") },
  {
    name: "kubeconfig",
    summary: "a kubeconfig for an attached cluster, reached through the hub",
    load: () => import("./clusterconfig.ts"),
  },
  { name: "why", summary: "what lets a pod reach another; which policies decide", load: () => import("./why.ts") },
  { name: "plan", summary: "what fleet objects would change on each cluster", load: () => import("./plan.ts") },
  { name: "inventory", summary: "what all clusters have, searched at the hub", load: () => import("./inventory.ts") },
  { name: "access", summary: "who may do what on the clusters", load: () => import("./access.ts") },
  { name: "crd", summary: "prints the CRDs of Atoll's own kinds", load: () => import("./crd.ts") },
  { name: "host", summary: "further hosts: a token for them, joining and leaving", load: () => import("./host.ts") },
  { name: "spherelet", summary: "this host as a node", load: () => import("./spherelet.ts") },
  { name: "backup", summary: "a consistent copy of the store while it runs", load: () => import("./backup.ts") },
  { name: "restore", summary: "a backup back into an empty store", load: () => import("./restore.ts") },
  { name: "doctor", summary: "examines the host, with the mend", load: () => import("./doctor.ts") },
  { name: "image", summary: "build, import and list images on this host", load: () => import("./image.ts") },
  { name: "crx", summary: "the guest kernel of this host's machines", load: () => import("./crx.ts") },
  { name: "kubectl", summary: "the kubectl that comes with the install", load: () => import("./kubectl.ts") },
  { name: "helm", summary: "the Helm that comes with the install", load: () => import("./helm.ts") },
  {
    name: "check",
    summary: "the rules of the house: format, types, lint, layers, docs",
    load: () => import("./check.ts"),
  },
  { name: "test", summary: "the tests", load: () => import("./test.ts") },
  { name: "bench", summary: "the benchmarks", load: () => import("./bench.ts") },
];

/** The command of a name; undefined when there is none. */
export function findCommand(name: string): Command | undefined {
  return commands.find((command) => command.name === name);
}

/** All commands, a line each, for people. */
export function describeCommands(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return ["usage: ./atoll COMMAND [options]    (./atoll COMMAND --help tells a command's options)", "", ...lines].join(
    "\n",
  );
}
