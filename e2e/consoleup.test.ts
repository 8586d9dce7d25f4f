/**
 * `atoll up` and its console: the link that it prints signs in, and the welcome pod's logs and terminal are those of its
 * micro-VM.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { Deployment, Pod } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { noBrowser, openBrowser } from "./browser.ts";
import { assertAccessible, openWindow, picture, signIn } from "./consolestage.ts";

const run = promisify(execFile);
const main = join(import.meta.dirname, "..", "processes", "main.ts");
const data = await mkdtemp(join(tmpdir(), "atoll-consoleup-"));

async function atoll(...args: readonly string[]): Promise<string> {
  const command = ["--disable-warning=ExperimentalWarning", main, ...args];
  const { stdout } = await run(process.execPath, command, { timeout: 240_000 });
  return stdout;
}

const skip = process.getuid?.() === 0 ? (noBrowser() ?? false) : "needs root";

after(async () => {
  if (skip === false) await atoll("down", "--data", data);
  await rm(data, { recursive: true, force: true });
});

test("the link that up prints leads to the welcome pod's logs and to a shell in its machine", { skip }, async () => {
  const ports = ["--api-port", "0", "--kubelet-port", "0", "--gateway-port", "0", "--console-port", "0"];
  const told = await atoll("up", "--data", data, ...ports, "--background");
  const link = /https:\/\/\S+\/sign-in#\S+/.exec(told)?.[0] ?? "";
  assert.notEqual(link, "", told);
  const { origin } = new URL(link);
  const browser = await openBrowser();
  try {
    const { page, healthy } = await openWindow(browser);
    await eventually(async () => await page.goto(link));
    await signIn(page, link);
    await page.goto(`${origin}/k/pods/welcome/hello?tab=terminal`);
    const screen = page.getByRole("textbox", { name: "Terminal input" });
    await screen.waitFor();
    await screen.pressSequentially("echo $((6*7)) of $(hostname); wget -qO- 127.0.0.1:8080 | head -2\n", { delay: 20 });
    await page.getByText("42 of hello").first().waitFor();
    await picture(page, "terminal");
    await page.getByRole("tab", { name: "Logs" }).click();
    await page.getByRole("log").getByText("127.0.0.1").first().waitFor();
    await page.getByRole("textbox", { name: "Find in logs" }).fill("no such line");
    await page.getByText(/^0 of/).waitFor();
    await page.getByRole("textbox", { name: "Find in logs" }).fill("");
    await picture(page, "logs");
    await assertAccessible(page);
    const pods = await startPair();
    await page.goto(`${origin}/k/deployments.apps/welcome/pair?tab=logs`);
    for (const name of pods) await page.getByText(`${name}/sayit is ${name}`).first().waitFor();
    await picture(page, "logs-merged");
    await assertAccessible(page);
    await page.goto(`${origin}/infrastructure/guests`);
    await page
      .getByRole("listitem")
      .getByText(/CRX on .*MiB.*(clone|boot) in \d+ ms/)
      .first()
      .waitFor();
    await page.getByRole("button", { name: "By namespace" }).click();
    await page.getByRole("link", { name: "Pod welcome/hello" }).waitFor();
    await picture(page, "guests");
    await assertAccessible(page);
    healthy();
  } catch (error) {
    process.stderr.write(await readFile(join(data, "log", "console.log"), "utf8").catch(() => ""));
    throw error;
  } finally {
    await browser.close();
  }
});

/** Two pods that say who they are. @returns their names */
async function startPair(): Promise<readonly string[]> {
  const { transport } = await openKubeconfig({ path: join(data, "admin.kubeconfig"), clock: systemClock });
  const client = new Client({ transport, clock: systemClock, userAgent: "test" });
  const labels = { app: "pair" };
  const command = ["sh", "-c", "while :; do echo it is $(hostname); sleep 1; done"];
  const container = { name: "say", image: "atoll.local/welcome:v1", command };
  await client.create(Deployment, {
    metadata: { name: "pair", namespace: "welcome" },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  });
  const names = async () =>
    (await client.list(Pod, { namespace: "welcome", labelSelector: "app=pair" })).items.map(
      ({ metadata }) => metadata.name ?? "",
    );
  await eventually(async () => assert.equal((await names()).length, 2));
  const found = await names();
  transport.close();
  return found;
}

/** The console is started beside the rest, and nobody waits for it. */
async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((done) => setTimeout(done, 300));
    }
  }
}
