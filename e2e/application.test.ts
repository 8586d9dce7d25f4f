/**
 * A three-tier application, as its users put it on: the image built of Debian packages, plain manifests and a
 * Helm chart, a claim's disk.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { remainsOf, runAtoll, runProgram } from "@atoll/harness/commands";
import { systemClock } from "@atoll/machinery/clock";
import { clientPath } from "@atoll/processes/clients";
import { lacking } from "./lacking.ts";

const example = join(import.meta.dirname, "..", "examples", "three-tier");
const folder = await mkdtemp(join(tmpdir(), "atoll-application-"));
const data = join(folder, "data");
const patienceMs = 180_000;
const patience = `--timeout=${patienceMs / 1000}s`;

const skip = await lacking();

async function atoll(...args: string[]): Promise<void> {
  const { code, text } = await runAtoll(...args, "--data", data);
  assert.equal(code, 0, text);
}

const up = async () =>
  await atoll("up", "--background", "--no-demo", "--api-port", "0", "--kubelet-port", "0", "--gateway-port", "0");

async function asked(...args: string[]): Promise<{ code: number; text: string }> {
  const program = await clientPath("kubectl");
  return await runProgram(program, "--kubeconfig", join(data, "admin.kubeconfig"), "-n", "shop", ...args);
}

async function helm(...args: string[]): Promise<string> {
  const where = ["--kubeconfig", join(data, "admin.kubeconfig"), "-n", "shop"];
  const { code, text } = await runProgram(await clientPath("helm"), ...where, ...args);
  if (code !== 0) assert.fail([args.join(" "), text, (await asked("describe", "pods")).text].join("\n"));
  return text.trim();
}

async function kubectl(...args: string[]): Promise<string> {
  const { code, text } = await asked(...args);
  if (code !== 0) {
    const [pods, events] = [await asked("describe", "pods"), await asked("get", "events")];
    assert.fail([args.join(" "), text, pods.text, events.text].join("\n"));
  }
  return text.trim();
}

async function rolledOut(): Promise<void> {
  for (const name of ["statefulset/database", "deployment/web"]) await kubectl("rollout", "status", name, patience);
}

/** What the shop answers through its Service's address, once it does. */
async function shop(path: string, init: RequestInit = {}, name = "web"): Promise<string> {
  const address = await kubectl("get", "service", name, "-o", "jsonpath={.spec.clusterIP}");
  const deadlineMs = systemClock.monotonicMs() + patienceMs;
  for (;;) {
    const answer = await fetch(`http://${address}${path}`, init).catch(() => undefined);
    if (answer?.ok === true) return (await answer.text()).trim();
    assert.ok(systemClock.monotonicMs() < deadlineMs, (await asked("describe", "pods")).text);
    await systemClock.sleep(500);
  }
}

describe("a three-tier application", { skip, timeout: 720_000 }, () => {
  before(async () => {
    await Promise.all([up(), atoll("image", "build", "-t", "atoll.local/shop:v1", join(example, "image"))]);
  });

  after(async () => {
    await runAtoll("down", "--data", data);
    await rm(folder, { recursive: true, force: true });
  });

  test("its manifests are applied, and its tiers become ready", async () => {
    await kubectl("create", "namespace", "shop");
    await kubectl("apply", "-f", join(example, "manifests"));
    await rolledOut();
    assert.equal(await shop("/greeting"), "welcome to the shop");
    await shop("/orders", { method: "POST", body: "a boat" });
    assert.equal(await shop("/orders"), "1");
  });

  test("its CronJob's Job ends well", async () => {
    await kubectl("create", "job", "tidy-now", "--from=cronjob/tidy");
    await kubectl("wait", "--for=condition=Complete", "job/tidy-now", patience);
    assert.match(await kubectl("logs", "job/tidy-now"), /tidied; left: 1/);
  });

  test("the database's data survives its pod, which is replaced", async () => {
    const uid = async () => await kubectl("get", "pod", "database-0", "-o", "jsonpath={.metadata.uid}");
    const before = await uid();
    await kubectl("delete", "pod", "database-0");
    await rolledOut();
    assert.notEqual(await uid(), before);
    assert.equal(await shop("/orders"), "1");
  });

  test("the data survives kill -9 of all there is, and a restart of the host", async () => {
    await shop("/orders", { method: "POST", body: "an anchor" });
    const { up: main, parts } = JSON.parse(await readFile(join(data, "run", "up.json"), "utf8"));
    const spherelet = parts.find(({ name }: { name: string }) => name === "spherelet");
    for (const { pid } of [main, spherelet]) process.kill(pid, "SIGKILL");
    await up();
    assert.equal(await shop("/orders"), "2");
    await atoll("down");
    assert.deepEqual(await remainsOf(data), []);
    await up();
    await rolledOut();
    assert.equal(await shop("/orders"), "2");
  });

  test("its chart is installed by Helm, and passes its own test", async () => {
    await kubectl("delete", "-f", join(example, "manifests"), "--wait=false");
    await helm("install", "tide", join(example, "chart"), "--set", "web.maxReplicas=3", "--wait", patience);
    assert.match(await helm("test", "tide", "--logs", patience), /an order was taken and counted/);
    assert.equal(await shop("/orders", {}, "tide-web"), "1");
  });

  test("an upgrade by Helm reaches the pods, its rollback too, and neither loses an order", async () => {
    await helm(
      "upgrade",
      "tide",
      join(example, "chart"),
      "--reuse-values",
      "--set",
      "greeting=ahoy",
      "--wait",
      patience,
    );
    assert.equal(await shop("/greeting", {}, "tide-web"), "ahoy");
    await helm("rollback", "tide", "--wait", patience);
    assert.equal(await shop("/greeting", {}, "tide-web"), "welcome to the shop");
    assert.equal(await shop("/orders", {}, "tide-web"), "1");
  });

  test("there are more web pods while they are busy", async () => {
    const deadlineMs = systemClock.monotonicMs() + patienceMs;
    const grown = async () =>
      (await kubectl("get", "hpa", "tide-web", "-o", "jsonpath={.status.desiredReplicas}")) === "3";
    while (!(await grown())) {
      assert.ok(systemClock.monotonicMs() < deadlineMs, (await asked("describe", "hpa")).text);
      await Promise.all(Array.from({ length: 8 }, async () => await shop("/busy", {}, "tide-web")));
    }
    await kubectl("rollout", "status", "deployment/tide-web", patience);
    assert.equal(await kubectl("get", "deployment", "tide-web", "-o", "jsonpath={.status.readyReplicas}"), "3");
  });

  test("uninstalled by Helm, nothing of it is left but its test's pod, which is no part of it", async () => {
    await helm("uninstall", "tide", "--wait", patience);
    const parts = "app.kubernetes.io/instance=tide,app.kubernetes.io/component!=test";
    await kubectl("wait", "--for=delete", "pod,pvc", "-l", parts, patience);
    assert.equal(await kubectl("get", "all,pvc,secret,configmap,hpa", "-o", "name", "-l", parts), "");
  });
});
