/** `atoll host token | join | leave`: further hosts for a Supervisor. */
import { randomInt } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { Secret } from "@atoll/client/builtin";
import { formatTime, systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { hostJoinGroup } from "@atoll/server/bootstrap/rbacown";
import { writePrivate } from "@atoll/server/pki/private";
import { writePair } from "@atoll/spherelet/node/certificate";
import { authorityHash, identityPath, joinCluster, readToken } from "@atoll/spherelet/node/joining";
import { Children } from "./up/children.ts";
import { defaultData } from "./datadir.ts";
import { exitCode, flags, port, UsageError } from "./flags.ts";
import { leaveHost } from "./hostleave.ts";
import { hubFlags, withHub } from "./hub.ts";
import { adminKubeconfig } from "./kubeconfig.ts";
import { accountOf, sphereletPart } from "./up/parts.ts";
import { prepareGuests, preparePackages } from "./up/preparation.ts";
import { endOrphans, readRecord, runs } from "./up/running.ts";
import { givenPort } from "./up/settings.ts";
import { step } from "./up/steps.ts";

/** @param args VERB and its flags */
export async function run(args: readonly string[]): Promise<number> {
  const [verb = "", ...rest] = args;
  return await exitCode(async () => {
    if (verb === "token") return await makeToken(rest);
    if (verb === "join") return await joinHost(rest);
    if (verb === "leave") return await leaveHost(rest);
    throw new UsageError("usage: ./atoll host token, ./atoll host join HUB --token T, or ./atoll host leave");
  });
}

const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
const hourMs = 3_600_000;
const usualKubeletPort = 10250;

/** Prints the command that joins a host. */
async function makeToken(args: readonly string[]): Promise<number> {
  const { data, hours } = hubFlags("atoll host token", "A token by which hosts join; prints the command for them.")
    .option("--hours <n>", "how long it is good", (text) => Number(text), 24)
    .parse(args, { from: "user" })
    .opts<{ data?: string; hours: number }>();
  const kubeconfig = adminKubeconfig(data);
  if (!(hours > 0 && hours <= 24 * 30)) throw new UsageError("--hours: between 0 and 720");
  const [id, secret] = [random(6), random(16)];
  const { context, ca, transport } = await openKubeconfig({ path: kubeconfig, clock: systemClock });
  transport.close();
  await withHub(kubeconfig, async (client) => {
    const stringData = {
      "token-id": id,
      "token-secret": secret,
      expiration: formatTime(systemClock.nowMs() + hours * hourMs),
      "usage-bootstrap-authentication": "true",
      "auth-extra-groups": hostJoinGroup,
      description: "joins hosts; made by ./atoll host token",
    };
    const metadata = { name: `bootstrap-token-${id}`, namespace: "kube-system" };
    await client.create(Secret, { metadata, type: "bootstrap.kubernetes.io/token", stringData });
  });
  process.stdout.write(
    [
      `Good for ${hours} hours. On the host that is to join, as root:`,
      "",
      `  ./atoll host join ${context.server} --token ${id}.${secret}.${authorityHash(ca)}`,
      "",
      ...(isLocal(context.server)
        ? ["The API listens on this machine alone. For others to reach it: ./atoll up --bind ADDRESS", ""]
        : []),
    ].join("\n"),
  );
  return 0;
}

function random(length: number): string {
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join("");
}

const isLocal = (url: string): boolean => ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname);

interface JoinOptions {
  readonly token?: string;
  readonly data: string;
  readonly node: string;
  readonly port?: number;
  readonly address?: string;
}

/** Sets this host up as a node and runs it, in the foreground. Later starts need no token. */
async function joinHost(args: readonly string[]): Promise<number> {
  const command = flags("atoll host join", "This host as a node of the Supervisor at HUB, in the foreground.")
    .argument("<hub>", "https://HOST:PORT of the API")
    .option("--token <token>", "of ./atoll host token; not needed again once the host has joined")
    .option("--data <dir>", "where everything is kept", defaultData())
    .option("--node <name>", "name of the Node", hostname().toLowerCase())
    .option("--port <n>", "port of the kubelet's API (default: 10250, or a free one when that is taken)", port)
    .option("--address <addr>", "address that others reach this host at (default: that of the default route)")
    .parse(args, { from: "user" });
  const [hub = ""] = command.args;
  const options = command.opts<JoinOptions>();
  const data = resolve(options.data);
  if (process.getuid?.() !== 0) throw new UsageError("pods need root: sudo ./atoll host join …");
  if (!URL.canParse(hub)) throw new UsageError(`${hub} is no URL like https://10.0.0.1:6443`);
  const known = await readRecord(data);
  if (known !== undefined && (await runs(known.up)))
    throw new UsageError(`something is up in ${data} (process ${known.up.pid}); give another --data`);
  await mkdir(join(data, "log"), { recursive: true, mode: 0o700 });
  const children = new Children(data);
  await children.run(async (stopping) => {
    await endOrphans(known);
    await preparePackages();
    await enrol(hub, { ...options, data }, stopping);
    await prepareGuests(data);
    const kubeletPort = await givenPort("0.0.0.0", options.port, usualKubeletPort);
    await children.start(sphereletPart({ ...options, data, name: options.node, kubeletPort }));
    process.stdout.write(
      `\nThis host is node ${options.node} of ${hub}.\nTo stop: Ctrl-C, or ./atoll down --data ${data}\n`,
    );
  });
  return 0;
}

/** Has the host's certificate signed, unless there is one already. */
async function enrol(hub: string, { token: text, data, node }: JoinOptions, signal: AbortSignal): Promise<void> {
  const kubeconfig = accountOf(data, "node");
  const kept = await readFile(kubeconfig, "utf8").catch(() => undefined);
  if (kept !== undefined) {
    if (kept.includes(`"server": "${hub}"`)) return;
    throw new UsageError(`${data} belongs to another Supervisor, or to ./atoll up; give another --data`);
  }
  if (text === undefined)
    throw new UsageError("--token is missing; ./atoll host token makes one, where the Supervisor is");
  const token = readToken(text);
  if (token === undefined) throw new UsageError("--token is not of the form that ./atoll host token prints");
  await step(`joining ${hub} as ${node}`, async () => {
    const { ca, identity } = await joinCluster(hub, {
      token,
      node,
      clock: systemClock,
      signal,
      onWaiting: tellWaiting,
    });
    await writePair(identityPath(data), identity);
    await writePrivate(kubeconfig, kubeconfigOf(hub, ca, node));
  });
}

/** A name that is taken is approved by people alone. */
function tellWaiting(request: string): void {
  process.stdout.write(
    `  Nobody has approved the certificate yet. A node of this name may be there already: kubectl get nodes.\n` +
      `  Whoever is sure that this host is to be it: kubectl certificate approve ${request}\n`,
  );
}

/** With the certificate in a file, which is renewed. */
function kubeconfigOf(server: string, ca: string, node: string): string {
  const user = `system:node:${node}`;
  const pair = "node-client.pem";
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "atoll", cluster: { server, "certificate-authority-data": Buffer.from(ca).toString("base64") } },
    ],
    users: [{ name: user, user: { "client-certificate": pair, "client-key": pair } }],
    contexts: [{ name: "atoll", context: { cluster: "atoll", user } }],
    "current-context": "atoll",
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
