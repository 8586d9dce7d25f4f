/**
 * The console in Debian's Chromium: what it weighs, how soon it shows ten thousand pods or five thousand clusters, and what
 * sixty changes a second cost it; and what memory the portal, a process of its own, takes for it. The server has no controllers:
 * what is measured is the way from the store to the screen.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { Pod } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { makeNamespace, transportTo } from "@atoll/harness/client";
import { atollArguments } from "@atoll/harness/commands";
import { serveKinds } from "@atoll/harness/kinds";
import { type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { offerLink } from "@atoll/portal/links";
import { consoleBundle } from "@atoll/processes/consolebundle";
import { formatKubeconfig } from "@atoll/processes/kubeconfig";
import { chromium, type Locator, type Page } from "playwright-core";

const program = "/usr/bin/chromium";
const podCount = 10_000;
const clusterCount = 5_000;
const changes = 60;
const seconds = 10;
const asJson = process.argv.includes("json");

/** The goals of the design beside what was seen. */
const rows: { readonly what: string; readonly seen: number; readonly unit: string; readonly goal: string }[] = [];
const note = (what: string, seen: number, unit: string, goal: string) =>
  rows.push({ what, seen: Math.round(seen), unit, goal });

/** What index.html asks for at once, compressed. */
async function initialBytes(folder: string, type: RegExp): Promise<number> {
  const html = await readFile(join(folder, "index.html"), "utf8");
  const named = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, path = ""]) => path);
  const sizes = await Promise.all(
    named.filter((path) => type.test(path)).map(async (path) => (await readFile(join(folder, `${path}.br`))).length),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

const folder = await consoleBundle();
note("initial JavaScript, compressed", (await initialBytes(folder, /\.js$/)) / 1024, "kB", "≤ 350");
note("initial CSS, compressed", (await initialBytes(folder, /\.css$/)) / 1024, "kB", "");
note("files in all", (await readdir(join(folder, "assets"))).filter((name) => name.endsWith(".js")).length, "", "");

if (existsSync(program)) await inBrowser();
else process.stderr.write("Chromium is missing: apt-get install chromium\n");

for (const { what, seen, unit, goal } of rows) {
  process.stdout.write(asJson ? "" : `${what.padEnd(44)} ${String(seen).padStart(8)} ${unit.padEnd(3)} ${goal}\n`);
}
if (asJson) process.stdout.write(`${JSON.stringify(rows)}\n`);

async function inBrowser(): Promise<void> {
  const harness = await startHarness();
  const client = new Client({ transport: transportTo(harness), clock: systemClock, userAgent: "bench" });
  const portal = await startConsole(harness);
  const { url } = portal;
  await serveKinds(client, [FleetCluster]);
  await makeNamespace(client, "crowd");
  await inTurns(clusterCount, async (index) => {
    await client.create(FleetCluster, { metadata: { name: `cluster-${index}`, namespace: "crowd" }, spec: {} });
  });
  await inTurns(podCount, async (index) => {
    const metadata = { name: `pod-${index}`, namespace: "crowd", labels: { app: `app-${index % 100}` } };
    await client.create(Pod, { metadata, spec: { containers: [{ name: "web", image: "registry.example/web:1" }] } });
  });
  process.stderr.write("the store is full\n");
  const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    const { cert, key } = harness.tls;
    await page.goto(`${url}/sign-in#${await offerLink(client, { kind: "certificate", cert, key })}`);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    note("portal: resident memory, somebody signed in", await portal.residentMiB(), "MiB", "");
    const [pods, clusters] = [`${url}/k/pods`, `${url}/k/fleetclusters.fleet.atoll.dev`];
    await firstView(page, url, "overview of all: counts after load", page.locator(".card").getByText(String(podCount)));
    await firstView(page, pods, `${podCount} pods: first rows after load`, page.locator("tbody a"));
    await asked(page, podCount, `${podCount} pods`);
    note(`portal: resident memory, ${podCount} pods in view`, await portal.residentMiB(), "MiB", "");
    await underChanges(page, client);
    await firstView(page, clusters, `${clusterCount} clusters: first rows after load`, page.locator("tbody a"));
    await asked(page, clusterCount, `${clusterCount} clusters`);
  } finally {
    await browser.close();
    await portal.close();
    await harness.close();
  }
}

interface Console {
  readonly url: string;
  residentMiB(): Promise<number>;
  close(): Promise<void>;
}

/** `atoll console`, as people start it. */
async function startConsole({ url: server, tls: { ca, cert, key } }: Harness): Promise<Console> {
  const home = await mkdtemp(join(tmpdir(), "atoll-bench-"));
  const kubeconfig = join(home, "kubeconfig");
  await writeFile(kubeconfig, formatKubeconfig({ server, ca, user: "admin", identity: { cert, key } }), {
    mode: 0o600,
  });
  const args = atollArguments("console", "--kubeconfig", kubeconfig, "--port", "0");
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "exit");
  const close = async () => {
    child.kill();
    await ended;
    await rm(home, { recursive: true });
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const [, url] = /^ready (\S+)/.exec(line) ?? [];
    if (url === undefined) continue;
    return { url, close, residentMiB: async () => await residentMiB(child.pid ?? 0) };
  }
  await close();
  throw new Error("the console ended");
}

async function residentMiB(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** From the page's load event to what is looked for. */
async function firstView(page: Page, url: string, what: string, wanted: Locator): Promise<void> {
  await page.goto(url, { waitUntil: "load" });
  const began = performance.now();
  await wanted.first().waitFor();
  note(what, performance.now() - began, "ms", "≤ 1000");
}

/** All rows turned round, and one of them found: from the key or click to the row. */
async function asked(page: Page, count: number, what: string): Promise<void> {
  const last = page.getByRole("link", { name: new RegExp(`-${count - 1}$`) });
  const first = page.locator("tbody a").first();
  await page.locator(".count").getByText(String(count), { exact: true }).waitFor();
  await page.getByRole("button", { name: "Name", exact: true }).click();
  let began = performance.now();
  await page.getByRole("button", { name: "Name", exact: true }).click();
  await first.getByText(/-9+$/).waitFor();
  note(`${what}: turned round`, performance.now() - began, "ms", "");
  began = performance.now();
  await page.getByPlaceholder(/^Find by/).fill(`-${count - 1}`);
  await page.getByText(`1 of ${count}`).waitFor();
  await last.waitFor();
  note(`${what}: one found`, performance.now() - began, "ms", "");
}

/** Sixty pods change each second; the longest task of the page in that time. */
async function underChanges(page: Page, client: Client): Promise<void> {
  await page.evaluate(`
    globalThis.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, duration);
    }).observe({ type: "longtask" });
  `);
  for (let count = 0; count < changes * seconds; count++) {
    const due = systemClock.sleep(1000 / changes);
    const patch = { type: "merge", body: { metadata: { labels: { turn: String(count) } } } } as const;
    await client.patch(Pod, { key: toKey("crowd", `pod-${count}`), patch });
    await due;
  }
  const longest = (await page.evaluate("globalThis.longest")) as number;
  note(`${changes} changes a second: longest task (0: none over 50)`, longest, "ms", "≤ 100");
}

/** Sixteen at a time. */
async function inTurns(count: number, make: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (next < count) await make(next++);
    }),
  );
}
