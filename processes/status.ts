/** `atoll status`: what runs, where, how healthy. */
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { join, resolve } from "node:path";
import { exitCode, flags } from "./flags.ts";
import { readRecord, runs, type UpRecord } from "./running.ts";
import { defaultData } from "./datadir.ts";

interface Report {
  readonly up: boolean;
  readonly url: string;
  readonly ready: boolean;
  readonly parts: readonly { readonly name: string; readonly pid: number; readonly running: boolean }[];
}

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
  if (record === undefined || !(await runs(record.up))) return { up: false, url: "", ready: false, parts: [] };
  const parts = await Promise.all(
    record.parts.map(async (part) => ({ name: part.name, pid: part.pid, running: await runs(part) })),
  );
  return { up: true, url: record.url, ready: await isReady(record.url, data), parts };
}

function describe({ up, url, ready, parts }: Report, data: string): string {
  if (!up) return `nothing is up in ${data}; ./atoll up starts it\n`;
  const lines = parts.map(
    ({ name, pid, running }) => `  ${name.padEnd(12)} ${running ? `process ${pid}` : "NOT RUNNING"}`,
  );
  return [`${ready ? "ready" : "NOT READY"} at ${url}`, ...lines, ""].join("\n");
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
