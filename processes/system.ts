/** The whole system on this machine: its parts, what they need of the host, and a first pod. */
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { Client } from "@atoll/client/client";
import type { Verdict } from "@atoll/crx/host";
import { systemClock } from "@atoll/machinery/clock";
import { formatRange, parseRange } from "@atoll/net/address";
import { startOf } from "@atoll/runtime/identity";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { Child } from "./child.ts";
import { installPackages, missingPackages } from "./hostpackages.ts";
import { readKubeconfig } from "./kubeconfig.ts";
import { machineHostOf, verdictFor } from "./machinehost.ts";
import { accountOf, controllersPart, gatewayPart, type Part, serverPart, sphereletPart, type Wish } from "./parts.ts";
import { endOrphans, removeRecord, type Running, type UpRecord, writeRecord } from "./running.ts";
import { settle, type Settings } from "./settings.ts";
import { untilStopped } from "./signals.ts";
import { step } from "./steps.ts";
import { sweep } from "./sweep.ts";
import { atollVersion } from "./version.ts";
import {
  buildWelcomeImage,
  createWelcomePod,
  readyPods,
  untilNodeServes,
  untilWelcomePodReady,
  welcomePod,
} from "./welcome.ts";

/** What the system is to be. */
export interface SystemOptions extends Partial<Settings> {
  readonly data: string;
  readonly bind: string;
  readonly store: string;
  readonly demo: boolean;
}

/**
 * Runs the system until it is told to stop. What does not wait for each other is started at the same time:
 *
 *   server ───────────────┬──▶ controllers, gateway
 *   packages ─▶ guests ───┼──▶ node (does not wait for a server that it knows) ──▶ pods
 *          └──▶ image ────┘
 */
export class System {
  readonly #options: SystemOptions;
  readonly #data: string;
  readonly #hasPods = process.getuid?.() === 0;
  readonly #known: UpRecord | undefined;
  readonly #children: Child[] = [];
  #stopping = false;

  /** @param known what an `up` that did not end in order left running */
  constructor(options: SystemOptions, known: UpRecord | undefined) {
    this.#options = options;
    this.#data = options.data;
    this.#known = known;
  }

  /** Resolves with the exit code, when everything has ended. */
  async run(): Promise<number> {
    const stopped = untilStopped();
    // Whoever listened may go away.
    for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
    try {
      const ready = this.#start();
      const signal = await Promise.race([stopped, ready]);
      if (signal === undefined) await stopped;
      else ready.catch(() => undefined);
    } finally {
      await this.#stop();
    }
    return 0;
  }

  async #start(): Promise<undefined> {
    const { data, store, bind } = this.#options;
    await endOrphans(this.#known);
    const settings = await settle(data, bind, this.#options);
    const { apiPort, serviceCidr, gatewayPort } = settings;
    const wish: Wish = { data, bind, store, apiPort, serviceCidr, gatewayPort };
    const serving = this.#startPart(serverPart(wish));
    const packages = this.#hasPods ? this.#installPackages() : Promise.resolve();
    const rest = async () => {
      await serving;
      await Promise.all([this.#startPart(controllersPart(wish)), this.#startPart(gatewayPart(wish))]);
    };
    const node = async () => {
      await packages;
      await Promise.all([this.#prepareGuests(), (await this.#isKnown(wish)) ? undefined : serving]);
      await this.#startSpherelet(wish, settings);
    };
    const image = async () => {
      await packages;
      await hopefully("image of the welcome pod", async () => await buildWelcomeImage(data));
    };
    const work = [rest(), ...(this.#hasPods ? [node()] : []), ...(this.#hasDemo ? [image()] : [])];
    await Promise.all([serving, packages, ...work]);
    if (this.#hasPods) await this.#welcome();
    process.stdout.write(lastLines(data, (await serving).readyText, this.#hasDemo));
  }

  get #hasDemo(): boolean {
    return this.#hasPods && this.#options.demo;
  }

  /** Whether the node has from an earlier start what it needs to speak to the server, which then need not be waited for. */
  async #isKnown({ data, bind, apiPort }: Wish): Promise<boolean> {
    const [node, admin] = await Promise.all(
      [accountOf(data, "node"), join(data, "admin.kubeconfig")].map(async (path) => await readKubeconfig(path)),
    );
    const ca = await readFile(join(data, "pki", "ca.crt"), "utf8").catch(() => "");
    const isSame = node?.server === admin?.server && node?.ca === ca && admin?.ca === ca;
    return isSame && bind === "127.0.0.1" && node?.server === `https://${bind}:${apiPort}`;
  }

  async #installPackages(): Promise<void> {
    const missing = await missingPackages();
    if (missing.length === 0) return;
    process.stdout.write(`  Debian packages to install: ${missing.join(" ")}\n`);
    await step("installing them", async () => await installPackages(missing));
  }

  /** The guest's kernel, and the word on how guests are executed. */
  async #prepareGuests(): Promise<void> {
    const verdict = await verdictFor(this.#data);
    process.stdout.write(`${describeVerdict(verdict)}\n`);
    await step("guest kernel, init and shim", async () => await machineHostOf(this.#data, verdict));
  }

  async #startSpherelet(wish: Wish, { podCidr, kubeletPort }: Settings): Promise<void> {
    const node = { name: nodeName(), kubeletPort, podCidr: firstHosts(podCidr), clusterCidr: podCidr };
    await this.#startPart(sphereletPart(wish, node));
  }

  /** The welcome pod, and word of the others. */
  async #welcome(): Promise<void> {
    const { client, close } = await this.#client();
    try {
      if (this.#options.demo) {
        const { namespace, name } = welcomePod;
        await hopefully(`pod ${namespace}/${name}, a machine of its own`, async () => {
          await createWelcomePod(client);
          await untilWelcomePodReady(client);
        });
      }
      await hopefully("the node's own API", async () => await untilNodeServes(client, nodeName()));
      const { ready, all } = await readyPods(client, nodeName());
      if (all > 0) process.stdout.write(`  pods ready: ${ready} of ${all}\n`);
    } finally {
      close();
    }
  }

  async #client(): Promise<{ client: Client; close(): void }> {
    const path = join(this.#data, "admin.kubeconfig");
    const { transport } = await openKubeconfig({ path, clock: systemClock });
    const client = new Client({ transport, clock: systemClock, userAgent: `atoll-up/${atollVersion}` });
    return { client, close: () => transport.close() };
  }

  async #startPart(part: Part): Promise<Child> {
    if (this.#stopping) throw new Error("it is being stopped");
    const child = new Child({
      part,
      clock: systemClock,
      logFile: join(this.#data, "log", `${part.name}.log`),
      onRestart: ({ does }, how) => process.stderr.write(`${does} ended (${how}); starting it again\n`),
      onStart: () => void this.#record(),
    });
    this.#children.push(child);
    await step(part.does, async () => await child.start());
    return child;
  }

  /** For `status` and `down`, and for the next `up` should this one be killed. */
  async #record(): Promise<void> {
    const describe = async (name: string, pid: number): Promise<Running> => ({
      name,
      pid,
      started: (await startOf(pid)) ?? "",
    });
    const up = await describe("up", process.pid);
    const parts = await Promise.all(this.#children.map((child) => describe(child.name, child.pid ?? 0)));
    const server = this.#children.find(({ name }) => name === "server");
    await writeRecord(this.#data, { up, parts, url: server?.readyText ?? "" });
  }

  /** The spherelet first, so that nothing starts machines while they are ended. */
  async #stop(): Promise<void> {
    this.#stopping = true;
    const spherelet = this.#children.find(({ name }) => name === "spherelet");
    const others = this.#children.filter((child) => child !== spherelet).toReversed();
    await spherelet?.stop();
    if (this.#hasPods) await sweep(this.#data);
    for (const child of others) await child.stop();
    await removeRecord(this.#data);
  }
}

const nodeName = (): string => hostname().toLowerCase();

/** A step that the rest can do without. */
async function hopefully(title: string, work: () => Promise<unknown>): Promise<void> {
  await step(title, work).catch((error: unknown) => {
    process.stdout.write(
      `    ${error instanceof Error ? error.message : String(error)}; kubectl describe pods tells more\n`,
    );
  });
}

/** What of the pods' range is this host's: a share that leaves room for other hosts. */
function firstHosts(podCidr: string): string {
  const range = parseRange(podCidr);
  return formatRange({ ...range, length: Math.max(range.length, 24) });
}

/** What QEMU itself said is long, and in the conditions of the Node. */
function describeVerdict({ accelerator, reason: whole }: Verdict): string {
  const [reason] = whole.split(" (");
  return accelerator === "kvm"
    ? `Machines run under KVM, at the processor's own speed: ${reason}.`
    : `Machines are emulated (TCG): ${reason}. Everything works; programs in pods run about 8 times slower.`;
}

function lastLines(data: string, url: string, hasDemo: boolean): string {
  const { namespace, name } = welcomePod;
  const next = hasDemo
    ? [
        `kubectl get pods -A -o wide`,
        `kubectl -n ${namespace} logs ${name}`,
        `kubectl -n ${namespace} exec -it ${name} -- sh`,
      ]
    : [
        "kubectl get nodes",
        "kubectl create configmap hello --from-literal=who=world",
        "kubectl get configmap hello -o yaml",
      ];
  return [
    "",
    `Atoll is up at ${url}`,
    "",
    "Try next (./atoll kubectl is there for who has no kubectl):",
    `  export KUBECONFIG=${join(data, "admin.kubeconfig")}`,
    ...next.map((line) => `  ${line}`),
    "",
    `To stop: Ctrl-C, or ./atoll down --data ${data}`,
    "",
  ].join("\n");
}
