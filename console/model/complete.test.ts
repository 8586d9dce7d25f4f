import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Harness, startHarness } from "@atoll/harness/server";
import { eventually } from "@atoll/harness/client";
import { cursorAt } from "./cursor.ts";
import { offersAt } from "./complete.ts";
import { KindBook } from "./openapi.ts";

let harness: Harness;
const asked: string[] = [];
const read = async <T>(path: string): Promise<T> => {
  asked.push(path);
  const { status, json } = await harness.send("GET", path);
  assert.equal(status, 200, path);
  return json as T;
};

before(async () => {
  harness = await startHarness();
});
after(async () => await harness.close());

/** What is offered at the bar. */
async function offers(text: string, book = new KindBook(read)) {
  const cursor = cursorAt(text.replace("|", ""), text.indexOf("|"));
  assert.ok(cursor);
  return await offersAt(cursor, book);
}
const labels = async (text: string): Promise<readonly string[]> => (await offers(text)).map(({ label }) => label);

const deployment = "apiVersion: apps/v1\nkind: Deployment\n";

test("offersAt() offers the keys of the kind at the place, without those that stand there", async () => {
  const ofSpec = await labels(`${deployment}spec:\n  replicas: 2\n  |\n  paused: true\n`);
  assert.ok(ofSpec.includes("strategy") && ofSpec.includes("template"));
  assert.ok(!ofSpec.includes("replicas") && !ofSpec.includes("paused"));
  const deep = await labels(
    `${deployment}spec:\n  template:\n    spec:\n      containers:\n      - name: a\n        li|\n`,
  );
  assert.ok(deep.includes("livenessProbe") && !deep.includes("name"));
});

test("offersAt() says what type a key is, what it is for, and how it goes on", async () => {
  const all = await offers(`${deployment}spec:\n  |\n`);
  const of = (name: string) => all.find(({ label }) => label === name);
  assert.deepEqual([of("replicas")?.detail, of("replicas")?.text], ["integer", "replicas: "]);
  assert.match(of("replicas")?.description ?? "", /desired pods/i);
  assert.deepEqual([of("selector")?.detail, of("selector")?.isRequired], ["object, required", true]);
  assert.equal(of("template")?.text, "template:\n    ");
  const [tolerations] = (await offers("apiVersion: v1\nkind: Pod\nspec:\n  tol|\n")).filter(
    (each) => each.label === "tolerations",
  );
  assert.deepEqual([tolerations?.detail, tolerations?.text], ["list of object", "tolerations:\n    - "]);
  const [flow] = (await offers(`${deployment}spec: {tem|`)).filter(({ label }) => label === "template");
  assert.equal(flow?.text, "template: ");
});

test("offersAt() offers the values that a field may have", async () => {
  assert.deepEqual(await labels(`${deployment}spec:\n  strategy:\n    type: |\n`), ["Recreate", "RollingUpdate"]);
  assert.deepEqual(await labels(`${deployment}spec:\n  paused: |`), ["true", "false"]);
  const modes = await labels("apiVersion: v1\nkind: PersistentVolumeClaim\nspec:\n  accessModes:\n  - Read|");
  assert.ok(modes.includes("ReadWriteOnce"), modes.join());
  assert.deepEqual(await labels("apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    a: |"), []);
});

test("offersAt() offers versions, then the kinds of the version, and asks for nothing else", async () => {
  asked.length = 0;
  assert.deepEqual(await labels("|"), ["apiVersion", "kind"]);
  assert.ok((await labels("apiVersion: a|")).includes("apps/v1"));
  assert.ok(asked.every((path) => path === "/openapi/v3"));
  const kinds = await labels("apiVersion: apps/v1\nkind: |");
  assert.deepEqual(kinds, ["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]);
  assert.ok(asked.every((path) => path === "/openapi/v3" || path.startsWith("/openapi/v3/apis/apps/v1?")));
});

test("offersAt() knows kinds that a CustomResourceDefinition brings", async () => {
  const color = { type: "string", enum: ["red", "blue"], description: "As it is painted." };
  const spec = {
    type: "object",
    required: ["color"],
    properties: { color, parts: { type: "array", items: { type: "string" } } },
  };
  const schema = { openAPIV3Schema: { type: "object", properties: { spec } } };
  const names = { plural: "boats", singular: "boat", kind: "Boat", listKind: "BoatList" };
  const versions = [{ name: "v1", served: true, storage: true, schema }];
  const body = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "boats.sea.example" },
    spec: { group: "sea.example", scope: "Namespaced", names, versions },
  };
  await harness.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", { body });
  await eventually("the kind is described", async () => (await labels("apiVersion: s|")).includes("sea.example/v1"));
  const boat = "apiVersion: sea.example/v1\nkind: Boat\n";
  const [painted] = await offers(`${boat}spec:\n  |`);
  assert.deepEqual(
    [painted?.label, painted?.detail, painted?.description, painted?.goesOn],
    ["color", "string, required", "As it is painted.", true],
  );
  assert.deepEqual(await labels(`${boat}spec:\n  color: |`), ["red", "blue"]);
  assert.ok((await labels(`${boat}metadata:\n  |`)).includes("labels"));
});
