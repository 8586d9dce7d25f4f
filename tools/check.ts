/**
 * `npm run check`: every rule of the house, in the order in which a failure is cheapest to hear of.
 * `npm run check -- NAME…` runs some of them.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules", ".bin", name);
const node = process.execPath;

const checks: Readonly<Record<string, readonly string[]>> = {
  format: [bin("biome"), "format", "."],
  tsc: [bin("tsc"), "--noEmit", "-p", "."],
  "tsc-console": [bin("tsc"), "--noEmit", "-p", "console"],
  lint: [bin("oxlint"), "--type-aware", "."],
  knip: [bin("knip")],
  layers: [node, "tools/layers.ts"],
  docs: [node, "tools/docs.ts"],
  test: [node, "--disable-warning=ExperimentalWarning", "processes/main.ts", "test"],
};

function runCheck(name: string, command: readonly string[]): boolean {
  const [program = "", ...args] = command;
  const started = performance.now();
  const { status } = spawnSync(program, args, { cwd: root, stdio: "inherit" });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)\n`);
  return status === 0;
}

/** @returns the exit code: 1 when one fails, 2 when a name is no check; no names mean all */
function runChecks(names: readonly string[]): number {
  const unknown = names.filter((name) => !Object.hasOwn(checks, name));
  if (unknown.length > 0) {
    process.stderr.write(`no check ${unknown.join(", ")}; there are: ${Object.keys(checks).join(", ")}\n`);
    return 2;
  }
  const results = Object.entries(checks)
    .filter(([name]) => names.length === 0 || names.includes(name))
    .map(([name, command]) => runCheck(name, command));
  return results.every(Boolean) ? 0 : 1;
}

process.exit(runChecks(process.argv.slice(2)));
