/** A Service before three real pods, under load: shares, a rolling update that nobody notices, and kubectl rollout. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually } from "@atoll/harness/client";
import { remainsOf, runAtoll, runProgram } from "@atoll/harness/commands";
import { systemClock } from "@atoll/machinery/clock";
import { clientPath } from "@atoll/processes/clients";
import { buildWelcomeImage } from "@atoll/processes/up/welcome";
import { lacking } from "./lacking.ts";

const folder = await mkdtemp(join(tmpdir(), "atoll-rollout-"));
const data = join(folder, "data");
const patienceMs = 180_000;
const skip = await lacking();

/** Each pod answers with its version and name. The wait before the end is what upstream's guides ask for too. */
const container = {
  name: "web",
  image: "atoll.local/welcome:v1",
  env: [{ name: "VERSION", value: "one" }],
  command: ["sh", "-c", 'cd /tmp; echo "$VERSION $(hostname)" > who; touch ready; exec httpd -f -p 8080 -h /tmp'],
  ports: [{ containerPort: 8080 }],
  readinessProbe: { httpGet: { path: "/ready", port: 8080 }, periodSeconds: 1, failureThreshold: 1 },
  lifecycle: { preStop: { exec: { command: ["sleep", "3"] } } },
};
const manifests = {
  apiVersion: "v1",
  kind: "List",
  items: [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: "web" } },
        strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: {
          metadata: { labels: { app: "web" } },
          spec: { terminationGracePeriodSeconds: 5, containers: [container] },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ],
};

async function kubectl(...args: string[]): Promise<string> {
  const program = await clientPath("kubectl");
  const { code, text } = await runProgram(program, "--kubeconfig", join(data, "admin.kubeconfig"), ...args);
  assert.equal(code, 0, `${args.join(" ")}: ${text}`);
  return text.trim();
}

const rolledOut = async () => await kubectl("rollout", "status", "deployment/web", `--timeout=${patienceMs / 1000}s`);

/** What one connection of its own is answered. @throws {Error} it is not */
async function ask(address: string, agent: Agent): Promise<string> {
  return await new Promise((resolve, reject) => {
    const request = get({ host: address, port: 80, path: "/who", agent, timeout: 10_000 }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += String(chunk)));
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200 ? resolve(text.trim()) : reject(new Error(`status ${response.statusCode}`)),
      );
    });
    request.on("timeout", () => request.destroy(new Error("no answer within 10 s")));
    request.on("error", reject);
  });
}

describe("a Service before three pods", { skip, timeout: 480_000 }, () => {
  const agent = new Agent({ keepAlive: false });
  let address = "";

  before(async () => {
    const up = await runAtoll(
      ...["up", "--background", "--no-demo", "--data", data],
      ...["--api-port", "0", "--kubelet-port", "0", "--gateway-port", "0"],
    );
    assert.equal(up.code, 0, up.text);
    await buildWelcomeImage(data);
    await eventually("pods can be made", async () => (await kubectl("get", "serviceaccounts")).includes("default"));
    const path = join(folder, "manifests.json");
    await writeFile(path, JSON.stringify(manifests));
    await kubectl("apply", "-f", path);
    await rolledOut();
    address = await kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
    await eventually("three answer", async () => {
      const answers = await Promise.all([1, 2, 3].map(async () => await ask(address, agent).catch(() => "")));
      return !answers.includes("") && new Set(answers).size === 3;
    });
  });
  after(async () => {
    agent.destroy();
    await runAtoll("down", "--data", data);
    const left = await remainsOf(data);
    await rm(folder, { recursive: true, force: true });
    assert.deepEqual(left, []);
  });

  test("shares 3,000 requests out within 5 %", async () => {
    const counts = new Map<string, number>();
    const askers = Array.from({ length: 10 }, async () => {
      for (let turn = 0; turn < 300; turn++) {
        const who = await ask(address, agent);
        counts.set(who, (counts.get(who) ?? 0) + 1);
      }
    });
    await Promise.all(askers);
    assert.equal(counts.size, 3);
    for (const [who, count] of counts) assert.ok(Math.abs(count - 1_000) <= 50, `${who}: ${count}`);
  });

  test("a rolling update under load fails no request", async () => {
    const failures: unknown[] = [];
    const versions = new Set<string>();
    let isOver = false;
    let asked = 0;
    const askers = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        asked++;
        const who = await ask(address, agent).catch((error: unknown) => void failures.push(error));
        if (who !== undefined) versions.add(who.split(" ")[0] ?? "");
        await systemClock.sleep(20);
      }
    });
    await kubectl("set", "env", "deployment/web", "VERSION=two");
    await rolledOut();
    await eventually("the old pods are gone", async () => (await podNames()).length === 3, 60_000);
    isOver = true;
    await Promise.all(askers);
    assert.deepEqual(failures, [], `of ${asked}`);
    assert.deepEqual([...versions], ["one", "two"]);
    await answered("two");
  });

  test("a pod that is not ready any more is out of rotation", async (t) => {
    const [name = ""] = await podNames();
    await kubectl("exec", name, "--", "rm", "/tmp/ready");
    const sinceMs = systemClock.monotonicMs();
    let lastMs = 0;
    await eventually(
      "thirty requests go to others",
      async () => {
        for (let turn = 0; turn < 30; turn++) {
          if (!(await ask(address, agent)).endsWith(name)) continue;
          lastMs = systemClock.monotonicMs() - sinceMs;
          return false;
        }
        return true;
      },
      30_000,
    );
    t.diagnostic(`out of rotation after ${(lastMs / 1000).toFixed(2)} s`);
    assert.ok(lastMs < 10_000, `${lastMs} ms`);
    await kubectl("exec", name, "--", "touch", "/tmp/ready");
    await rolledOut();
  });

  test("kubectl rollout: history, pause, resume, undo", async () => {
    const env = async () => await kubectl("get", "deployment/web", "-o", "jsonpath={..env[0].value}");
    assert.match(await kubectl("rollout", "history", "deployment/web"), /\n1 .*\n2 /);
    await kubectl("rollout", "pause", "deployment/web");
    await kubectl("set", "env", "deployment/web", "VERSION=three");
    const before = await podNames();
    assert.match(await kubectl("rollout", "status", "deployment/web", "--watch=false"), /^Waiting/);
    assert.deepEqual(await podNames(), before);
    await kubectl("rollout", "resume", "deployment/web");
    await rolledOut();
    await answered("three");
    await kubectl("rollout", "undo", "deployment/web", "--to-revision=1");
    await rolledOut();
    assert.equal(await env(), "one");
    assert.match(await kubectl("rollout", "history", "deployment/web"), /\n2 .*\n3 .*\n4 /);
  });

  /** A pod that ends may answer until the host knows of it. */
  async function answered(version: string): Promise<void> {
    await eventually(`${version} answers`, async () => (await ask(address, agent)).startsWith(`${version} `));
  }

  async function podNames(): Promise<readonly string[]> {
    return (await kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}"))
      .split(" ")
      .sort();
  }
});
