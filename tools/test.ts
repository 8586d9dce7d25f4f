/**
 * Runs the tests with Node's own runner: all of them, or those whose path contains one of the names given.
 * `--nightly` sets ATOLL_NIGHTLY=1, by which tests choose their long form.
 *
 * Tests that start machines or clusters run one at a time, after the others: they measure themselves against deadlines,
 * and two at once on two cores would only test each other's patience. A file that fails is run up to twice more by itself;
 * what passes then is named as unsteady, what goes on failing fails the run.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const alone = /^(crx|images|net)\/|^spherelet\/pods|^fleet\/|^storage\/(etcd|sqlite-crash)|^e2e\/|^server\/crd\//;

const furtherTries = 2;

function* tests(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* tests(path);
    else if (entry.name.endsWith(".test.ts")) yield relative(root, path);
  }
}

/** @returns the files in which a test failed; the whole list when the runner itself did */
function run(files: readonly string[], concurrency: number, env: NodeJS.ProcessEnv): string[] {
  if (files.length === 0) return [];
  const folder = mkdtempSync(join(tmpdir(), "atoll-test-"));
  const list = join(folder, "failures");
  const reporters = [
    ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
    ...[`--test-reporter=${join(root, "tools", "failures.ts")}`, `--test-reporter-destination=${list}`],
  ];
  const options = [
    "--disable-warning=ExperimentalWarning",
    "--test",
    `--test-concurrency=${concurrency}`,
    // A thousand kills of the store take a quarter of an hour.
    `--test-timeout=${env["ATOLL_NIGHTLY"] === "1" ? 3_600_000 : 300_000}`,
  ];
  const { status } = spawnSync(process.execPath, [...options, ...reporters, ...files], {
    cwd: root,
    stdio: "inherit",
    env,
  });
  const failed = readFileSync(list, "utf8")
    .split("\n")
    .filter((file) => file !== "")
    .map((file) => relative(root, file));
  rmSync(folder, { recursive: true });
  return status !== 0 && failed.length === 0 ? [...files] : failed;
}

/** @returns the exit code: 2 when a name fits no test */
function runTests(args: readonly string[]): number {
  const nightly = args.includes("--nightly");
  const names = args.filter((arg) => !arg.startsWith("--"));
  const chosen = [...tests(root)]
    .sort()
    .filter((path) => names.length === 0 || names.some((name) => path.includes(name)));
  if (chosen.length === 0) {
    process.stderr.write(`no test matches ${names.join(", ")}\n`);
    return 2;
  }
  const env = { ...process.env, ...(nightly ? { ATOLL_NIGHTLY: "1" } : {}) };
  const together = run(
    chosen.filter((path) => !alone.test(path)),
    2,
    env,
  );
  const failed = [
    ...together,
    ...run(
      chosen.filter((path) => alone.test(path)),
      1,
      env,
    ),
  ];
  if (failed.length === 0) return 0;
  process.stdout.write(`\nfailed, and tried again by themselves:\n  ${failed.join("\n  ")}\n`);
  let left = failed;
  for (let tries = 0; tries < furtherTries && left.length > 0; tries++) left = run(left, 1, env);
  const unsteady = failed.filter((path) => !left.includes(path));
  if (unsteady.length > 0) process.stdout.write(`\nunsteady, to be mended:\n  ${unsteady.join("\n  ")}\n`);
  return left.length === 0 ? 0 : 1;
}

process.exit(runTests(process.argv.slice(2)));
