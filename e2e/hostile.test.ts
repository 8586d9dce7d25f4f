/**
 * Bad input to the API server: a Status that says what is wrong, nothing stored, and the next client served.
 * The cases are those of the project's catalogue; generators try variations by the thousand.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { eventually } from "@atoll/harness/client";
import { type Answer, type Harness, startHarness } from "@atoll/harness/server";

const path = "/api/v1/namespaces/default/configmaps";
const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
let harness: Harness;

before(async () => {
  harness = await startHarness({ onError: (fields, text) => failures.push(`${text} ${JSON.stringify(fields)}`) });
});

after(async () => {
  await harness.close();
  assert.deepEqual(failures, []);
});

/** What the server itself calls a failure: a bug, whatever the input was. */
const failures: string[] = [];

const post = (body: unknown, contentType = "application/json", headers = {}): Promise<Answer> =>
  harness.send("POST", path, { body, contentType, headers });

const configMap = (name: string, more: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  ...more,
});

async function refused(answer: Answer, code: number): Promise<void> {
  assert.equal(answer.status, code, answer.text.slice(0, 300));
  assert.equal(answer.json?.["kind"], "Status");
  assert.equal((await harness.send("GET", "/livez")).status, 200);
}

test("a body over 3 MiB is refused before it is read", async () => {
  await refused(await post(configMap("big", { data: { k: "x".repeat(3 * 1024 * 1024) } })), 413);
});

test("a gzip bomb is refused at the same limit", async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  await refused(await post(bomb, "application/json", { "content-encoding": "gzip" }), 413);
});

test("JSON and YAML nested too deeply are refused", async () => {
  await refused(
    await post(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"deep"},"data":${nested(10_000)}}`),
    400,
  );
  await refused(await post(`a: ${nested(10_000)}`, "application/yaml"), 400);
});

test("YAML that multiplies itself is refused", async () => {
  const laughs = Array.from(
    { length: 12 },
    (_, i) =>
      `l${i}: &l${i} [${
        i === 0
          ? "lol"
          : Array(10)
              .fill(`*l${i - 1}`)
              .join(",")
      }]`,
  );
  await refused(await post(laughs.join("\n"), "application/yaml"), 400);
});

test("numbers beyond a double are kept exactly or refused", async () => {
  const pod = (grace: string) =>
    `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"n"},"spec":{"terminationGracePeriodSeconds":${grace},"containers":[{"name":"c","image":"i"}]}}`;
  await refused(await harness.send("POST", "/api/v1/namespaces/default/pods", { body: pod("1e400") }), 400);
  await refused(
    await harness.send("POST", "/api/v1/namespaces/default/pods", { body: pod("99999999999999999999") }),
    400,
  );
});

test("whole numbers beyond 2^53 and negative zero come back as they were sent", async () => {
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "numbers.hostile.example.com" },
    spec: {
      group: "hostile.example.com",
      scope: "Namespaced",
      names: { plural: "numbers", singular: "number", kind: "Number", listKind: "NumberList" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: anything } }],
    },
  };
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  assert.equal((await harness.send("POST", definitions, { body: definition })).status, 201);
  const numbers = "/apis/hostile.example.com/v1/namespaces/default/numbers";
  await eventually("it is served", async () => (await harness.send("GET", numbers)).status === 200);
  const head = `"apiVersion":"hostile.example.com/v1","kind":"Number","metadata":{"name":"n"}`;
  const body = `{${head},"spec":{"big":9007199254740993,"most":9223372036854775807,"least":-9223372036854775808,"none":-0}}`;
  assert.equal((await harness.send("POST", numbers, { body })).status, 201);
  const { text } = await harness.send("GET", `${numbers}/n`);
  for (const exact of ['"big":9007199254740993', '"most":9223372036854775807', '"least":-9223372036854775808'])
    assert.ok(text.includes(exact), text);
  assert.match(text, /"none":-?0[,}]/);
  await refused(await harness.send("POST", numbers, { body: body.replace("9223372036854775807", "1e400") }), 400);
});

test("definitions that are too large, refer to themselves or have a thousand versions are refused", async () => {
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const definition = (schema: object, versions = 1, more: object = {}) => ({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "evils.hostile.example.com", ...more },
    spec: {
      group: "hostile.example.com",
      scope: "Namespaced",
      names: { plural: "evils", singular: "evil", kind: "Evil", listKind: "EvilList" },
      versions: Array.from({ length: versions }, (_, i) => ({
        name: `v${i + 1}`,
        served: true,
        storage: i === 0,
        schema: { openAPIV3Schema: schema },
      })),
    },
  });
  const big = { ...anything, description: "x".repeat(5 * 1024 * 1024) };
  await refused(await harness.send("POST", definitions, { body: definition(big) }), 413);
  const self = { type: "object", properties: { spec: { $ref: "#/properties/spec" } } };
  await refused(await harness.send("POST", definitions, { body: definition(self) }), 422);
  const began = performance.now();
  const many = await harness.send("POST", definitions, { body: definition(anything, 1_000) });
  assert.ok(many.status === 413 || many.status === 422 || many.status === 201, `${many.status}`);
  assert.ok(performance.now() - began < 20_000);
  assert.equal((await harness.send("GET", "/livez")).status, 200);
});

test("a schema's pattern that makes others' engines explode takes no time", async () => {
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const text = { type: "string", pattern: "^(a+)+$" };
  const schema = { type: "object", properties: { spec: { type: "object", properties: { text } } } };
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "texts.hostile.example.com" },
    spec: {
      group: "hostile.example.com",
      scope: "Namespaced",
      names: { plural: "texts", singular: "text", kind: "Text", listKind: "TextList" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
  assert.equal((await harness.send("POST", definitions, { body: definition })).status, 201);
  const texts = "/apis/hostile.example.com/v1/namespaces/default/texts";
  await eventually("it is served", async () => (await harness.send("GET", texts)).status === 200);
  const body = {
    apiVersion: "hostile.example.com/v1",
    kind: "Text",
    metadata: { name: "t" },
    spec: { text: `${"a".repeat(50_000)}!` },
  };
  // A backtracking engine would be at it until the sun is cold.
  await refused(await harness.send("POST", texts, { body }), 422);
});

test("copies that multiply, and paths through __proto__, are only patches", async () => {
  await post(configMap("grown", { data: { k: "v".repeat(100_000) } }));
  const copies = Array.from({ length: 200 }, (_, i) => ({ op: "copy", from: "/data/k", path: `/data/k${i}` }));
  const json = "application/json-patch+json";
  await refused(await harness.send("PATCH", `${path}/grown`, { body: copies, contentType: json }), 413);
  const proto = [{ op: "add", path: "/data/__proto__", value: "p" }];
  const { status, text } = await harness.send("PATCH", `${path}/grown`, { body: proto, contentType: json });
  assert.equal(status, 200, text.slice(0, 200));
  assert.match(text, /"__proto__":"p"/);
  const deep = [{ op: "add", path: "/metadata/labels/__proto__/polluted", value: "p" }];
  await refused(await harness.send("PATCH", `${path}/grown`, { body: deep, contentType: json }), 422);
  const merged = `{"metadata":{"__proto__":{"polluted":"p"},"constructor":{"prototype":{"polluted":"p"}}}}`;
  await harness.send("PATCH", `${path}/grown`, { body: merged, contentType: "application/merge-patch+json" });
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

test("an apply of 50,000 fields is done or refused, and others are served meanwhile", async () => {
  const data = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, ""]));
  const body = JSON.stringify(configMap("wide", { data }));
  const contentType = "application/apply-patch+yaml";
  for (const manager of ["a", "b"]) {
    const { status } = await harness.send("PATCH", `${path}/wide?fieldManager=${manager}&force=true`, {
      body,
      contentType,
    });
    assert.ok([200, 201, 413, 422].includes(status), `${status}`);
  }
  assert.equal((await harness.send("GET", "/livez")).status, 200);
});

test("__proto__ and constructor are keys like any other", async () => {
  const body = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"proto"},"data":{"constructor":"c","__proto__":"p"}}`;
  const { status, text } = await post(body);
  assert.equal(status, 201, text);
  assert.match(text, /"__proto__":"p"/);
  assert.equal(({} as Record<string, unknown>)["p"], undefined);
});

test("a JSON Patch of 10,001 operations is refused", async () => {
  await post(configMap("patched", { data: { k: "v" } }));
  const body = Array.from({ length: 10_001 }, () => ({ op: "test", path: "/data/k", value: "v" }));
  await refused(
    await harness.send("PATCH", `${path}/patched`, { body, contentType: "application/json-patch+json" }),
    413,
  );
});

for (const name of ["..", "a/b", "%2e%2e", "a".repeat(254), "UPPER", "a b", "\u0000"]) {
  test(`the name ${JSON.stringify(name.slice(0, 20))} is refused with its field`, async () => {
    const answer = await post(configMap(name));
    await refused(answer, 422);
    assert.match(answer.text, /"field":"metadata\.name"/);
  });
}

test("a path never leaves its place", async () => {
  for (const hidden of ["%2e%2e", "..%2f..%2fsecrets", "a%2fb", "%00", "%zz"]) {
    const { status } = await harness.send("GET", `${path}/${hidden}`);
    assert.ok(status === 400 || status === 404, `${hidden}: ${status}`);
  }
});

test("amounts that no machine can have are refused with their field, or wait for a host that has them", async () => {
  const pod = (memory: string) => {
    const container = { name: "c", image: "i", resources: { requests: { memory } } };
    const metadata = { name: `of-${memory.toLowerCase().replaceAll(/[^a-z0-9]/g, "x")}` };
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: { automountServiceAccountToken: false, containers: [container] },
    };
  };
  const pods = "/api/v1/namespaces/default/pods";
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  await harness.send("POST", "/api/v1/namespaces/default/serviceaccounts", { body: account });
  for (const memory of ["-1Gi", "-1e30", "1ee3", "NaN", "1 Gi", "0x10"]) {
    const answer = await harness.send("POST", pods, { body: pod(memory) });
    assert.ok(answer.status === 422 || answer.status === 400, `${memory}: ${answer.status} ${answer.text}`);
    assert.match(answer.text, /memory|quantit/i, memory);
  }
  const { status, text } = await harness.send("POST", pods, { body: pod("1e30") });
  assert.equal(status, 201, text);
  assert.match(text, /"memory":"1e30"/);
});

test("resource versions that are none are refused, those to come time out", async () => {
  for (const version of ["-1", "abc", "9223372036854775808", "1.5"]) {
    await refused(await harness.send("GET", `${path}?resourceVersion=${version}`), 400);
  }
  await refused(await harness.send("GET", `${path}?resourceVersion=99999999`), 504);
});

test("a selector of 10,000 terms is refused with the request line that carries it", async () => {
  const selector = Array.from({ length: 10_000 }, (_, i) => `k${i}=v`).join(",");
  assert.equal(
    await statusWithoutCertificate(`GET ${path}?labelSelector=${selector} HTTP/1.1\r\nhost: x\r\n\r\n`),
    431,
  );
});

test("identity headers of a proxy count for nothing without its certificate", async () => {
  const headers = { "x-remote-user": "eve", "x-remote-group": "system:masters" };
  assert.equal(await statusWithoutCertificate(`GET ${path} HTTP/1.1\r\nhost: x\r\n${format(headers)}\r\n`), 401);
});

test("headers over 16 KiB, or two lengths, are refused and the connection closed", async () => {
  assert.equal(await statusWithoutCertificate(`GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(17 * 1024)}\r\n\r\n`), 431);
  const two = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab`;
  assert.equal(await statusWithoutCertificate(two), 400);
  const mixed = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`;
  assert.equal(await statusWithoutCertificate(mixed), 400);
});

test("what a client may not set is replaced", async () => {
  const metadata = { name: "own", uid: "mine", creationTimestamp: "2001-01-01T00:00:00Z", resourceVersion: "" };
  const { json } = await post({ apiVersion: "v1", kind: "ConfigMap", metadata });
  const stored = json?.["metadata"] as { uid: string; creationTimestamp: string };
  assert.notEqual(stored.uid, "mine");
  assert.notEqual(stored.creationTimestamp, "2001-01-01T00:00:00Z");
});

test("whatever JSON is sent, the answer is a Status or the object, never a failure of the server", async () => {
  const kinds = fc.constantFrom("configmaps", "pods", "services", "secrets", "serviceaccounts");
  await fc.assert(
    fc.asyncProperty(
      kinds,
      fc.jsonValue({ maxDepth: 6 }),
      fc.jsonValue({ maxDepth: 4 }),
      async (plural, spec, metadata) => {
        const body = { metadata, spec, data: spec, name: metadata };
        const { status, json } = await harness.send("POST", `/api/v1/namespaces/default/${plural}?dryRun=All`, {
          body,
        });
        assert.ok(status < 500, `${status} for ${JSON.stringify(body)}`);
        assert.equal(typeof json?.["kind"], "string");
      },
    ),
    { numRuns: process.env["ATOLL_NIGHTLY"] === "1" ? 100_000 : 1_500 },
  );
});

test("whatever patch is sent, the object is the old one or a valid one", async () => {
  await post(configMap("target", { data: { k: "v" } }));
  const types = fc.constantFrom(
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
  );
  await fc.assert(
    fc.asyncProperty(types, fc.jsonValue({ maxDepth: 5 }), async (contentType, value) => {
      const body = JSON.stringify(value);
      const query = contentType.includes("apply") ? "?fieldManager=fuzz&force=true&dryRun=All" : "?dryRun=All";
      const { status, text } = await harness.send("PATCH", `${path}/target${query}`, { body, contentType });
      assert.ok(status < 500, `${status} for ${contentType} ${body}: ${text.slice(0, 200)}`);
    }),
    { numRuns: process.env["ATOLL_NIGHTLY"] === "1" ? 100_000 : 1_500 },
  );
});

function format(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
}

/** The status of a raw request over a connection that shows no certificate. */
function statusWithoutCertificate(raw: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: "127.0.0.1", port: harness.server.port, ca: harness.tls.ca }, () =>
      socket.write(raw),
    );
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1];
      if (status !== undefined) {
        socket.destroy();
        resolve(Number(status));
      }
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed without an answer: ${text}`)));
  });
}
