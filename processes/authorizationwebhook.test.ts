import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { eventually } from "@atoll/harness/client";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { readAuthorization } from "@atoll/server/authorize/webhook/configuration";
import { Followed } from "@atoll/server/configuration/followed";
import { issue, newAuthority } from "@atoll/server/pki/authority";
import { connectWebhook } from "./authorizationwebhook.ts";

interface Review {
  readonly spec: {
    readonly user: string;
    readonly resourceAttributes?: { readonly resource: string; readonly fieldSelector?: object };
  };
}

type Status = { allowed: boolean; denied?: boolean; reason?: string };

interface Hook {
  readonly asked: Review[];
  answer: (review: Review) => Status | number | "hang";
}

/** A webhook that shows a certificate, and wants one of the server. */
async function startHook(t: TestContext, folder: string): Promise<{ hook: Hook; kubeconfig: string }> {
  const now = systemClock.nowMs();
  const ca = await newAuthority("hook-ca", now);
  const own = await issue(ca, { commonName: "hook", usage: "server", names: ["127.0.0.1"], days: 1 }, now);
  const client = await issue(ca, { commonName: "the-api-server", usage: "client", days: 1 }, now);
  const hook: Hook = { asked: [], answer: () => ({ allowed: false }) };
  const tls = { cert: own.cert, key: own.key, ca: ca.cert, requestCert: true, rejectUnauthorized: true };
  const server = createServer(tls, (request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const review = JSON.parse(Buffer.concat(parts).toString()) as Review;
      assert.equal(request.url, "/authorize?x=y");
      hook.asked.push(review);
      const status = hook.answer(review);
      if (status === "hang") return;
      if (typeof status === "number") response.writeHead(status).end("no");
      else response.end(JSON.stringify({ apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", status }));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const kubeconfig = join(folder, "hook.kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "hook",
        cluster: { server: `https://127.0.0.1:${port}/authorize?x=y`, "certificate-authority-data": base64(ca.cert) },
      },
    ],
    users: [
      { name: "me", user: { "client-certificate-data": base64(client.cert), "client-key-data": base64(client.key) } },
    ],
    contexts: [{ name: "c", context: { cluster: "hook", user: "me" } }],
    "current-context": "c",
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  return { hook, kubeconfig };
}

async function setUp(t: TestContext, webhook: object = {}) {
  const folder = await mkdtemp(join(tmpdir(), "atoll-hook-"));
  const { hook, kubeconfig } = await startHook(t, folder);
  const path = join(folder, "authorization.yaml");
  const usual = {
    timeout: "3s",
    subjectAccessReviewVersion: "v1",
    failurePolicy: "NoOpinion",
    connectionInfo: { type: "KubeConfigFile", kubeConfigFile: kubeconfig },
  };
  const hooked = { type: "Webhook", name: "hook", webhook: { ...usual, ...webhook } };
  const write = (...authorizers: object[]) =>
    writeFile(
      path,
      JSON.stringify({ apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthorizationConfiguration", authorizers }),
    );
  await write({ type: "Node", name: "node" }, { type: "RBAC", name: "rbac" }, hooked);
  const log = { info: () => {}, error: () => {} };
  const file = await Followed.open({ path, parse: readAuthorization, clock: systemClock, log, everyMs: 20 });
  const harness = await startHarness({ server: { authorization: { file, connect: connectWebhook } } });
  t.after(async () => {
    file.close();
    await harness.close();
    await rm(folder, { recursive: true });
  });
  return { hook, write, hooked, harness, alice: await harness.user("alice") };
}

const pods = "/api/v1/namespaces/default/pods";

test("what roles do not allow the webhook may, and its answers are kept", async (t) => {
  const { hook, alice } = await setUp(t);
  hook.answer = ({ spec }) => ({ allowed: spec.resourceAttributes?.resource === "pods", reason: "said so" });
  assert.equal((await alice.send("GET", `${pods}?fieldSelector=spec.nodeName%3Done`)).status, 200);
  assert.equal((await alice.send("GET", `${pods}?fieldSelector=spec.nodeName%3Done`)).status, 200);
  const refused = await alice.send("GET", "/api/v1/secrets");
  assert.equal(refused.status, 403);
  assert.match(refused.text, /at the cluster scope: said so"/);
  assert.equal(hook.asked.length, 2);
  const [first] = hook.asked;
  assert.equal(first?.spec.user, "alice");
  const requirements = [{ key: "spec.nodeName", operator: "In", values: ["one"] }];
  assert.deepEqual(first?.spec.resourceAttributes?.fieldSelector, { requirements });
  assert.equal((await alice.send("GET", "/apis")).status, 200);
  assert.equal(hook.asked.length, 2);
});

test("a denial is final, wherever the webhook stands", async (t) => {
  const { hook, alice, write, hooked } = await setUp(t);
  hook.answer = () => ({ allowed: false, denied: true, reason: "never" });
  await write(hooked, { type: "RBAC", name: "rbac" });
  await eventually("the file is read again", async () => (await alice.send("GET", "/apis")).status === 403);
});

test("a webhook that fails is as if it were not there, or refuses, as configured", async (t) => {
  const open = await setUp(t);
  open.hook.answer = () => 400;
  assert.equal((await open.alice.send("GET", "/apis")).status, 200);
  assert.equal((await open.alice.send("GET", pods)).status, 500);
  const closed = await setUp(t, { failurePolicy: "Deny", timeout: "100ms" });
  closed.hook.answer = () => "hang";
  assert.equal((await closed.alice.send("GET", pods)).status, 500);
  assert.equal((await closed.harness.send("GET", pods)).status, 200);
});

test("conditions keep requests from the webhook", async (t) => {
  const expression = "has(request.resourceAttributes) && request.resourceAttributes.namespace == 'default'";
  const { hook, alice } = await setUp(t, {
    matchConditionSubjectAccessReviewVersion: "v1",
    matchConditions: [{ expression }, { expression: "!('staff' in request.groups)" }],
  });
  hook.answer = () => ({ allowed: true });
  assert.equal((await alice.send("GET", pods)).status, 200);
  assert.equal((await alice.send("GET", "/api/v1/namespaces/kube-system/pods")).status, 403);
  assert.equal((await alice.send("GET", "/metrics")).status, 403);
  assert.equal(hook.asked.length, 1);
});

test("a file that cannot be used is refused with what is wrong in it", () => {
  const file = (...authorizers: object[]) =>
    JSON.stringify({ apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthorizationConfiguration", authorizers });
  const rbac = { type: "RBAC", name: "rbac" };
  const webhook = {
    timeout: "31s",
    subjectAccessReviewVersion: "v2",
    connectionInfo: { type: "KubeConfigFile", kubeConfigFile: "relative" },
    matchConditionSubjectAccessReviewVersion: "v1",
    matchConditions: [{ expression: "request.user" }, { expression: "nothing" }],
  };
  assert.throws(() => readAuthorization(file()), /at least one authorization mode/);
  assert.throws(() => readAuthorization(file(rbac, rbac)), /Duplicate value: "RBAC"/);
  assert.throws(() => readAuthorization(file({ type: "AlwaysAllow", name: "x" })), /Unsupported value: "AlwaysAllow"/);
  assert.throws(
    () => readAuthorization(file({ type: "Webhook", name: "hook", webhook })),
    /30s[^]*v2[^]*failurePolicy[^]*absolute path[^]*must evaluate to bool[^]*compilation failed/,
  );
  assert.throws(() => readAuthorization(file({ ...rbac, webhok: {} })), /unknown field/);
});
