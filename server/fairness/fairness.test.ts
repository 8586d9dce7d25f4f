import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { eventually } from "@atoll/harness/client";
import { type Answer, type Harness, startHarness } from "@atoll/harness/server";
import { issue } from "@atoll/server/pki/authority";
import { systemClock } from "@atoll/machinery/clock";
import type { ClientRequest } from "node:http";
import { Agent, request } from "node:https";
import type { Socket } from "node:net";
import { connect } from "node:tls";

const root = "/apis/flowcontrol.apiserver.k8s.io/v1";

async function setUp(t: TestContext) {
  const harness = await startHarness();
  t.after(() => harness.close());
  const make = async (plural: string, body: object) => {
    const answer = await harness.send("POST", `${root}/${plural}`, { body });
    assert.equal(answer.status, 201, answer.text);
    return (answer.json?.["metadata"] as { uid?: string } | undefined)?.uid;
  };
  return { harness, make };
}

/** A client that shows a certificate of the cluster. */
async function clientAs(t: TestContext, { pki, server }: Harness, commonName: string) {
  const wish = { commonName, usage: "client" as const, days: 1 };
  const agent = new Agent({ ca: pki.ca.cert, ...(await issue(pki.ca, wish, systemClock.nowMs())) });
  t.after(() => agent.destroy());
  const target = { host: "127.0.0.1", port: server.port, agent };
  const answerTo = (sent: ClientRequest): Promise<Pick<Answer, "status" | "headers" | "text">> =>
    new Promise((resolve, reject) => {
      sent.on("response", (response) => {
        let text = "";
        response.on("data", (chunk) => (text += String(chunk)));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      sent.on("error", reject);
    });
  const get = async (path: string) => await answerTo(request({ ...target, path }).end());
  /** Asks for a change whose body comes only when the test says, so that it holds its seat until then. */
  const hold = (path: string) => {
    const headers = { "content-type": "application/json", "transfer-encoding": "chunked" };
    const sent = request({ ...target, path, method: "POST", headers });
    sent.write("{");
    const answer = answerTo(sent);
    return { answer, finish: () => sent.end("}") };
  };
  return { get, hold };
}

const kind = (name: string) => ({ apiVersion: "flowcontrol.apiserver.k8s.io/v1", kind: name });

function schemaFor(user: string, level: string): object {
  const everything = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] };
  const subjects = [{ kind: "User", user: { name: user } }];
  const paths = [{ verbs: ["*"], nonResourceURLs: ["*"] }];
  const rules = [{ subjects, resourceRules: [everything], nonResourceRules: paths }];
  const spec = { priorityLevelConfiguration: { name: level }, matchingPrecedence: 50, rules };
  return { ...kind("FlowSchema"), metadata: { name: `for-${user}` }, spec };
}

type Make = (plural: string, body: object) => Promise<string | undefined>;

/** A level of one seat, and Mallory in it. */
async function makeTiny(make: Make): Promise<void> {
  const limited = { nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse: { type: "Reject" } };
  await make("prioritylevelconfigurations", {
    ...kind("PriorityLevelConfiguration"),
    metadata: { name: "tiny" },
    spec: { type: "Limited", limited },
  });
  await make("flowschemas", schemaFor("mallory", "tiny"));
}

async function bindAdmin(harness: Harness, names: readonly string[]): Promise<void> {
  const bound = await harness.send("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
    body: {
      metadata: { name: "mallory" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: names.map((name) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "User", name })),
    },
  });
  assert.equal(bound.status, 201);
}

test("answers name the schema and the level that let them in, and new ones count at once", async (t) => {
  const { harness, make } = await setUp(t);
  const ask = await clientAs(t, harness, "alice");
  const before = await ask.get("/api");
  const schemas = await harness.send("GET", `${root}/flowschemas/global-default`);
  const { uid } = (schemas.json?.["metadata"] ?? {}) as { uid?: string };
  assert.equal(before.headers["x-kubernetes-pf-flowschema-uid"], uid);
  const limited = { nominalConcurrencyShares: 10, limitResponse: { type: "Reject" } };
  const level = {
    ...kind("PriorityLevelConfiguration"),
    metadata: { name: "own" },
    spec: { type: "Limited", limited },
  };
  const levelUid = await make("prioritylevelconfigurations", level);
  const schemaUid = await make("flowschemas", schemaFor("alice", "own"));
  const after = await ask.get("/api");
  assert.equal(after.headers["x-kubernetes-pf-flowschema-uid"], schemaUid);
  assert.equal(after.headers["x-kubernetes-pf-prioritylevel-uid"], levelUid);
});

test("a schema says whether its level is there, and goes on saying so", async (t) => {
  const { harness, make } = await setUp(t);
  const told = async (name: string) => {
    const { json } = await harness.send("GET", `${root}/flowschemas/${name}`);
    const { conditions = [] } = (json?.["status"] ?? {}) as { conditions?: { status: string; reason: string }[] };
    return conditions.map(({ status, reason }) => `${status} ${reason}`).join();
  };
  assert.equal(await told("global-default"), "False Found");
  await make("flowschemas", schemaFor("alice", "later"));
  await eventually("its level is missed", async () => (await told("for-alice")) === "True NotFound");
  const limited = { nominalConcurrencyShares: 10, limitResponse: { type: "Reject" } };
  await make("prioritylevelconfigurations", {
    ...kind("PriorityLevelConfiguration"),
    metadata: { name: "later" },
    spec: { type: "Limited", limited },
  });
  await eventually("its level is found", async () => (await told("for-alice")) === "False Found");
});

test("an answer that its client does not take holds no seat", async (t) => {
  const { harness, make } = await setUp(t);
  await makeTiny(make);
  await bindAdmin(harness, ["mallory"]);
  const secrets = "/api/v1/namespaces/default/secrets";
  for (let i = 0; i < 16; i++) {
    const body = { metadata: { name: `s${i}` }, stringData: { k: "x".repeat(500_000) } };
    assert.equal((await harness.send("POST", secrets, { body })).status, 201);
  }
  const wish = { commonName: "mallory", usage: "client" as const, days: 1 };
  const identity = await issue(harness.pki.ca, wish, systemClock.nowMs());
  const { port } = harness.server;
  const open: Socket[] = [];
  /** Asks for all of it and takes the beginning. @returns the status */
  const nibble = (): Promise<number> =>
    new Promise((resolve) => {
      const socket = connect({ host: "127.0.0.1", port, ca: harness.pki.ca.cert, ...identity }, () =>
        socket.write(`GET ${secrets} HTTP/1.1\r\nhost: x\r\n\r\n`),
      );
      open.push(socket);
      socket.once("data", (beginning: Buffer) => {
        socket.pause();
        resolve(Number(beginning.toString("latin1", 9, 12)));
      });
    });
  for (let i = 0; i < 3; i++) await eventually("it begins", async () => (await nibble()) === 200);
  const mallory = await clientAs(t, harness, "mallory");
  await eventually("there is a seat", async () => (await mallory.get("/api/v1/namespaces/default")).status === 200);
  for (const socket of open) socket.destroy();
});

test("a user over their level's seats is told to try again later, and nobody else is", async (t) => {
  const { harness, make } = await setUp(t);
  await makeTiny(make);
  await bindAdmin(harness, ["mallory", "alice"]);
  const mallory = await clientAs(t, harness, "mallory");
  const alice = await clientAs(t, harness, "alice");
  const path = "/api/v1/namespaces/default/configmaps";
  // A body that does not come holds none.
  const slow = mallory.hold(path);
  await systemClock.sleep(50);
  assert.equal((await mallory.get(path)).status, 200);
  slow.finish();
  assert.equal((await slow.answer).status, 422, "it had no name, but it was read");
  // A watch gives its seat back once it has begun.
  const watching = mallory.get(`${path}?watch=true&timeoutSeconds=2`);
  await eventually("the seat is free", async () => (await mallory.get(path)).status === 200);
  const held = mallory.get(`${path}?resourceVersion=999999999`);
  await eventually("the seat is taken", async () => (await mallory.get(path)).status === 429);
  const refused = await mallory.get(path);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers["retry-after"], "1");
  assert.equal((JSON.parse(refused.text) as { reason?: string }).reason, "TooManyRequests");
  assert.ok(refused.headers["x-kubernetes-pf-flowschema-uid"] !== undefined);
  assert.equal((await alice.get(path)).status, 200);
  assert.equal((await held).status, 504, "what it waited for did not come");
  assert.equal((await mallory.get(path)).status, 200);
  assert.equal((await watching).status, 200);
  const { text } = await harness.send("GET", "/metrics");
  assert.match(text, /apiserver_flowcontrol_rejected_requests_total\{.*flow_schema="for-mallory".*\} \d+/);
  assert.match(text, /apiserver_flowcontrol_dispatched_requests_total\{.*flow_schema="global-default".*\} \d+/);
  assert.match(text, /apiserver_flowcontrol_current_executing_seats\{priority_level="tiny"\} 0/);
});
