import assert from "node:assert/strict";
import { test } from "node:test";
import { isCustom, isListed, kindsOf, renewed, served } from "./served.ts";

const verbs = ["get", "list", "watch", "create", "delete"];
const resource = (plural: string, kind: string, more: object = {}) => {
  return { resource: plural, responseKind: { kind }, scope: "Namespaced", verbs, ...more };
};

const core = [{ metadata: {}, versions: [{ version: "v1", resources: [resource("pods", "Pod")] }] }];
const groups = [
  { metadata: { name: "batch" }, versions: [{ version: "v1", resources: [resource("jobs", "Job")] }] },
  {
    metadata: { name: "sea.example" },
    versions: [
      { version: "v2", resources: [resource("ferrypolicies", "FerryPolicy"), resource("jobs", "Job")] },
      { version: "v1", resources: [resource("ferrypolicies", "FerryPolicy")] },
    ],
  },
  {
    metadata: { name: "authorization.k8s.io" },
    versions: [{ version: "v1", resources: [resource("reviews", "Review", { scope: "Cluster", verbs: ["create"] })] }],
  },
];

const read = async () =>
  await served(async (path) => await Promise.resolve({ items: path === "/api" ? core : groups }));

test("kinds are served in the version that comes first, by names that people read", async () => {
  const kinds = await read();
  const policies = kinds.get("ferrypolicies.sea.example");
  assert.deepEqual([policies?.version, policies?.title, policies?.namespaced], ["v2", "Ferry policies", true]);
  const custom = [...kinds].filter(([, kind]) => isCustom(kind)).map(([slug]) => slug);
  assert.deepEqual(custom.toSorted(), ["ferrypolicies.sea.example", "jobs.sea.example"]);
  const unlisted = [...kinds].filter(([, kind]) => !isListed(kind)).map(([slug]) => slug);
  assert.deepEqual(unlisted, ["reviews.authorization.k8s.io"]);
});

test("an object's kind is found by its group: what somebody else calls a Job is theirs", async () => {
  const { ofObject, titledOf, serves } = kindsOf(await read());
  assert.equal(ofObject("Job", "batch/v1")?.group, "batch");
  assert.equal(ofObject("Job", "sea.example/v1")?.group, "sea.example");
  assert.equal(ofObject("Job")?.group, "batch");
  assert.equal(ofObject("Boat", "sea.example/v1"), undefined);
  assert.equal(titledOf("pods")?.title, "Pods");
  assert.equal(titledOf("boats.sea.example"), undefined);
  assert.equal(serves({ group: "", version: "v1", kind: "Node", plural: "nodes", namespaced: false }), false);
});

test("what is served as before stays the same value", async () => {
  const [before, same] = [await read(), await read()];
  assert.equal(renewed(before, same), before);
  const fewer = new Map([...same].filter(([slug]) => slug !== "jobs.sea.example"));
  const after = renewed(before, fewer);
  assert.equal(after.get("pods"), before.get("pods"));
  assert.equal(after.has("jobs.sea.example"), false);
});
