import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnyObject } from "../model/object.ts";
import { Collection, type WatchEvent } from "./collection.ts";

const event = (type: WatchEvent["type"], name: string): WatchEvent => ({
  type,
  object: { kind: "Pod", metadata: { name, uid: name } },
});
const listed: WatchEvent = { type: "BOOKMARK", object: { kind: "Pod", metadata: { resourceVersion: "9" } } };

function namesOf(collection: Collection<AnyObject>): readonly string[] {
  collection.flush();
  return collection.read().items.map(({ metadata }) => metadata.name);
}

test("a collection shows what has been told so far, and is live when all has been", () => {
  const collection = new Collection<AnyObject>();
  collection.take({ id: 1, begin: true });
  collection.take({ id: 1, events: [event("ADDED", "a")] });
  assert.deepEqual(namesOf(collection), ["a"]);
  assert.equal(collection.read().phase, "loading");
  collection.take({ id: 1, events: [event("ADDED", "b"), listed] });
  assert.deepEqual(namesOf(collection), ["a", "b"]);
  assert.equal(collection.read().phase, "live");
});

test("a collection that begins anew keeps what it shows until all has been told, and then forgets what went meanwhile", () => {
  const collection = new Collection<AnyObject>();
  collection.take({ id: 1, begin: true, events: [event("ADDED", "a"), event("ADDED", "b"), listed] });
  collection.take({ id: 1, begin: true, events: [event("ADDED", "b")] });
  assert.deepEqual(namesOf(collection), ["a", "b"]);
  collection.take({ id: 1, events: [listed] });
  assert.deepEqual(namesOf(collection), ["b"]);
});

test("a collection goes stale and comes back, and stays refused", () => {
  const collection = new Collection<AnyObject>();
  collection.take({ id: 1, begin: true, events: [listed] });
  collection.take({ id: 1, stale: "the server is away" });
  collection.flush();
  assert.equal(collection.read().phase, "stale");
  collection.take({ id: 1, stale: "" });
  collection.take({ id: 1, refused: { message: "no" } });
  collection.flush();
  assert.deepEqual([collection.read().phase, collection.read().message], ["refused", "no"]);
});

test("views hear nothing of a flush without news", () => {
  const collection = new Collection<AnyObject>();
  let heard = 0;
  collection.subscribe(() => heard++);
  collection.flush();
  collection.take({ id: 1, begin: true, events: [listed] });
  collection.flush();
  collection.flush();
  assert.equal(heard, 1);
});
