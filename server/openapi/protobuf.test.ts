import assert from "node:assert/strict";
import { test } from "node:test";
import { readFields } from "@atoll/machinery/protobuf/wire";
import { startHarness } from "@atoll/harness/server";
import { encodeOpenApi2, protobufType } from "./protobuf.ts";

/** Fields of a message by number, in order. */
function fieldsOf(bytes: Uint8Array): ReadonlyMap<number, readonly (bigint | Uint8Array)[]> {
  const found = new Map<number, (bigint | Uint8Array)[]>();
  for (const { number, value } of readFields(bytes)) found.set(number, [...(found.get(number) ?? []), value]);
  return found;
}

function inner(bytes: Uint8Array, ...path: readonly number[]): Uint8Array {
  return path.reduce<Uint8Array>((at, number) => {
    const [first] = fieldsOf(at).get(number) ?? [];
    assert.ok(first instanceof Uint8Array, `no message ${number}`);
    return first;
  }, bytes);
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString();

test("a definition keeps its name, type, fields, references and extensions", () => {
  const pod = {
    description: "A pod.",
    type: "object",
    required: ["spec"],
    properties: { spec: { $ref: "#/definitions/Spec" }, n: { type: "integer", maximum: 5, enum: [1, 2] } },
    additionalProperties: { type: "string" },
    "x-kubernetes-group-version-kind": [{ group: "", version: "v1", kind: "Pod" }],
  };
  const encoded = encodeOpenApi2({ swagger: "2.0", definitions: { Pod: pod } });
  assert.equal(textOf(inner(encoded, 1)), "2.0");
  assert.equal(textOf(inner(encoded, 9, 1, 1)), "Pod");
  const schema = inner(encoded, 9, 1, 2);
  assert.equal(textOf(inner(schema, 4)), "A pod.");
  assert.equal(textOf(inner(schema, 22, 1)), "object");
  assert.equal(textOf(inner(schema, 19)), "spec");
  assert.equal(textOf(inner(schema, 21, 1, 22, 1)), "string");
  assert.equal(textOf(inner(schema, 25, 1, 2, 1)), "#/definitions/Spec");
  assert.equal(textOf(inner(schema, 31, 1)), "x-kubernetes-group-version-kind");
  assert.deepEqual(JSON.parse(textOf(inner(schema, 31, 2, 2))), [{ group: "", version: "v1", kind: "Pod" }]);
  const [, second] = fieldsOf(inner(schema, 25)).get(1) ?? [];
  assert.ok(second instanceof Uint8Array);
  assert.equal(fieldsOf(inner(second, 2)).get(20)?.length, 2, "each value of an enum");
});

test("an operation keeps its parameters, by where they stand, and its answers", () => {
  const schema = { $ref: "#/definitions/Pod" };
  const parameters = [
    { name: "body", in: "body", required: true, schema },
    { name: "dryRun", in: "query", type: "string", uniqueItems: true },
    { name: "namespace", in: "path", type: "string", required: true },
  ];
  const patch = { operationId: "patchPod", parameters, responses: { 200: { description: "OK", schema } } };
  const encoded = encodeOpenApi2({ paths: { "/pods": { patch } } });
  assert.equal(textOf(inner(encoded, 8, 2, 1)), "/pods");
  const operation = inner(encoded, 8, 2, 2, 8);
  assert.equal(textOf(inner(operation, 5)), "patchPod");
  const [body, query, path] = (fieldsOf(operation).get(8) ?? []) as Uint8Array[];
  assert.ok(body !== undefined && query !== undefined && path !== undefined);
  assert.equal(textOf(inner(body, 1, 1, 2)), "body");
  assert.equal(textOf(inner(body, 1, 1, 5, 1)), "#/definitions/Pod");
  assert.equal(textOf(inner(query, 1, 2, 3, 4)), "dryRun");
  assert.equal(textOf(inner(path, 1, 2, 4, 4)), "namespace");
  assert.equal(textOf(inner(operation, 9, 1, 1)), "200");
  assert.equal(textOf(inner(operation, 9, 1, 2, 1, 2, 1, 1)), "#/definitions/Pod");
});

test("the server answers in the form that is asked for", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  const asked = protobufType.replace("v2.v1", "v2@v1");
  const answer = await harness.send("GET", "/openapi/v2", { headers: { accept: asked } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["content-type"], protobufType);
  const json = await harness.send("GET", "/openapi/v2", { headers: { accept: "application/json" } });
  assert.equal(json.json?.["swagger"], "2.0");
  assert.notEqual(json.headers["etag"], answer.headers["etag"]);
});
