import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, type Harness, startHarness } from "@atoll/harness/server";

const enforce = "pod-security.kubernetes.io/enforce";

async function namespace(harness: Harness, name: string, labels: object): Promise<void> {
  const made = await harness.send("POST", "/api/v1/namespaces", { body: { metadata: { name, labels } } });
  assert.equal(made.status, 201);
  const account = { body: { metadata: { name: "default" } } };
  assert.equal((await harness.send("POST", `/api/v1/namespaces/${name}/serviceaccounts`, account)).status, 201);
}

const plain = { containers: [{ name: "c", image: "i" }] };
const wide = { hostPID: true, ...plain };

async function pod(harness: Harness, space: string, name: string, spec: object): Promise<Answer> {
  return await harness.send("POST", `/api/v1/namespaces/${space}/pods`, { body: { metadata: { name }, spec } });
}

function warnings({ headers }: Answer): string {
  return String(headers["warning"] ?? "").replaceAll("\\", "");
}

test("a namespace's label refuses pods, and only warns of what makes them", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  const told = 'violates PodSecurity "baseline:latest": host namespaces (hostPID=true)';
  await namespace(harness, "b", { [enforce]: "baseline", "pod-security.kubernetes.io/warn": "baseline" });
  const refused = await pod(harness, "b", "p", wide);
  assert.equal(refused.status, 403);
  assert.equal(refused.json?.["message"], `pods "p" is forbidden: ${told}`);
  assert.equal((await pod(harness, "b", "q", plain)).status, 201);
  const template = { metadata: { labels: { a: "b" } }, spec: wide };
  const deployment = { metadata: { name: "d" }, spec: { selector: { matchLabels: { a: "b" } }, template } };
  const made = await harness.send("POST", "/apis/apps/v1/namespaces/b/deployments", { body: deployment });
  assert.equal(made.status, 201);
  assert.ok(warnings(made).includes(`would ${told.replace("violates", "violate")}`), warnings(made));
  const job = { template: { spec: { restartPolicy: "Never", ...wide } } };
  const cron = { metadata: { name: "c" }, spec: { schedule: "@daily", jobTemplate: { spec: job } } };
  const scheduled = await harness.send("POST", "/apis/batch/v1/namespaces/b/cronjobs", { body: cron });
  assert.equal(scheduled.status, 201);
  assert.ok(warnings(scheduled).includes("would violate PodSecurity"), warnings(scheduled));
});

test("an ephemeral container that the level forbids is refused, other changes of a pod are not judged", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  await namespace(harness, "e", {});
  assert.equal((await pod(harness, "e", "p", wide)).status, 201);
  const patch = async (path: string, body: object) =>
    await harness.send("PATCH", `/api/v1/namespaces/e/${path}`, {
      body,
      contentType: "application/strategic-merge-patch+json",
    });
  const labels = { metadata: { labels: { [enforce]: "baseline" } } };
  const labelled = await harness.send("PATCH", "/api/v1/namespaces/e", {
    body: labels,
    contentType: "application/merge-patch+json",
  });
  assert.equal(labelled.status, 200);
  assert.ok(
    warnings(labelled).includes(
      'existing pods in namespace "e" violate the new PodSecurity enforce level "baseline:latest"',
    ),
  );
  assert.ok(warnings(labelled).includes("p: host namespaces"), warnings(labelled));
  assert.equal((await patch("pods/p", { metadata: { labels: { x: "y" } } })).status, 200);
  const debug = { name: "d", image: "i", securityContext: { privileged: true } };
  const refused = await patch("pods/p/ephemeralcontainers", { spec: { ephemeralContainers: [debug] } });
  assert.equal(refused.status, 403);
  assert.match(String(refused.json?.["message"]), /privileged \(container "d" must not set/);
});

test("labels that say nothing known are refused when they are new", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  const labels = { [enforce]: "strict", [`${enforce}-version`]: "1.30" };
  const refused = await harness.send("POST", "/api/v1/namespaces", { body: { metadata: { name: "w", labels } } });
  assert.equal(refused.status, 422);
  const message = String(refused.json?.["message"]);
  assert.ok(message.includes('Invalid value: "strict": must be one of privileged, baseline, restricted'), message);
  assert.ok(message.includes('Invalid value: "1.30": must be "latest" or "v1.x"'), message);
});
