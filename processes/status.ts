/** `atoll status`: what runs, where, how healthy. */
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { join, resolve } from "node:path";
import { Node, Pod } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { exitCode, flags } from "./flags.ts";
import { readRecord, runs, type UpRecord } from "./up/running.ts";
import { defaultData } from "./datadir.ts";
import { atollVersion } from "./version.ts";

interface Report {
  readonly up: boolean;
  readonly url: string;
  readonly ready: boolean;
  readonly parts: readonly { readonly name: string; readonly pid: number; readonly running: boolean }[];
  readonly nodes: readonly NodeReport[];
  readonly pods: { readonly all: number; readonly ready: number };
}

interface NodeReport {
  readonly name: string;
  readonly ready: boolean;
  /** Why it is not ready, or how machines are executed on it. */
  readonly says: string;
}

const patienceMs = 5_000;
const nothing = { nodes: [], pods: { all: 0, ready: 0 } };

/** @param args `--data DIR`, `-o json` */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const command = flags("atoll status", "What runs, where, how healthy. Exits with 1 when it is not ready.");
    command.option("--data <dir>", "the data directory given to up", defaultData());
    command.option("-o, --output <format>", "json, for programs");
    command.parse(args, { from: "user" });
    const { data, output } = command.opts<{ data: string; output?: string }>();
    const report = await look(resolve(data), await readRecord(resolve(data)));
    process.stdout.write(
      output === "json" ? `${JSON.stringify(report, undefined, 2)}\n` : describe(report, resolve(data)),
    );
    return report.ready ? 0 : 1;
  });
}

async function look(data: string, record: UpRecord | undefined): Promise<Report> {
  if (record === undefined || !(await runs(record.up))) {
    return { up: false, url: "", ready: false, parts: [], ...nothing };
  }
  const parts = await Promise.all(
    record.parts.map(async (part) => ({ name: part.name, pid: part.pid, running: await runs(part) })),
  );
  const serves = await isReady(record.url, data);
  const within = serves ? await lookWithin(data).catch(() => undefined) : undefined;
  const ready =
    within !== undefined && parts.every(({ running }) => running) && within.nodes.every((node) => node.ready);
  return { up: true, url: record.url, ready, parts, ...(within ?? nothing) };
}

/** What the API says of nodes and pods. */
async function lookWithin(data: string): Promise<Pick<Report, "nodes" | "pods">> {
  const { transport } = await openKubeconfig({ path: join(data, "admin.kubeconfig"), clock: systemClock });
  const client = new Client({ transport, clock: systemClock, userAgent: `atoll-status/${atollVersion}` });
  const signal = AbortSignal.timeout(patienceMs);
  try {
    const [nodes, pods] = await Promise.all([client.list(Node, { signal }), client.list(Pod, { signal })]);
    return {
      nodes: nodes.items.map(reportOf),
      pods: { all: pods.items.length, ready: pods.items.filter(isPodReady).length },
    };
  } finally {
    transport.close();
  }
}

function reportOf({ metadata, status }: Node): NodeReport {
  const conditions = status?.conditions ?? [];
  const ready = conditions.find(({ type }) => type === "Ready");
  const accelerated = conditions.find(({ type }) => type === "Accelerated");
  const isReadyNow = ready?.status === "True";
  const how = accelerated?.status === "True" ? "KVM" : "emulation (TCG)";
  return {
    name: metadata.name ?? "",
    ready: isReadyNow,
    says: isReadyNow ? how : (ready?.message ?? "has told nothing yet"),
  };
}

const isPodReady = ({ status }: Pod): boolean =>
  (status?.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True");

function describe({ up, url, ready, parts, nodes, pods }: Report, data: string): string {
  if (!up) return `nothing is up in ${data}; ./atoll up starts it\n`;
  const lines = parts.map(
    ({ name, pid, running }) => `  ${name.padEnd(12)} ${running ? `process ${pid}` : "NOT RUNNING"}`,
  );
  const hosts = nodes.map(
    ({ name, ready: isFine, says }) => `  node ${name}: ${isFine ? "ready" : "NOT READY"}, ${says}`,
  );
  const counts = `  pods: ${pods.ready} of ${pods.all} ready`;
  return [`${ready ? "ready" : "NOT READY"} at ${url}`, ...lines, ...hosts, counts, ""].join("\n");
}

async function isReady(url: string, data: string): Promise<boolean> {
  const ca = await readFile(join(data, "pki", "ca.crt"), "utf8");
  return await new Promise((done) => {
    const probe = request(`${url}/readyz`, { ca, timeout: 3_000 }, (response) => {
      response.resume();
      done(response.statusCode === 200);
    });
    probe.on("error", () => done(false));
    probe.on("timeout", () => probe.destroy());
    probe.end();
  });
}
