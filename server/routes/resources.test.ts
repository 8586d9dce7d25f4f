import assert from "node:assert/strict";
import test, { after } from "node:test";
import { startHarness } from "@atoll/harness/server";

const harness = await startHarness();
after(() => harness.close());

const apps = "/apis/apps/v1/namespaces/default";

test("paths below a built-in group where nothing is served get a Status, others plain text", async () => {
  for (const path of ["/api/v9", "/api/v1/absent", "/api/v1//configmaps", "/apis/apps/v9", "/apis/apps/v1/absent"]) {
    const { status, json } = await harness.send("GET", path);
    assert.deepEqual([path, status, (json as { reason?: string }).reason], [path, 404, "NotFound"]);
  }
  for (const path of ["/absent", "/apis/absent.example.com", "/apis/absent.example.com/v1/things"]) {
    const { status, text } = await harness.send("GET", path);
    assert.deepEqual([path, status, text], [path, 404, "404 page not found\n"]);
  }
  const document = await harness.send("GET", "/openapi/v3/absent");
  assert.deepEqual([document.status, document.text], [404, ""]);
});

test("a document of discovery is read, and nothing else", async () => {
  for (const path of ["/apis/apps/v1", "/version", "/openapi/v2"]) {
    const { status, json } = await harness.send("POST", path, { body: {} });
    assert.deepEqual([status, (json as { reason?: string }).reason], [405, "MethodNotAllowed"]);
  }
});

test("an answer in a form that there is not is refused with a Status", async () => {
  const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const body = { spec: { resourceAttributes: { verb: "get", resource: "pods" } } };
  const refused = await harness.send("POST", path, { body, headers: { accept: table } });
  assert.deepEqual([refused.status, (refused.json as { reason?: string }).reason], [406, "NotAcceptable"]);
  const taken = await harness.send("POST", path, { body, headers: { accept: `${table},application/json` } });
  assert.deepEqual([taken.status, (taken.json as { kind?: string }).kind], [201, "SelfSubjectAccessReview"]);
  for (const accept of ["application/cbor", "text/html"]) {
    const { status, json } = await harness.send("GET", "/api/v1/namespaces/default", { headers: { accept } });
    assert.deepEqual([status, (json as { reason?: string }).reason], [406, "NotAcceptable"]);
  }
});

test("unknown and repeated fields are told in the order of the body", async () => {
  const body =
    '{"metadata":{"name":"d","odd":1},"spec":{"unknownField":"a","replicas":1,"replicas":2,"template":{"x":1}}}';
  const { status, json } = await harness.send("POST", `${apps}/deployments?fieldValidation=Strict`, { body });
  const told =
    'strict decoding error: unknown field "metadata.odd", unknown field "spec.unknownField", duplicate field "spec.replicas", unknown field "spec.template.x"';
  assert.deepEqual([status, (json as { message?: string }).message], [400, told]);
});

test("what is wrong with an event is told in the group that was asked", async () => {
  for (const [root, group, told] of [
    ["/api/v1", undefined, 'events "absent" not found'],
    ["/apis/events.k8s.io/v1", "events.k8s.io", 'events.events.k8s.io "absent" not found'],
  ] as const) {
    const { json } = await harness.send("GET", `${root}/namespaces/default/events/absent`);
    const { message, details } = json as { message: string; details: { group?: string } };
    assert.deepEqual([message, details.group], [told, group]);
  }
});

test("a cluster-scoped object has no namespace, whatever it says", async () => {
  const body = { metadata: { name: "nowhere", namespace: "default" }, value: 7 };
  const { status, json } = await harness.send("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", { body });
  assert.deepEqual([status, (json as { metadata: { namespace?: string } }).metadata.namespace], [201, undefined]);
});

test("an autoscaler's policies may be left out, but not be none", async () => {
  const autoscaler = (scaleDown: object) => ({
    metadata: { name: "a" },
    spec: {
      maxReplicas: 2,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
      behavior: { scaleDown },
    },
  });
  const path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers?dryRun=All";
  const none = await harness.send("POST", path, { body: autoscaler({ policies: [] }) });
  assert.equal(none.status, 422);
  assert.match(none.text, /spec\.behavior\.scaleDown\.policies/);
  assert.equal((await harness.send("POST", path, { body: autoscaler({}) })).status, 201);
});

test("an object that is going takes no new finalizers, and is told so as upstream does: twice", async () => {
  const path = "/api/v1/namespaces/default/configmaps";
  await harness.send("POST", path, { body: { metadata: { name: "going", finalizers: ["example.com/hold"] } } });
  await harness.send("DELETE", `${path}/going`);
  const { status, json } = await harness.send("PATCH", `${path}/going`, {
    body: { metadata: { finalizers: ["example.com/hold", "example.com/more"] } },
    headers: { "content-type": "application/merge-patch+json" },
  });
  const { details } = json as { details: { causes: { field: string }[] } };
  assert.equal(status, 422);
  assert.deepEqual(
    details.causes.map(({ field }) => field),
    ["metadata.finalizers", "metadata.finalizers"],
  );
});
