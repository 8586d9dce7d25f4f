/** Commands run as a user runs them, and what they leave on the host. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { hostNames } from "@atoll/net/name";

const main = join(import.meta.dirname, "..", "processes", "main.ts");
const timeoutMs = 240_000;

/** How a command ended, and all it said. */
export interface Outcome {
  readonly code: number;
  readonly text: string;
}

/** Runs a program to its end. */
export function runProgram(program: string, ...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: timeoutMs }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), text: out + err }),
    );
  });
}

/** The arguments by which Node runs `atoll COMMAND`. */
export const atollArguments = (...args: readonly string[]): readonly string[] => [
  "--disable-warning=ExperimentalWarning",
  main,
  ...args,
];

/** Runs `atoll COMMAND` to its end. */
export const runAtoll = (...args: readonly string[]): Promise<Outcome> =>
  runProgram(process.execPath, ...atollArguments(...args));

/** What of a data directory is on the host: processes, taps, tables, mounts. */
export async function remainsOf(data: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (Number(pid) !== process.pid && command.includes(data)) found.push(`process ${command.replaceAll("\0", " ")}`);
  }
  const { table, tapPrefix } = hostNames(data);
  const [links, tables] = [await runProgram("ip", "-brief", "link"), await runProgram("nft", "list", "tables")];
  if (links.text.includes(tapPrefix)) found.push(`taps ${links.text}`);
  if (tables.text.includes(table)) found.push(`tables ${tables.text}`);
  if ((await readFile("/proc/mounts", "utf8")).includes(data)) found.push("mounts");
  return found;
}
