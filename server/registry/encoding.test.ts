import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiObject } from "@atoll/machinery/object";
import fc from "fast-check";
import { decodeStored, encodeStored, Splicer } from "./encoding.ts";

const splicer = new Splicer("ConfigMap", "v1");

function entryOf(name: string, modRevision: number) {
  const metadata = { name, resourceVersion: "7" };
  const value = encodeStored({ kind: "ConfigMap", apiVersion: "v1", metadata, data: { name } } as unknown as ApiObject);
  return { key: name, value, modRevision, createRevision: 1, version: 1 };
}

const entries = fc.array(fc.tuple(fc.string({ minLength: 1, unit: "grapheme" }), fc.nat()), { maxLength: 30 });

test("an entry's bytes are the object's with the revision of its last change, and no pool holds them", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: "grapheme" }), fc.nat(), (name, revision) => {
      const entry = entryOf(name, revision);
      assert.equal(entry.value.buffer.byteLength, entry.value.length);
      assert.deepEqual(JSON.parse(splicer.splice(entry).toString()), decodeStored(entry));
      assert.equal(decodeStored(entry).metadata.resourceVersion, String(revision));
    }),
  );
});

test("items of a list come in pieces that are as long together as was said", () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 2_000 }), (made, pieceBytes) => {
      const items = splicer.items(made.map(([name, revision]) => entryOf(name, revision)));
      const bytes = Buffer.concat([...items.pieces(pieceBytes)]);
      assert.equal(bytes.length, items.length);
      const read = JSON.parse(`[${bytes.toString()}]`) as { metadata: { name: string; resourceVersion: string } }[];
      assert.deepEqual(
        read.map(({ metadata }) => [metadata.name, Number(metadata.resourceVersion)]),
        made,
      );
    }),
  );
});
