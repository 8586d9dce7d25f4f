/** Mission Control in the console: what people write, plan and look up there, against the real hub and its controllers. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { Deployment, Namespace, Pod, ServiceAccount } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { clientOf } from "@atoll/harness/client";
import { atollArguments } from "@atoll/harness/commands";
import { startHarness } from "@atoll/harness/server";
import { clientPath } from "@atoll/processes/clients";
import { formatKubeconfig } from "@atoll/processes/kubeconfig";
import type { Browser, Page } from "playwright-core";
import { noBrowser, openBrowser } from "./browser.ts";
import {
  assertAccessible,
  assertAccessibleNarrow,
  openStage,
  openWindow,
  picture,
  signIn,
  type Stage,
} from "./consolestage.ts";

const clusters = `
apiVersion: fleet.atoll.dev/v1alpha1
kind: ClusterGroup
metadata: {name: prod, namespace: default}
spec: {description: What customers use}
---
apiVersion: fleet.atoll.dev/v1alpha1
kind: ClusterGroup
metadata: {name: europe, namespace: default}
spec: {parent: prod}
---
apiVersion: fleet.atoll.dev/v1alpha1
kind: FleetCluster
metadata: {name: paris, namespace: default}
spec: {group: europe}
---
apiVersion: fleet.atoll.dev/v1alpha1
kind: FleetCluster
metadata: {name: lab, namespace: default}
spec: {}
`;

const access = `
apiVersion: fleet.atoll.dev/v1alpha1
kind: AccessPolicy
metadata: {name: shop, namespace: default}
spec:
  target: {group: europe}
  bindings: [{role: cluster.edit, subjects: [{kind: Group, name: developers}]}]
`;

const privileged = {
  metadata: { name: "bad", namespace: "default" },
  spec: { containers: [{ name: "a", image: "a", securityContext: { privileged: true } }] },
};

/** Nothing runs it where there are no controllers. */
const web = {
  metadata: { name: "web", namespace: "shop" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "web", image: "registry.example/web:7" }] },
    },
  },
};

const isRoot = process.getuid?.() === 0;
const patienceMs = 300_000;

describe("the console of a fleet", { skip: noBrowser() ?? false }, () => {
  let stage: Stage;
  let browser: Browser;
  let page: Page;
  let healthy: () => void;
  let gateway: ChildProcess;

  before(async () => {
    [stage, browser] = await Promise.all([openStage({ fleet: true }), openBrowser()]);
    gateway = await startGateway(stage);
    ({ page, healthy } = await openWindow(browser));
    await stage.kubectl("apply -f -", clusters);
    await signIn(page, await stage.link());
  });
  after(async () => {
    gateway.kill();
    await browser.close();
    await stage.close();
  });

  test("a policy is filled in as a form, its YAML follows, and the plan says what it would change", async () => {
    await page.goto(`${stage.url}/k/securitypolicies.fleet.atoll.dev?ns=default`);
    await page
      .getByRole("button", { name: "Create" })
      .or(page.getByRole("link", { name: "Create" }))
      .click();
    const form = page.getByRole("form", { name: "SecurityPolicy as a form" });
    await form.getByLabel("Name").first().fill("base");
    await form.getByLabel("Group").fill("prod");
    await form.getByLabel("Enforcement").selectOption("Audit");
    await form.getByLabel("Level").selectOption("Restricted");
    await page.locator(".cm-content").getByText("enforcement: Audit").waitFor();
    await picture(page, "policy");
    await assertAccessible(page);
    await page.getByRole("button", { name: "Review" }).click();
    await page.getByText("SecurityPolicy base will be created").waitFor();
    const plan = page.getByRole("region", { name: "Plan" });
    await plan
      .getByRole("row", { name: /^paris add ValidatingAdmissionPolicy\/.* SecurityPolicy\/base group prod/ })
      .first()
      .waitFor();
    assert.equal(await plan.getByRole("row", { name: /^lab/ }).count(), 0);
    const said = page.getByRole("list", { name: "What the server says" });
    await said.getByText("cluster paris does not tell what it has: its agent has not come in yet").waitFor();
    await picture(page, "plan");
    await assertAccessible(page);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "base", exact: true }).waitFor();
    assert.equal(
      await stage.kubectl("get secpol base -o jsonpath={.spec.level}{.spec.target.group}"),
      "Restrictedprod",
    );
    healthy();
  });

  test("the tree shows the policies of each place, its own and those that it inherits", async () => {
    await page.goto(`${stage.url}/fleet/groups?ns=default`);
    const tree = page.getByRole("navigation", { name: "Organization" });
    await tree.getByRole("link", { name: "paris Pending" }).click();
    const held = page.getByRole("table", { name: "Policies" });
    await held.getByRole("row", { name: /^SecurityPolicy base group prod, inherited Audit Pending/ }).waitFor();
    await picture(page, "groups");
    await assertAccessible(page);
    await tree.getByRole("link", { name: "prod group" }).click();
    await held.getByRole("row", { name: /^SecurityPolicy base group prod Audit 0\/1/ }).waitFor();
    await tree.getByRole("link", { name: "lab Pending" }).click();
    await page.getByText("No policy holds here.").waitFor();
    await page.goto(`${stage.url}/k/fleetclusters.fleet.atoll.dev/default/paris?tab=policies`);
    await held.getByRole("row", { name: /^SecurityPolicy base group prod, inherited/ }).waitFor();
    healthy();
  });

  test("says who can do what, and by which policy", async () => {
    await stage.kubectl("apply -f -", access);
    await page.goto(`${stage.url}/fleet/access?ns=default`);
    const form = page.getByRole("form", { name: "Who can" });
    await form.getByLabel("Verb").fill("create");
    await form.getByLabel("Resource").fill("deployments.apps");
    await form.getByRole("button", { name: "Ask" }).click();
    const told = page.getByRole("table", { name: "Who can" });
    await told.getByRole("row", { name: /^Group\/developers paris whole cluster edit shop group europe/ }).waitFor();
    assert.equal(await told.getByRole("row").count(), 2);
    await picture(page, "whocan");
    await assertAccessible(page);
    await page.goto(`${stage.url}/fleet/access?ns=default&verb=delete&resource=nodes`);
    await page.getByText("By the AccessPolicies nobody may delete nodes.").waitFor();
    healthy();
  });

  test("a cluster is attached by the wizard's commands; a policy's violation appears there, and vanishes", async () => {
    await page.goto(`${stage.url}/k/fleetclusters.fleet.atoll.dev?ns=default`);
    await page
      .getByRole("button", { name: "Create" })
      .or(page.getByRole("link", { name: "Create" }))
      .click();
    const form = page.getByRole("form", { name: "Attach a cluster" });
    await form.getByLabel("Name").fill("oslo");
    await form.getByLabel("Group").selectOption("europe");
    await form.getByRole("button", { name: "Attach" }).click();
    await page.getByText("Waiting for its agent").first().waitFor();
    const manifest = page.getByTestId("manifest");
    await page.getByText("The gateway makes the agent's image, once").waitFor();
    await assertAccessible(page);
    // The image is made first, which takes minutes where all is slow, and which root alone can.
    if (isRoot) await manifest.waitFor({ timeout: patienceMs });
    else await page.getByText("There is no image of the agent").waitFor();
    await picture(page, "attach");
    await assertAccessible(page);
    const applied = isRoot ? await manifest.innerText() : undefined;
    await page.getByRole("tab", { name: "Agent run by hand" }).click();
    await assertAccessible(page);
    const child = await openChild(await page.getByTestId("commands").innerText());
    try {
      if (applied !== undefined) await child.takes(applied);
      await page.getByText("is attached: the policies of its organization").waitFor();
      await child.client.create(Pod, privileged);
      await page.getByRole("link", { name: "oslo" }).click();
      await page.getByRole("tab", { name: "Policies" }).click();
      await page.getByRole("row", { name: /^SecurityPolicy base group prod, inherited Audit Applied/ }).waitFor();
      await enforce(page, stage, "Warn");
      await page
        .getByRole("row", { name: /^Pod bad default SecurityPolicy\/base/ })
        .first()
        .waitFor();
      await picture(page, "violations");
      await assertAccessible(page);
      await lookUp(page);
      await page.goto(`${stage.url}/k/fleetclusters.fleet.atoll.dev/default/oslo?tab=policies`);
      await child.client.delete(Pod, toKey("default", "bad"), { graceSeconds: 0 });
      await enforce(page, stage, "Enforce");
      await page.getByRole("heading", { name: "Violations 0" }).waitFor();
      await assert.rejects(child.client.create(Pod, privileged), /privileged/);
      await page.goto(`${stage.url}/`);
      const counted = (by: string) => page.getByRole("region", { name: `Clusters by ${by}` }).getByRole("listitem");
      await counted("health").getByText("Ready").waitFor();
      assert.deepEqual((await counted("group").allTextContents()).toSorted(), ["europe2", "none1"]);
      await picture(page, "overview-fleet");
      await assertAccessible(page);
    } finally {
      await child.close();
    }
    healthy();
  });

  test("a tenant's namespace is made with its limits, by a form", async () => {
    await page.goto(`${stage.url}/k/supervisornamespaces.supervisor.atoll.dev`);
    await page
      .getByRole("button", { name: "Create" })
      .or(page.getByRole("link", { name: "Create" }))
      .click();
    const form = page.getByRole("form", { name: "SupervisorNamespace as a form" });
    await form.getByLabel("Name").first().fill("shop");
    await form.getByLabel("Limits").check();
    const limits = form.getByRole("group", { name: "Limits" });
    await limits.getByLabel("Cpu").fill("4");
    await limits.getByLabel("Memory").fill("8Gi");
    await page.getByRole("button", { name: "Review" }).click();
    await page.getByText("SupervisorNamespace shop will be created").waitFor();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Active", { exact: true }).first().waitFor();
    await page.getByText("CPU 4").waitFor();
    await page.getByText("Memory 8.0 GiB").waitFor();
    await picture(page, "tenant");
    await assertAccessible(page);
    assert.match(
      await stage.kubectl("get resourcequota -n shop -o jsonpath={.items[*].spec.hard}"),
      /"limits.memory":"8Gi"/,
    );
    healthy();
  });

  test("a form says what the server refuses, at its line", async () => {
    await page.goto(`${stage.url}/create?ns=default&kind=SecurityPolicy`);
    const form = page.getByRole("form", { name: "SecurityPolicy as a form" });
    await form.getByLabel("Name").first().fill("odd");
    await form.getByLabel("Level").selectOption("Custom");
    await page.getByRole("button", { name: "Review" }).click();
    await page.getByText("custom goes with level Custom").first().waitFor();
    await page.locator(".cm-lint-marker-error").waitFor();
    healthy();
  });
});

/** What the cluster has is found from the hub, and the search is kept in the URL. */
async function lookUp(page: Page): Promise<void> {
  await page.getByRole("navigation", { name: "Areas" }).getByRole("link", { name: "Inventory" }).click();
  const told = page.getByRole("table", { name: "Inventory" });
  await told.getByRole("row", { name: /^shop Namespace oslo Active/ }).waitFor();
  await told.getByRole("row", { name: /^paris Cluster paris Pending .*never$/ }).waitFor();
  await picture(page, "inventory");
  await assertAccessible(page);
  await assertAccessibleNarrow(page);
  await page.getByRole("searchbox").or(page.getByLabel("Find in the inventory")).first().fill("registry.example web:7");
  await told
    .getByRole("row", { name: /^web Deployment shop oslo 0\/2 ready registry.example\/web:7 .* ago$/ })
    .waitFor();
  assert.equal(await told.getByRole("row").count(), 2);
  await page.getByRole("button", { name: /^Deployment 1 1 not well/ }).click();
  await page.getByRole("button", { name: "Only what is not well" }).click();
  await page.waitForURL(/q=registry.example\+web%3A7&kind=Deployment&only=unhealthy/);
  await page.reload();
  await told.getByRole("row", { name: /^web Deployment shop oslo/ }).waitFor();
  assert.equal(await told.getByRole("row").count(), 2);
  await page.getByRole("button", { name: "kubectl" }).click();
  const command = page.getByRole("textbox", { name: "Command" });
  assert.equal(await command.inputValue(), "./atoll inventory registry.example web:7 --kind Deployment --unhealthy");
  await page.keyboard.press("Escape");
  await page.getByLabel("Find in the inventory").fill("no such thing");
  await page.getByText("Nothing is found").waitFor();
  await page.getByRole("button", { name: "Show all" }).click();
  await told.getByRole("row", { name: /^oslo Cluster oslo Ready/ }).waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, "/fleet/inventory");
}

/** Where agents come in. */
async function startGateway({ kubeconfig }: Stage): Promise<ChildProcess> {
  const images = join(dirname(kubeconfig), "images");
  const args = atollArguments("gateway", "--kubeconfig", kubeconfig, "--port", "0", "--images", images);
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith("ready ")) return child;
  throw new Error("the gateway ended");
}

interface Child {
  readonly client: Client;
  /** Its admin applies a manifest by pasting the command. */
  takes(command: string): Promise<void>;
  close(): Promise<void>;
}

/** A cluster of its own, whose admin pastes the commands into a shell. */
async function openChild(commands: string): Promise<Child> {
  const harness = await startHarness();
  const client = clientOf(harness);
  // Its controllers would make it.
  await client.create(ServiceAccount, { metadata: { name: "default", namespace: "default" } });
  await client.create(Namespace, { metadata: { name: "shop" } });
  await client.create(Deployment, web);
  const folder = await mkdtemp(join(tmpdir(), "atoll-child-"));
  const kubeconfig = join(folder, "kubeconfig");
  const { ca, cert, key } = harness.tls;
  await writeFile(kubeconfig, formatKubeconfig({ server: harness.url, ca, user: "admin", identity: { cert, key } }));
  const launcher = ["#!/bin/sh", `exec ${[process.execPath, ...atollArguments()].join(" ")} "$@"`, ""].join("\n");
  await writeFile(join(folder, "atoll"), launcher, { mode: 0o755 });
  const path = [dirname(await clientPath("kubectl")), process.env["PATH"]].join(delimiter);
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder, PATH: path };
  // A group of its own: the shell and the agent end together.
  const shell = spawn("sh", { cwd: folder, env, detached: true, stdio: ["pipe", "ignore", "ignore"] });
  shell.stdin.end(commands);
  return {
    client,
    async takes(command) {
      const { stdout } = await promisify(execFile)("sh", ["-c", command], { env });
      assert.match(stdout, /^deployment.apps\/fleet-agent created$/m);
      const agent = await client.get(Deployment, toKey("atoll-system", "fleet-agent"));
      assert.match(agent.spec?.template.spec?.containers?.[0]?.image ?? "", /\/atoll\/fleet-agent@sha256:/);
    },
    async close() {
      const gone = new Promise((done) => shell.once("exit", done));
      if (shell.pid !== undefined && shell.exitCode === null) process.kill(-shell.pid, "SIGKILL");
      await gone;
      await harness.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Changes the policy in its form, and comes back to the cluster. */
async function enforce(page: Page, stage: Stage, how: string): Promise<void> {
  const here = page.url();
  await page.goto(`${stage.url}/k/securitypolicies.fleet.atoll.dev/default/base?tab=yaml`);
  await page.getByRole("form").getByLabel("Enforcement").selectOption(how);
  await page.getByRole("button", { name: "Review" }).click();
  await page.getByText("SecurityPolicy base will change").waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("tab", { name: "Summary", selected: true }).waitFor();
  await page.goto(here);
}
