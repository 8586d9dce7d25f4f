import assert from "node:assert/strict";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { eventually } from "@atoll/harness/client";
import { type Answer, type Harness, startHarness } from "@atoll/harness/server";
import { openMemory } from "@atoll/storage/memory";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

type Json = Readonly<Record<string, unknown>>;

interface Wanted {
  readonly plural: string;
  readonly kind: string;
  readonly group?: string;
  readonly spec?: Json;
  readonly version?: Json;
  readonly names?: Json;
}

const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

function definition({ plural, kind, group = "example.com", spec = {}, version = {}, names = {} }: Wanted): Json {
  const schema = { openAPIV3Schema: { type: "object", properties: { spec: open } } };
  const versions = [{ name: "v1", served: true, storage: true, schema, ...version }];
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: "Cluster", names: { plural, kind, ...names }, versions, ...spec },
  };
}

/** A field of an answer, by its path. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Record<string | number, unknown> | undefined)?.[step], value);
}

function condition(answer: Answer, type: string): string {
  const conditions = (at(answer.json, "status", "conditions") ?? []) as readonly Record<string, string>[];
  const found = conditions.find((each) => each["type"] === type);
  return found === undefined ? "" : `${found["status"]} ${found["reason"]}`;
}

async function define(harness: Harness, body: Json): Promise<string> {
  const made = await harness.send("POST", definitions, { body });
  assert.equal(made.status, 201, made.text);
  const path = `${definitions}/${String(at(body, "metadata", "name"))}`;
  await eventually("established", async () =>
    condition(await harness.send("GET", path), "Established").startsWith("True"),
  );
  return path;
}

describe("custom resources", () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness();
  });
  after(() => harness.close());

  it("are served as soon as their definition says so, and no longer than it is there", async () => {
    const path = await define(harness, definition({ plural: "widgets", kind: "Widget" }));
    const made = await harness.send("POST", "/apis/example.com/v1/widgets", {
      body: { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "a" }, spec: { size: 3 }, extra: 1 },
    });
    assert.equal(made.status, 201, made.text);
    assert.equal(at(made.json, "extra"), undefined);
    assert.match(String(made.headers["warning"]), /unknown field \\"extra\\"/);
    const told = await harness.send("GET", "/apis/example.com/v1");
    assert.equal(at(told.json, "resources", 0, "kind"), "Widget");
    const schema = await harness.send("GET", "/openapi/v3/apis/example.com/v1");
    assert.ok(at(schema.json, "components", "schemas", "com.example.v1.Widget"), schema.text.slice(0, 500));
    assert.equal((await harness.send("DELETE", path)).status, 200);
    await eventually("gone", async () => (await harness.send("GET", path)).status === 404);
    await eventually(
      "withdrawn",
      async () => (await harness.send("GET", "/apis/example.com/v1/widgets")).status === 404,
    );
    await define(harness, definition({ plural: "widgets", kind: "Widget" }));
    const left = await harness.send("GET", "/apis/example.com/v1/widgets");
    assert.deepEqual(at(left.json, "items"), [], "instances went with their definition");
  });

  it("stay while a finalizer holds them, and so does their definition, taking nothing new", async () => {
    const path = await define(harness, definition({ plural: "held", kind: "Held" }));
    const body = { apiVersion: "example.com/v1", kind: "Held", metadata: { name: "a", finalizers: ["example.com/x"] } };
    assert.equal((await harness.send("POST", "/apis/example.com/v1/held", { body })).status, 201);
    const deleted = await harness.send("DELETE", path);
    assert.equal(condition(deleted, "Terminating"), "True InstanceDeletionPending");
    await eventually("marked", async () => {
      const one = await harness.send("GET", "/apis/example.com/v1/held/a");
      return at(one.json, "metadata", "deletionTimestamp") !== undefined;
    });
    assert.equal(condition(await harness.send("GET", path), "Terminating"), "True InstanceDeletionInProgress");
    const another = { ...body, metadata: { name: "b" } };
    const refused = await harness.send("POST", "/apis/example.com/v1/held", { body: another });
    assert.equal(refused.status, 405, refused.text);
    const freed = await harness.send("PATCH", "/apis/example.com/v1/held/a", {
      body: { metadata: { finalizers: null } },
      contentType: "application/merge-patch+json",
    });
    assert.equal(freed.status, 200, freed.text);
    await eventually("gone", async () => (await harness.send("GET", path)).status === 404);
  });

  it("wait for a name until whoever has it gives it up", async () => {
    const first = await define(harness, definition({ plural: "boats", kind: "Boat", names: { shortNames: ["bt"] } }));
    const second = definition({ plural: "bats", kind: "Bat", names: { shortNames: ["bt"] } });
    assert.equal((await harness.send("POST", definitions, { body: second })).status, 201);
    const path = `${definitions}/bats.example.com`;
    await eventually("refused", async () =>
      condition(await harness.send("GET", path), "NamesAccepted").startsWith("False"),
    );
    assert.equal(condition(await harness.send("GET", path), "NamesAccepted"), "False ShortNamesConflict");
    assert.equal((await harness.send("GET", "/apis/example.com/v1/bats")).status, 404);
    await harness.send("DELETE", first);
    await eventually("established", async () =>
      condition(await harness.send("GET", path), "Established").startsWith("True"),
    );
    assert.equal((await harness.send("GET", "/apis/example.com/v1/bats")).status, 200);
  });

  it("warn of deprecated versions", async () => {
    const schema = { openAPIV3Schema: open };
    const versions = [
      { name: "v1", served: true, storage: true, schema },
      { name: "v1beta1", served: true, storage: false, schema, deprecated: true },
      { name: "v1alpha1", served: true, storage: false, schema, deprecated: true, deprecationWarning: "go away" },
    ];
    await define(harness, definition({ plural: "olds", kind: "Old", spec: { versions } }));
    const beta = await harness.send("GET", "/apis/example.com/v1beta1/olds");
    assert.equal(beta.headers["warning"], '299 - "example.com/v1beta1 Old is deprecated; use example.com/v1 Old"');
    const alpha = await harness.send("GET", "/apis/example.com/v1alpha1/olds");
    assert.equal(alpha.headers["warning"], '299 - "go away"');
    assert.equal((await harness.send("GET", "/apis/example.com/v1/olds")).headers["warning"], undefined);
  });

  it("are read by the schema of now, whatever it was when they were stored", async () => {
    const path = await define(harness, definition({ plural: "grown", kind: "Grown" }));
    const object = { apiVersion: "example.com/v1", kind: "Grown", metadata: { name: "a" }, spec: { gone: 1, kept: 2 } };
    assert.equal((await harness.send("POST", "/apis/example.com/v1/grown", { body: object })).status, 201);
    const properties = { kept: { type: "integer" }, added: { type: "string", default: "new" } };
    const schema = { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties } } } };
    const patched = await harness.send("PATCH", path, {
      body: { spec: { versions: [{ name: "v1", served: true, storage: true, schema }] } },
      contentType: "application/merge-patch+json",
    });
    assert.equal(patched.status, 200, patched.text);
    await eventually("read anew", async () => {
      const one = await harness.send("GET", "/apis/example.com/v1/grown/a");
      return JSON.stringify(at(one.json, "spec")) === '{"kept":2,"added":"new"}';
    });
    // One that is served as it is stored, beside one that is not.
    const second = { ...object, metadata: { name: "b" }, spec: { kept: 3, added: "old" } };
    assert.equal((await harness.send("POST", "/apis/example.com/v1/grown", { body: second })).status, 201);
    for (const time of ["first", "second"]) {
      const list = await harness.send("GET", "/apis/example.com/v1/grown");
      assert.equal(at(list.json, "kind"), "GrownList");
      const seen = (at(list.json, "items") as Json[]).map((item) => [at(item, "metadata", "name"), item["spec"]]);
      const wanted = [
        ["a", { kept: 2, added: "new" }],
        ["b", { kept: 3, added: "old" }],
      ];
      assert.deepEqual(seen, wanted, time);
    }
    const watched = await harness.send("GET", "/apis/example.com/v1/grown?watch=1&resourceVersion=0&timeoutSeconds=1");
    const specs = watched.text
      .trim()
      .split("\n")
      .map((line) => at(JSON.parse(line), "object", "spec"));
    assert.deepEqual(specs.slice(0, 2), [
      { kept: 2, added: "new" },
      { kept: 3, added: "old" },
    ]);
  });

  it("are served by a server that starts on a store where they are defined", async () => {
    const store = openMemory();
    const first = await startHarness({ store, onError: () => {} });
    const path = await define(first, definition({ plural: "widgets", kind: "Widget" }));
    const before_ = at((await first.send("GET", path)).json, "metadata", "resourceVersion");
    const second = await startHarness({ store });
    assert.equal((await second.send("GET", "/apis/example.com/v1/widgets")).status, 200);
    assert.equal(at((await second.send("GET", path)).json, "metadata", "resourceVersion"), before_);
    await define(first, definition({ plural: "gadgets", kind: "Gadget" }));
    await eventually(
      "served by the other, too",
      async () => (await second.send("GET", "/apis/example.com/v1/gadgets")).status === 200,
    );
    await second.close();
    await first.close();
  });
});

interface Review {
  readonly request: { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: readonly Json[] };
}

describe("custom resources that a webhook converts", () => {
  let harness: Harness;
  let webhook: Server;
  const asked: number[] = [];
  let failing = false;

  /** v1 has spec.text; v2 has spec.words, which are its parts. */
  function converted(object: Json, apiVersion: string): Json {
    const { text = "", words = [] } = object["spec"] as { text?: string; words?: readonly string[] };
    const spec = apiVersion.endsWith("v2") ? { words: text.split(" ") } : { text: words.join(" ") };
    return { ...object, apiVersion, spec };
  }

  before(async () => {
    harness = await startHarness({ onError: () => {} });
    const { cert, key } = harness.pki.server;
    webhook = createServer({ cert, key }, (request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const review = JSON.parse(Buffer.concat(parts).toString()) as Review;
        const { uid, desiredAPIVersion, objects } = review.request;
        asked.push(objects.length);
        const result = failing ? { status: "Failure", message: "out of order" } : { status: "Success" };
        const convertedObjects = objects.map((object) => converted(object, desiredAPIVersion));
        response.end(JSON.stringify({ ...review, response: { uid, result, convertedObjects } }));
      });
    });
    await new Promise<void>((resolve) => webhook.listen(0, "127.0.0.1", resolve));
    const properties = (spec: Json) => ({ openAPIV3Schema: { type: "object", properties: { spec } } });
    const text = { type: "object", properties: { text: { type: "string" } } };
    const words = { type: "object", properties: { words: { type: "array", items: { type: "string" } } } };
    const clientConfig = {
      url: `https://127.0.0.1:${(webhook.address() as AddressInfo).port}/convert`,
      caBundle: Buffer.from(harness.pki.ca.cert).toString("base64"),
    };
    const spec = {
      conversion: { strategy: "Webhook", webhook: { clientConfig, conversionReviewVersions: ["v1"] } },
      versions: [
        { name: "v1", served: true, storage: true, schema: properties(text) },
        { name: "v2", served: true, storage: false, schema: properties(words) },
      ],
    };
    await define(harness, definition({ plural: "notes", kind: "Note", spec }));
  });
  after(async () => {
    webhook.close();
    webhook.closeAllConnections();
    await harness.close();
  });

  it("are there in every version, and asked for once a list", async () => {
    for (const name of ["a", "b", "c"]) {
      const body = { apiVersion: "example.com/v1", kind: "Note", metadata: { name }, spec: { text: `${name} b` } };
      assert.equal((await harness.send("POST", "/apis/example.com/v1/notes", { body })).status, 201);
    }
    asked.length = 0;
    const list = await harness.send("GET", "/apis/example.com/v2/notes");
    assert.deepEqual(
      (at(list.json, "items") as Json[]).map(({ spec }) => spec),
      ["a", "b", "c"].map((name) => ({ words: [name, "b"] })),
    );
    assert.deepEqual(asked, [3]);
    assert.equal((await harness.send("GET", "/apis/example.com/v1/notes")).status, 200);
    assert.deepEqual(asked, [3], "the stored version needs no conversion");
  });

  it("are stored in the storage version, whatever they were given in", async () => {
    const body = { apiVersion: "example.com/v2", kind: "Note", metadata: { name: "d" }, spec: { words: ["x", "y"] } };
    const made = await harness.send("POST", "/apis/example.com/v2/notes", { body });
    assert.equal(made.status, 201, made.text);
    assert.deepEqual(at(made.json, "spec"), { words: ["x", "y"] });
    assert.deepEqual(at((await harness.send("GET", "/apis/example.com/v1/notes/d")).json, "spec"), { text: "x y" });
    const patched = await harness.send("PATCH", "/apis/example.com/v2/notes/d", {
      body: { spec: { words: ["z"] } },
      contentType: "application/merge-patch+json",
    });
    assert.deepEqual(at(patched.json, "spec"), { words: ["z"] }, patched.text);
    assert.deepEqual(at((await harness.send("GET", "/apis/example.com/v1/notes/d")).json, "spec"), { text: "z" });
  });

  it("cannot be had in another version while the webhook fails", async () => {
    failing = true;
    const failed = await harness.send("GET", "/apis/example.com/v2/notes");
    failing = false;
    assert.equal(failed.status, 500);
    assert.match(
      String(at(failed.json, "message")),
      /conversion webhook for example.com\/v1, Kind=Note failed: out of order/,
    );
    assert.equal((await harness.send("GET", "/apis/example.com/v2/notes")).status, 200);
  });

  it("are watched in the version asked for, and remember which versions they may be stored in", async () => {
    const path = `${definitions}/notes.example.com`;
    const before_ = await harness.send("GET", path);
    assert.deepEqual(at(before_.json, "status", "storedVersions"), ["v1"]);
    const versions = at(before_.json, "spec", "versions") as Json[];
    const body = { spec: { versions: versions.map((version) => ({ ...version, storage: version["name"] === "v2" })) } };
    const changed = await harness.send("PATCH", path, { body, contentType: "application/merge-patch+json" });
    assert.deepEqual(at(changed.json, "status", "storedVersions"), ["v1", "v2"], changed.text);
    const object = { apiVersion: "example.com/v1", kind: "Note", metadata: { name: "e" }, spec: { text: "p q" } };
    await eventually("stored in v2", async () => {
      await harness.send("POST", "/apis/example.com/v1/notes", { body: object });
      const count = asked.length;
      const read = await harness.send("GET", "/apis/example.com/v2/notes/e");
      const asIs = asked.length === count;
      assert.deepEqual(at(read.json, "spec"), { words: ["p", "q"] });
      await harness.send("DELETE", "/apis/example.com/v1/notes/e");
      return asIs;
    });
    const list = await harness.send("GET", "/apis/example.com/v2/notes");
    assert.equal(
      (at(list.json, "items") as Json[]).length,
      4,
      "older ones are read from the version they were stored in",
    );
    const events = await harness.send("GET", "/apis/example.com/v2/notes?watch=1&timeoutSeconds=1&resourceVersion=0");
    const lines = events.text.trim().split("\n");
    assert.ok(lines.length >= 4);
    for (const line of lines.slice(0, 4)) {
      const { object: seen } = JSON.parse(line) as { object: Json };
      assert.equal(seen["apiVersion"], "example.com/v2");
      assert.ok(at(seen, "spec", "words"));
    }
  });
});

describe("many definitions", () => {
  // The processor's seconds, not the wall's: other work on the machine does not count.
  it("of deep schemas are established within ten seconds", async () => {
    const deep = (levels: number): Json =>
      levels === 0
        ? { type: "string", pattern: "^[a-z]+$", maxLength: 10, default: "a" }
        : {
            type: "object",
            properties: Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, deep(levels - 1)])),
            "x-kubernetes-validations": levels === 1 ? [{ rule: "self.a == self.b || self.c != 'x'" }] : [],
          };
    const schema = { openAPIV3Schema: { type: "object", properties: { spec: deep(4) } } };
    const harness = await startHarness();
    const start = process.cpuUsage();
    const todo = Array.from({ length: 200 }, (_, i) => i).values();
    const lane = async () => {
      for (const i of todo) {
        const body = definition({ plural: `deep${i}s`, kind: `Deep${i}`, version: { schema } });
        const made = await harness.send("POST", definitions, { body });
        assert.equal(made.status, 201, made.text);
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
    await eventually("all established", async () => {
      const list = await harness.send("GET", definitions);
      return (at(list.json, "items") as Json[]).every((item) =>
        JSON.stringify(item["status"]).includes("InitialNames"),
      );
    });
    const { user, system } = process.cpuUsage(start);
    const took = (user + system) / 1000;
    const body = { apiVersion: "example.com/v1", kind: "Deep199", metadata: { name: "a" }, spec: { a: { b: {} } } };
    const made = await harness.send("POST", "/apis/example.com/v1/deep199s", { body });
    await harness.close();
    assert.equal(made.status, 201, made.text);
    assert.ok(took < 10_000, `took ${took} ms`);
  });
});
