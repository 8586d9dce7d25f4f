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
import { Deployment, Job, PersistentVolumeClaim, Pod, Service } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import type { Page } from "playwright-core";
import { openBrowser } from "./browser.ts";
import { assertAccessible, openWindow, picture, signIn } from "./consolestage.ts";
import { lacking } from "./lacking.ts";

const run = promisify(execFile);
const main = join(import.meta.dirname, "..", "processes", "main.ts");
const data = await mkdtemp(join(tmpdir(), "atoll-consoleup-"));

async function atoll(...args: readonly string[]): Promise<string> {
  const command = ["--disable-warning=ExperimentalWarning", main, ...args];
  const { stdout } = await run(process.execPath, command, { timeout: 240_000 });
  return stdout;
}

const skip = await lacking();

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
    // Leaving the terminal ends what still runs in it.
    await page.getByText("<title>Atoll").first().waitFor();
    await picture(page, "terminal");
    await page.getByRole("tab", { name: "Logs" }).click();
    await page.getByRole("log").getByText("127.0.0.1").first().waitFor();
    await page.getByRole("textbox", { name: "Find in logs" }).fill("no such line");
    await page.getByText(/^0 of/).waitFor();
    await page.getByRole("textbox", { name: "Find in logs" }).fill("");
    await picture(page, "logs");
    await assertAccessible(page);
    const { client, pods } = await startPair();
    await page.goto(`${origin}/k/deployments.apps/welcome/pair?tab=logs`);
    for (const name of pods) await page.getByText(`${name}/sayit is ${name}`).first().waitFor();
    await picture(page, "logs-merged");
    await assertAccessible(page);
    await page.goto(`${origin}/infrastructure/guests`);
    await page
      .getByRole("row", { name: /^Pod hello welcome CRX .*MiB.*(clone|boot) in \d+ ms/ })
      .first()
      .waitFor();
    await page.getByRole("button", { name: "By namespace" }).click();
    await page.getByRole("table", { name: "Guests of welcome" }).getByRole("link", { name: "Pod hello" }).waitFor();
    await picture(page, "guests");
    await assertAccessible(page);
    await lookAround(page, origin);
    await callOff(page, client);
    healthy();
  } catch (error) {
    process.stderr.write(await readFile(join(data, "log", "console.log"), "utf8").catch(() => ""));
    throw error;
  } finally {
    await browser.close();
  }
});

/** What the host has, and what of it is whose. */
async function lookAround(page: Page, origin: string): Promise<void> {
  const seen = async (path: string, name: string) => {
    await picture(page, name);
    await assertAccessible(page);
    assert.equal(new URL(page.url()).pathname, path);
  };
  await page.goto(`${origin}/infrastructure/hosts`);
  const host = page.getByRole("article").first();
  await host.getByText(/promised of .* GiB/).waitFor();
  await host.getByRole("meter", { name: /^Processors/ }).waitFor();
  await seen("/infrastructure/hosts", "capacity");
  await page.goto(`${origin}/infrastructure/images?q=welcome`);
  await page.getByRole("row", { name: /atoll.local\/welcome:v1.* MiB .*welcome\/hello/ }).waitFor();
  await seen("/infrastructure/images", "images");
  await page.goto(`${origin}/infrastructure/datastores`);
  const store = page.getByRole("region", { name: "disk", exact: true });
  await store.getByText(/default/).waitFor();
  await store.getByRole("row", { name: /100 MiB.*Bound.*welcome\/kept.*welcome\/keeper/ }).waitFor();
  await seen("/infrastructure/datastores", "storage");
  await page.goto(`${origin}/infrastructure/networks`);
  await page.getByRole("row", { name: /10\.\d+\.\d+\.0\/24.*VXLAN/ }).waitFor();
  await page.getByRole("row", { name: /welcome\/outside LoadBalancer \d+\.\d+\.\d+\.\d+:18\d+\/TCP/ }).waitFor();
  await seen("/infrastructure/networks", "networks");
}

/** A job is followed, and suspended half-way. */
async function callOff(page: Page, client: Client): Promise<void> {
  await page.getByRole("link", { name: "Tasks and events" }).click();
  const task = page.getByRole("row", { name: /^Job welcome\/steps/ });
  await task.getByRole("progressbar").waitFor();
  await task.getByText("1 of 3").waitFor({ timeout: 60_000 });
  await page
    .getByRole("row", { name: /Scheduled pod\/steps-/ })
    .first()
    .waitFor();
  await picture(page, "tasks");
  await assertAccessible(page);
  await task.getByRole("button", { name: "Suspend" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Its running pods end; what is finished stays finished.").waitFor();
  await dialog.getByRole("button", { name: "Suspend" }).click();
  await task.getByText("Suspended").waitFor();
  assert.equal((await client.get(Job, toKey("welcome", "steps"))).spec?.suspend, true);
}

/** Two pods that say who they are; and what else there is to be seen: a disk in use, a way in, a job. */
async function startPair(): Promise<{ client: Client; pods: readonly string[] }> {
  const { transport } = await openKubeconfig({ path: join(data, "admin.kubeconfig"), clock: systemClock });
  const client = new Client({ transport, clock: systemClock, userAgent: "test" });
  const labels = { app: "pair" };
  const image = "atoll.local/welcome:v1";
  const command = ["sh", "-c", "while :; do echo it is $(hostname); sleep 1; done"];
  const namespace = "welcome";
  await client.create(Deployment, {
    metadata: { name: "pair", namespace },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "say", image, command }] } },
    },
  });
  const ports = [{ port: 18_080, targetPort: 8080 }];
  await client.create(Service, {
    metadata: { name: "outside", namespace },
    spec: { type: "LoadBalancer", selector: labels, ports },
  });
  await client.create(PersistentVolumeClaim, {
    metadata: { name: "kept", namespace },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "100Mi" } } },
  });
  await client.create(Pod, {
    metadata: { name: "keeper", namespace },
    spec: {
      containers: [
        { name: "keep", image, command: ["sleep", "infinity"], volumeMounts: [{ name: "d", mountPath: "/d" }] },
      ],
      volumes: [{ name: "d", persistentVolumeClaim: { claimName: "kept" } }],
    },
  });
  // The second of its pods takes for ever.
  const step = ["sh", "-c", "test $JOB_COMPLETION_INDEX = 0 || sleep infinity"];
  await client.create(Job, {
    metadata: { name: "steps", namespace },
    spec: {
      completions: 3,
      completionMode: "Indexed",
      template: { spec: { restartPolicy: "Never", containers: [{ name: "step", image, command: step }] } },
    },
  });
  const names = async () =>
    (await client.list(Pod, { namespace, labelSelector: "app=pair" })).items.map(({ metadata }) => metadata.name ?? "");
  await eventually(async () => assert.equal((await names()).length, 2));
  return { client, pods: await names() };
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
