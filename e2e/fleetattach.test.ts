/** Attaching by a manifest: its objects are taken by a cluster, and the image it names, pulled from the hub, is an agent. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { Deployment, Secret } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { eventually } from "@atoll/harness/client";
import { ImagePuller } from "@atoll/images/pull";
import { ImageStore } from "@atoll/images/store/store";
import { systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { agentImages } from "./agentimages.ts";
import { lacking } from "./lacking.ts";

const main = join(import.meta.dirname, "..", "processes", "main.ts");
const command = ["--disable-warning=ExperimentalWarning", main];
const folder = await mkdtemp(join(tmpdir(), "atoll-attach-"));
const [hubDir, childDir] = [join(folder, "hub"), join(folder, "child")];
const running: ChildProcess[] = [];
const closers: (() => void)[] = [];

after(async () => {
  for (const close of closers) close();
  // Whoever speaks to a server ends before it.
  for (const child of running.toReversed()) await stop(child);
  await rm(folder, { recursive: true, force: true });
});

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill();
  await gone;
}

/** Starts a command. @returns what follows `ready `, and all it said */
async function start(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  let out = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (out += chunk.toString()));
  const line = () => /^ready (.*)$/m.exec(out)?.[1];
  await eventually("it is ready", () => line() !== undefined || child.exitCode !== null, 60_000).catch(() => undefined);
  return line() ?? assert.fail(`${args.join(" ")}: ${out}`);
}

const atoll = (...args: readonly string[]) => start(process.execPath, [...command, ...args]);

async function open(dir: string): Promise<Client> {
  const { transport } = await openKubeconfig({ path: join(dir, "admin.kubeconfig"), clock: systemClock });
  closers.push(() => transport.close());
  return new Client({ transport, clock: systemClock, userAgent: "atoll-test" });
}

/** A hub with its controllers and gateway. @returns the gateway's address */
async function startHub(): Promise<{ readonly hub: Client; readonly gateway: string }> {
  await atoll("server", "--data", hubDir, "--api-port", "0");
  const pki = join(hubDir, "pki");
  const signing = ["--cluster-signing-cert", join(pki, "ca.crt"), "--cluster-signing-key", join(pki, "ca.key")];
  const controllers = ["controllers", "--kubeconfig", join(hubDir, "controllers.kubeconfig"), ...signing];
  running.push(spawn(process.execPath, [...command, ...controllers], { stdio: "ignore" }));
  const hub = await open(hubDir);
  const served = () =>
    hub.list(FleetCluster).then(
      () => true,
      () => false,
    );
  await eventually("the fleet's kinds are served", served, 60_000);
  const where = ["--kubeconfig", join(hubDir, "gateway.kubeconfig"), "--port", "0"];
  return { hub, gateway: await atoll("gateway", ...where, "--images", await agentImages()) };
}

/** The file tree of the image, as a host pulls it that trusts the gateway's certificate. */
async function pull(image: string, authority: string): Promise<string> {
  const { host } = new URL(`https://${image}`);
  const store = await ImageStore.open({ dir: join(folder, "host"), clock: systemClock });
  const puller = new ImagePuller({ store, clock: systemClock, settings: { authorities: { [host]: authority } } });
  const found = await puller.pull({ image }).finally(() => puller.close());
  const tree = join(folder, "tree");
  await promisify(execFile)("fsck.erofs", [`--extract=${tree}`, found.erofsPath]);
  return tree;
}

test("a cluster takes the manifest, and the image it names, pulled from the hub by digest, registers the cluster", {
  skip: await lacking(),
}, async () => {
  const { hub, gateway } = await startHub();
  await atoll("server", "--data", childDir, "--api-port", "0");
  const kubeconfig = join(childDir, "admin.kubeconfig");
  const attach = ["attach", "c1", "--data", hubDir, "--gateway", gateway, "--kubeconfig", kubeconfig];
  const { stderr } = await promisify(execFile)(process.execPath, [...command, "cluster", ...attach]);
  assert.match(stderr, /^The gateway listens at 127\.0\.0\.1, where a pod does not reach it\. .*--gateway-address/);

  const child = await open(childDir);
  const { spec } = await child.get(Deployment, toKey("atoll-system", "fleet-agent"));
  const [container] = spec?.template.spec?.containers ?? [];
  assert.match(container?.image ?? "", /^127\.0\.0\.1:\d+\/atoll\/fleet-agent@sha256:[0-9a-f]{64}$/);
  const { data: join64 = {} } = await child.get(Secret, toKey("atoll-system", "fleet-agent-join"));
  const joining = (name: string) => Buffer.from(join64[name] ?? "", "base64").toString();
  const tree = await pull(container?.image ?? "", joining("gateway.crt"));

  // What a pod would have mounted. There is no pod network here, so the cluster is reached as its administrator does.
  const mounted = join(tree, "etc/atoll/join");
  await mkdir(mounted, { recursive: true });
  for (const name of ["token", "gateway.crt"]) await writeFile(join(mounted, name), joining(name));
  await writeFile(join(mounted, "kubeconfig"), await readFile(kubeconfig));
  const program = ["/usr/bin/node", "/opt/atoll/fleetagentpod.js", ...(container?.args ?? [])];
  assert.match(await start("chroot", [tree, ...program]), /^fleet-default-c1-/);
  const phase = async () => (await hub.get(FleetCluster, toKey("default", "c1"))).status?.phase;
  await eventually("the cluster is ready", async () => (await phase()) === "Ready", 60_000);
});
