import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Schema } from "../schema/schema.ts";
import { decodeProtobuf } from "./decode.ts";
import { WireError } from "./wire.ts";

const meta: Schema = {
  type: "object",
  properties: { name: { type: "string" }, creationTimestamp: { type: "string", format: "date-time" } },
  "x-atoll-tags": { name: "1", creationTimestamp: "8" },
};
const volume: Schema = {
  type: "object",
  properties: { name: { type: "string" }, optional: { type: "boolean" }, mode: { type: "integer", format: "int32" } },
  "x-atoll-tags": { name: "1", optional: "2.1", mode: "2.2" },
};
const configMap: Schema = {
  type: "object",
  properties: {
    metadata: meta,
    data: { type: "object", additionalProperties: { type: "string" } },
    volumes: { type: "array", items: volume },
    port: { format: "int-or-string", "x-kubernetes-int-or-string": true },
    nested: { type: "array", items: { type: "integer" } },
  },
  "x-atoll-tags": { metadata: "1", data: "2", volumes: "3", port: "4", nested: "5" },
};

const envelope = (raw: string) => {
  const body = Buffer.from(raw, "hex");
  const head = Buffer.from("6b3873000a0f0a02763112 09".replaceAll(" ", ""), "hex");
  return Buffer.concat([
    head,
    Buffer.from("ConfigMap"),
    Buffer.from([0x12, body.length]),
    body,
    Buffer.from("1a002200", "hex"),
  ]);
};

test("decodeProtobuf() reads what kubectl sends for a ConfigMap", () => {
  const raw = "0a110a01781200 1a00220 02a0032003800 42001206 0a01611201 62".replaceAll(" ", "");
  assert.deepEqual(decodeProtobuf(configMap, envelope(raw)), {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "x", creationTimestamp: null },
    data: Object.assign(Object.create(null), { a: "b" }),
  });
});

test("decodeProtobuf() puts the fields of an inlined message beside the others, and keeps negative numbers", () => {
  const { volumes } = decodeProtobuf(configMap, envelope("1a120a0176120d080110ffffffffffffffffff01")) as {
    volumes: unknown;
  };
  assert.deepEqual(volumes, [{ name: "v", optional: true, mode: -1 }]);
});

test("decodeProtobuf() reads either form of an int-or-string, and packed numbers", () => {
  assert.equal(decodeProtobuf(configMap, envelope("220408001050"))["port"], 80);
  assert.equal(decodeProtobuf(configMap, envelope("220908011a0568747470 73".replaceAll(" ", "")))["port"], "https");
  assert.deepEqual(decodeProtobuf(configMap, envelope("2a0401ac0203"))["nested"], [1, 300, 3]);
});

test("decodeProtobuf() refuses garbage with an error of its own, whatever it is", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const whole = Buffer.concat([Buffer.from("k8s\0"), Buffer.from([0x12]), Buffer.from([bytes.length]), bytes]);
      try {
        decodeProtobuf(configMap, whole);
      } catch (error) {
        assert.ok(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
  assert.throws(() => decodeProtobuf(configMap, Buffer.from("{}")), WireError);
});

test("decodeProtobuf() takes __proto__ as a key like any other", () => {
  const { data } = decodeProtobuf(configMap, envelope("120e0a095f5f70726f746f5f5f120178")) as { data: object };
  assert.deepEqual(Object.keys(data), ["__proto__"]);
});
