/** `atoll bench [NAME…] [-o json]`: the benchmarks, each a program under bench/. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { exitCode, UsageError } from "./flags.ts";
import { runTool } from "./tool.ts";

const folder = join(import.meta.dirname, "..", "bench");
/** Files that others use. */
const parts: ReadonlySet<string> = new Set([
  "load",
  "server",
  "watchers",
  "fill",
  "flood",
  "hosts",
  "farm",
  "fleetparts",
]);

/** @param args names of benchmarks; none means all */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const all = readdirSync(folder)
      .filter((file) => file.endsWith(".ts") && !parts.has(file.slice(0, -3)))
      .map((file) => file.slice(0, -3));
    const json = args.includes("json") ? ["-o", "json"] : [];
    const names = args.filter((arg) => arg !== "-o" && arg !== "json");
    const unknown = names.filter((name) => !all.includes(name));
    if (unknown.length > 0) throw new UsageError(`no benchmark ${unknown.join(", ")}; there are: ${all.join(", ")}`);
    for (const name of names.length === 0 ? all : names) {
      const code = await runTool(`bench/${name}.ts`, json);
      if (code !== 0) return code;
    }
    return 0;
  });
}
