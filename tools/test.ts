/**
 * Runs the tests with Node's own runner: all of them, or those whose path contains one of the names given.
 * `--nightly` sets ATOLL_NIGHTLY=1, by which tests choose their long form.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");

function* tests(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* tests(path);
    else if (entry.name.endsWith(".test.ts")) yield relative(root, path);
  }
}

/** @returns the exit code: 2 when a name fits no test */
function runTests(args: readonly string[]): number {
  const nightly = args.includes("--nightly");
  const names = args.filter((arg) => !arg.startsWith("--"));
  const all = [...tests(root)].sort();
  const chosen = all.filter((path) => names.length === 0 || names.some((name) => path.includes(name)));
  if (chosen.length === 0) {
    process.stderr.write(`no test matches ${names.join(", ")}\n`);
    return 2;
  }
  const env = { ...process.env, ...(nightly ? { ATOLL_NIGHTLY: "1" } : {}) };
  const runner = ["--disable-warning=ExperimentalWarning", "--test", "--test-concurrency=2", "--test-timeout=600000"];
  const { status } = spawnSync(process.execPath, [...runner, ...chosen], { cwd: root, stdio: "inherit", env });
  return status ?? 1;
}

process.exit(runTests(process.argv.slice(2)));
