/**
 * Runs the tests with Node's own runner: all of them, or those whose path contains one of the names given.
 * `--nightly` sets ATOLL_NIGHTLY=1, by which tests choose their long form.
 *
 * Tests that start machines or clusters run after the others, because they measure themselves against deadlines: those of
 * machines one at a time, those of clusters one at a time beside them; more at once on two cores would only test each
 * other's patience. A file that fails is run up to twice more by itself; one that comes to no end in eight minutes is ended
 * and counts as failed. What passes then is named as unsteady, what goes on failing fails the run.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { Outcome } from "./outcomes.ts";

const root = join(import.meta.dirname, "..");
const onHosts = [
  ..."application consoleup datastores drain fleetpod gateway hostnetwork hosts ingress".split(" "),
  ..."loadbalancer nfs pods rollout streams up volumes".split(" "),
];
const machines = new RegExp(`^(crx|net)/|^spherelet/pods|^e2e/(${onHosts.join("|")})\\.test`);
const clusters = /^images\/|^fleet\/|^storage\/(etcd|sqlite\/crash)|^e2e\/|^server\/crd\//;

const furtherTries = 2;

function* tests(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* tests(path);
    else if (entry.name.endsWith(".test.ts")) yield relative(root, path);
  }
}

function kindOf(path: string): "machine" | "cluster" | "quick" {
  if (machines.test(path)) return "machine";
  return clusters.test(path) ? "cluster" : "quick";
}

/** What one run of Node's test runner is to do. */
interface Run {
  readonly files: readonly string[];
  readonly concurrency: number;
  /** after which it is given up, with all it started */
  readonly limitMs: number;
  readonly env: NodeJS.ProcessEnv;
}

/** Why tests were skipped, of all runs, and how many for it. */
const skipped = new Map<string, number>();

/** @returns the files in which a test failed; the whole list when the runner itself did, or came to no end */
async function run({ files, concurrency, limitMs, env }: Run): Promise<string[]> {
  if (files.length === 0) return [];
  const folder = mkdtempSync(join(tmpdir(), "atoll-test-"));
  const list = join(folder, "outcomes");
  const reporters = [
    ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
    ...[`--test-reporter=${join(root, "tools", "outcomes.ts")}`, `--test-reporter-destination=${list}`],
  ];
  const options = ["--disable-warning=ExperimentalWarning", "--test", `--test-concurrency=${concurrency}`];
  const timeout = `--test-timeout=${limitMs}`;
  const succeeded = await ended([...options, timeout, ...reporters, ...files], limitMs, env);
  const outcomes = (existsSync(list) ? readFileSync(list, "utf8") : "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Outcome);
  const failed = new Set<string>();
  for (const outcome of outcomes) {
    if ("failed" in outcome) failed.add(relative(root, outcome.failed));
    else skipped.set(outcome.skipped, (skipped.get(outcome.skipped) ?? 0) + 1);
  }
  rmSync(folder, { recursive: true });
  return !succeeded && failed.size === 0 ? [...files] : [...failed];
}

/**
 * Runs Node in a process group of its own, so that what does not end in time can be ended whole: a test file whose
 * machine holds a socket or a pipe open would keep the runner waiting for ever.
 */
async function ended(args: readonly string[], limitMs: number, env: NodeJS.ProcessEnv): Promise<boolean> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: "inherit", env, detached: true });
  const end = (signal: NodeJS.Signals) => {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  };
  const interrupt = () => end("SIGINT");
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  const giveUp = setTimeout(() => {
    process.stdout.write(`\ngiven up after ${limitMs / 1000} s\n`);
    end("SIGKILL");
  }, limitMs);
  const [code] = (await once(child, "exit")) as [number | null];
  clearTimeout(giveUp);
  process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  return code === 0;
}

/** Runs files one at a time, each by a runner of its own. @returns those in which a test failed */
async function runOneByOne(files: readonly string[], limitMs: number, env: NodeJS.ProcessEnv): Promise<string[]> {
  const failed: string[] = [];
  for (const file of files) failed.push(...(await run({ files: [file], concurrency: 1, limitMs, env })));
  return failed;
}

/** @returns the exit code: 2 when a name fits no test */
async function runTests(args: readonly string[]): Promise<number> {
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
  // A thousand kills of the store take a quarter of an hour.
  const limitMs = nightly ? 3_600_000 : 480_000;
  const { quick = [], machine = [], cluster = [] } = Object.groupBy(chosen, kindOf);
  const failed = [
    ...(await run({ files: quick, concurrency: 2, limitMs: 2 * limitMs, env })),
    ...(await Promise.all([machine, cluster].map((lane) => runOneByOne(lane, limitMs, env)))).flat(),
  ];
  for (const [why, count] of skipped) process.stdout.write(`skipped ${count}: ${why}\n`);
  if (failed.length === 0) return 0;
  process.stdout.write(`\nfailed, and tried again by themselves:\n  ${failed.join("\n  ")}\n`);
  let left = failed;
  for (let tries = 0; tries < furtherTries && left.length > 0; tries++) left = await runOneByOne(left, limitMs, env);
  const unsteady = failed.filter((path) => !left.includes(path));
  if (unsteady.length > 0) process.stdout.write(`\nunsteady, to be mended:\n  ${unsteady.join("\n  ")}\n`);
  return left.length === 0 ? 0 : 1;
}

process.exit(await runTests(process.argv.slice(2)));
