import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { after, beforeEach, test } from "node:test";
import { systemClock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { issue } from "@atoll/server/pki/authority";
import { type Answer, startHarness } from "@atoll/harness/server";

interface Review {
  readonly apiVersion: string;
  readonly request: {
    readonly uid: string;
    readonly object: ApiObject | null;
    readonly oldObject: ApiObject | null;
    readonly [field: string]: unknown;
  };
}

/** What a path of the webhook server answers: a response, or something else altogether. */
type Behaviour = (review: Review, response: ServerResponse) => Record<string, unknown> | undefined;

const behaviours = new Map<string, Behaviour>();
const asked: { path: string; query: string; review: Review }[] = [];

const harness = await startHarness();
const pair = await issue(
  harness.pki.ca,
  { commonName: "hook", usage: "server", names: ["127.0.0.1", "hook.default.svc"], days: 1 },
  systemClock.nowMs(),
);
const webhooks = createServer(pair, (request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const { pathname, search } = new URL(request.url ?? "/", "https://hook");
    const review = JSON.parse(Buffer.concat(parts).toString()) as Review;
    asked.push({ path: pathname, query: search, review });
    const answer = behaviours.get(pathname.slice(1))?.(review, response);
    if (answer === undefined) return;
    response.end(
      JSON.stringify({
        kind: "AdmissionReview",
        apiVersion: review.apiVersion,
        response: { uid: review.request.uid, ...answer },
      }),
    );
  });
});
await new Promise<void>((resolve) => webhooks.listen(0, "127.0.0.1", resolve));

after(async () => {
  webhooks.closeAllConnections();
  webhooks.close();
  await harness.close();
});
beforeEach(() => asked.splice(0, asked.length));

const registration = "/apis/admissionregistration.k8s.io/v1";
const rule = { apiGroups: [""], apiVersions: ["v1"], operations: ["*"], resources: ["configmaps"] };
const port = () => (webhooks.address() as AddressInfo).port;

/** Registers a webhook that tells tests apart by label. */
async function register(kind: "Validating" | "Mutating", name: string, spec: object, label = name): Promise<void> {
  const webhook = {
    name: `${name}.example.org`,
    clientConfig: {
      url: `https://127.0.0.1:${port()}/${name}`,
      caBundle: Buffer.from(harness.pki.ca.cert).toString("base64"),
    },
    rules: [rule],
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    objectSelector: { matchLabels: { test: label } },
    ...spec,
  };
  const body = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: `${kind}WebhookConfiguration`,
    metadata: { name },
    webhooks: [webhook],
  };
  made(await harness.send("POST", `${registration}/${kind.toLowerCase()}webhookconfigurations`, { body }));
}

function made(answer: Answer): void {
  assert.equal(answer.status, 201, answer.text);
}

const path = "/api/v1/namespaces/default/configmaps";
function configMap(label: string, name = label, data: object = {}): object {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels: { test: label } }, data };
}
const create = (label: string, name = label, query = "") =>
  harness.send("POST", path + query, { body: configMap(label, name) });

function patchOf(operations: unknown): Record<string, unknown> {
  const patch = Buffer.from(JSON.stringify(operations)).toString("base64");
  return { allowed: true, patchType: "JSONPatch", patch };
}

/** A Status's message. */
const message = (answer: Answer): string => String(answer.json?.["message"]);

test("a validating webhook is shown the request and its refusal is passed on as it is", async () => {
  behaviours.set("refuse", () => ({
    allowed: false,
    warnings: ["think again"],
    status: { message: "not today", reason: "Whim", code: 418 },
  }));
  await register("Validating", "refuse", {});
  const answer = await create("refuse", "refuse", "?fieldManager=me");
  assert.equal(answer.status, 418, answer.text);
  assert.equal(answer.json?.["reason"], "Whim");
  assert.equal(message(answer), 'admission webhook "refuse.example.org" denied the request: not today');
  assert.equal(answer.headers["warning"], '299 - "think again"');
  const [{ query, review } = { query: "", review: undefined }] = asked;
  assert.equal(query, "?timeout=10s");
  const { uid: _, object, ...request } = review?.request ?? { uid: "", object: null };
  assert.equal(object?.metadata.name, "refuse");
  const kind = { group: "", version: "v1", kind: "ConfigMap" };
  const resource = { group: "", version: "v1", resource: "configmaps" };
  assert.deepEqual(request, {
    kind,
    resource,
    requestKind: kind,
    requestResource: resource,
    name: "refuse",
    namespace: "default",
    operation: "CREATE",
    userInfo: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
    oldObject: null,
    dryRun: false,
    options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1", fieldManager: "me", fieldValidation: "Warn" },
  });
});

test("mutating webhooks come one after another, by name, and each sees what the last one did", async () => {
  for (const letter of ["b", "a"]) {
    behaviours.set(`order-${letter}`, ({ request }) =>
      patchOf([
        { op: "add", path: `/data/${letter}`, value: String(Object.keys(request.object?.["data"] ?? {}).length) },
      ]),
    );
    await register("Mutating", `order-${letter}`, {}, "order");
  }
  const answer = await harness.send("POST", path, { body: configMap("order", "order", { x: "" }) });
  made(answer);
  assert.deepEqual(answer.json?.["data"], { x: "", a: "1", b: "2" });
});

test("a webhook that may run again does when a later one changed the object, and only then", async () => {
  const note =
    (key: string): Behaviour =>
    ({ request }) =>
      patchOf([
        { op: "add", path: `/data/${key}`, value: String(Object.hasOwn(request.object?.["data"] ?? {}, "late")) },
      ]);
  behaviours.set("again-a", note("again"));
  behaviours.set("again-b", note("once"));
  behaviours.set("again-c", () => patchOf([{ op: "add", path: "/data/late", value: "yes" }]));
  await register("Mutating", "again-a", { reinvocationPolicy: "IfNeeded" }, "again");
  await register("Mutating", "again-b", {}, "again");
  await register("Mutating", "again-c", {}, "again");
  const answer = await harness.send("POST", path, { body: configMap("again", "again", { x: "" }) });
  assert.deepEqual(answer.json?.["data"], { x: "", again: "true", once: "false", late: "yes" });
  assert.deepEqual(
    asked.map((each) => each.path),
    ["/again-a", "/again-b", "/again-c", "/again-a"],
  );
});

test("a webhook that hangs fails the request when its time is over, and fails closed by default", async () => {
  behaviours.set("hang", () => undefined);
  await register("Validating", "hang", { timeoutSeconds: 1 });
  const answer = await create("hang");
  assert.equal(answer.status, 500);
  const url = `https://127.0.0.1:${port()}/hang?timeout=1s`;
  assert.equal(
    message(answer),
    `Internal error occurred: failed calling webhook "hang.example.org": failed to call webhook: Post "${url}": context deadline exceeded`,
  );
});

test("an answer of 10 MB, a redirect, a malformed answer and a malformed patch fail closed", async () => {
  const bad: Record<string, Behaviour> = {
    huge: (_, response) => void response.end(" ".repeat(10_000_000)),
    redirect: (_, response) => void response.writeHead(302, { location: `https://127.0.0.1:${port()}/allow` }).end(),
    nonsense: (_, response) => void response.end("no JSON"),
    anonymous: () => ({ uid: "another", allowed: true }),
    "bad-patch": () => patchOf({ op: "add" }),
    "unfit-patch": () => patchOf([{ op: "remove", path: "/data/none" }]),
    "typeless-patch": () => ({ allowed: true, patch: "W10=" }),
  };
  behaviours.set("allow", () => ({ allowed: true }));
  const told: Record<string, string> = {};
  for (const [name, behaviour] of Object.entries(bad)) {
    behaviours.set(name, behaviour);
    await register("Mutating", name, {});
    const answer = await create(name);
    assert.equal(answer.status, 500, `${name}: ${answer.text}`);
    told[name] = message(answer);
  }
  assert.match(told["huge"] ?? "", /the answer is larger than \d+ bytes$/);
  assert.match(told["redirect"] ?? "", /the webhook answered with 302: $/);
  assert.match(
    told["anonymous"] ?? "",
    /received invalid webhook response: expected response\.uid="[-0-9a-f]+", got "another"$/,
  );
  assert.match(told["bad-patch"] ?? "", /received undecodable patch in webhook response: it is not a list$/);
  assert.match(told["typeless-patch"] ?? "", /webhook returned response.patch but not response.patchType$/);
  assert.equal(
    asked.some((each) => each.path === "/allow"),
    false,
  );
});

test("with the failure policy Ignore a webhook that cannot be reached is passed over", async () => {
  const clientConfig = { url: "https://127.0.0.1:1/", caBundle: "" };
  await register("Validating", "closed", { clientConfig });
  assert.match(message(await create("closed")), /failed calling webhook "closed.example.org".*ECONNREFUSED/);
  await register("Validating", "open", { clientConfig, failurePolicy: "Ignore" });
  made(await create("open"));
});

test("match conditions, namespace selectors and dry runs decide whether a webhook is asked", async () => {
  behaviours.set("conditions", () => ({ allowed: false }));
  await register("Validating", "conditions", {
    matchConditions: [{ name: "named", expression: "request.name.startsWith('match')" }],
  });
  made(await create("conditions", "other"));
  assert.equal(
    message(await create("conditions", "match-1")),
    'admission webhook "conditions.example.org" denied the request without explanation',
  );
  await register("Validating", "selected", { namespaceSelector: { matchLabels: { guarded: "yes" } } });
  made(await create("selected"));
  behaviours.set("dry", () => ({ allowed: true }));
  await register("Mutating", "dry", { sideEffects: "NoneOnDryRun" });
  made(await create("dry", "dry", "?dryRun=All"));
  assert.equal(asked.at(-1)?.review.request["dryRun"], true);
});

test("v1beta1 is spoken to a webhook that knows nothing better, and the object is in the version of its rule", async () => {
  behaviours.set("old", ({ request, apiVersion }) => {
    assert.equal(apiVersion, "admission.k8s.io/v1beta1");
    assert.equal(request.object?.apiVersion, "autoscaling/v1");
    const patch = [{ op: "replace", path: "/spec/targetCPUUtilizationPercentage", value: 42 }];
    return { uid: "", allowed: true, patch: Buffer.from(JSON.stringify(patch)).toString("base64") };
  });
  await register("Mutating", "old", {
    admissionReviewVersions: ["v1beta1"],
    rules: [
      {
        apiGroups: ["autoscaling"],
        apiVersions: ["v1"],
        operations: ["CREATE"],
        resources: ["horizontalpodautoscalers"],
      },
    ],
  });
  const target = { type: "Utilization", averageUtilization: 70 };
  const body = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "old", labels: { test: "old" } },
    spec: {
      maxReplicas: 5,
      scaleTargetRef: { kind: "Deployment", name: "d", apiVersion: "apps/v1" },
      metrics: [{ type: "Resource", resource: { name: "cpu", target } }],
    },
  };
  const answer = await harness.send("POST", "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", {
    body,
  });
  made(answer);
  assert.match(answer.text, /"averageUtilization":42/);
});

test("a Service is reached at a ready endpoint, by its own name in the certificate", async () => {
  const services = "/api/v1/namespaces/default/services";
  const spec = { ports: [{ name: "https", port: 443, targetPort: 8443 }] };
  made(
    await harness.send("POST", services, {
      body: { apiVersion: "v1", kind: "Service", metadata: { name: "hook" }, spec },
    }),
  );
  behaviours.set("service", () => ({ allowed: false, status: { message: "reached" } }));
  const caBundle = Buffer.from(harness.pki.ca.cert).toString("base64");
  const service = { namespace: "default", name: "hook", path: "/service" };
  await register("Validating", "service", { clientConfig: { service, caBundle } });
  assert.match(message(await create("service")), /no endpoints available for service "hook"$/);
  const slice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "hook-1", labels: { "kubernetes.io/service-name": "hook" } },
    addressType: "IPv4",
    ports: [{ name: "https", port: port() }],
    endpoints: [
      { addresses: ["192.0.2.1"], conditions: { ready: false } },
      { addresses: ["10.0.0.1"], conditions: { ready: true } },
    ],
  };
  // Loopback addresses are refused in slices, so the address is put right behind the API's back.
  made(await harness.send("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", { body: slice }));
  const slices = harness.server.catalogue.resource("discovery.k8s.io", "endpointslices");
  await slices?.update({ namespace: "default", name: "hook-1" }, ({ object }) => {
    const [first] = object["endpoints"] as object[];
    return { object: { ...object, endpoints: [first, { addresses: ["127.0.0.1"], conditions: { ready: true } }] } };
  });
  assert.match(message(await create("service")), /denied the request: reached$/);
});

test("a webhook cannot move an object elsewhere, nor set what the system sets", async () => {
  behaviours.set("moving", () => patchOf([{ op: "replace", path: "/metadata/namespace", value: "kube-system" }]));
  await register("Mutating", "moving", {});
  const moved = await create("moving");
  assert.equal(moved.status, 400, moved.text);
  assert.match(message(moved), /^the namespace of the provided object does not match/);
  behaviours.set("forging", ({ request }) =>
    request["operation"] === "DELETE"
      ? { allowed: true }
      : patchOf([
          { op: "add", path: "/metadata/creationTimestamp", value: "2001-01-01T00:00:00Z" },
          { op: "add", path: "/metadata/generation", value: request["operation"] === "CREATE" ? 1 : 7 },
        ]),
  );
  await register("Mutating", "forging", {});
  const made = await create("forging");
  const { creationTimestamp } = (made.json as unknown as ApiObject).metadata;
  assert.notEqual(creationTimestamp, "2001-01-01T00:00:00Z");
  const updated = await harness.send("PUT", `${path}/forging`, { body: configMap("forging", "forging", { a: "b" }) });
  assert.equal(updated.status, 200, updated.text);
  const { metadata } = updated.json as unknown as ApiObject;
  assert.deepEqual([metadata.creationTimestamp, metadata.generation], [creationTimestamp, 1]);
});
