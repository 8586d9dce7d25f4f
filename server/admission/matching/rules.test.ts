import assert from "node:assert/strict";
import { test } from "node:test";
import type { Kind } from "@atoll/api/kind";
import fc from "fast-check";
import type { AdmissionRequest } from "../admission.ts";
import { attributesOf, type ResourceName } from "./attributes.ts";
import { matchesName, matchesRule } from "./rules.ts";

const kind: Kind = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  singular: "deployment",
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: [],
  subresources: [{ name: "scale", kind: { group: "autoscaling", version: "v1", kind: "Scale" }, verbs: [] }],
  schema: {},
  strategy: {},
};

function requestFor(given: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    operation: "CREATE",
    kind,
    subresource: "",
    namespace: "default",
    name: "web",
    object: undefined,
    old: undefined,
    user: { name: "", uid: "", groups: [], extra: {} },
    dryRun: false,
    options: undefined,
    reinvocation: { wanted: false, running: false, kept: new Map() },
    undo: [],
    onSettled: () => {},
    warn: () => {},
    annotate: () => {},
    ...given,
  };
}

const rule = {
  apiGroups: ["apps"],
  apiVersions: ["v1"],
  operations: ["CREATE"],
  resources: ["deployments"],
  scope: "*",
};

function matches(change: Partial<typeof rule>, request: Partial<AdmissionRequest> = {}): boolean {
  const attributes = attributesOf(requestFor(request));
  return matchesRule({ ...rule, ...change }, attributes, attributes.own.resource);
}

test("a rule is about what it names, wildcards about everything", () => {
  assert.equal(matches({}), true);
  assert.equal(matches({ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"] }), true);
  assert.equal(matches({ apiGroups: [""] }), false);
  assert.equal(matches({ apiVersions: ["v2"] }), false);
  assert.equal(matches({ operations: ["UPDATE", "DELETE", "CONNECT"] }), false);
  assert.equal(matches({ resources: ["pods"] }), false);
  assert.equal(matches({ apiGroups: [] }), false);
});

test("subresources are named after a slash, and `*` alone is about none", () => {
  const scale = { subresource: "scale" };
  const told = ["deployments", "*", "deployments/scale", "deployments/*", "*/scale", "*/*", "pods/*", "*/status"].map(
    (resource) => [resource, matches({ resources: [resource] }), matches({ resources: [resource] }, scale)],
  );
  assert.deepEqual(told, [
    ["deployments", true, false],
    ["*", true, false],
    ["deployments/scale", false, true],
    ["deployments/*", true, true],
    ["*/scale", false, true],
    ["*/*", true, true],
    ["pods/*", false, false],
    ["*/status", false, false],
  ]);
  assert.deepEqual(attributesOf(requestFor(scale)).own.kind, { group: "autoscaling", version: "v1", kind: "Scale" });
});

test("a Namespace is of cluster scope, though its attributes are in itself", () => {
  const namespaces = { ...kind, group: "", plural: "namespaces", kind: "Namespace", namespaced: false };
  const request = { kind: namespaces, namespace: "", name: "team" };
  const about = { apiGroups: [""], resources: ["namespaces"] };
  assert.equal(attributesOf(requestFor(request)).namespace, "team");
  assert.equal(matches({ ...about, scope: "Cluster" }, request), true);
  assert.equal(matches({ ...about, scope: "Namespaced" }, request), false);
  assert.equal(matches({ scope: "Namespaced" }), true);
  assert.equal(matches({ scope: "Cluster" }), false);
});

test("names narrow a rule, none leave it wide", () => {
  assert.equal(matchesName({ resourceNames: ["a", "b"] }, "b"), true);
  assert.equal(matchesName({ resourceNames: ["a"] }, "b"), false);
  assert.equal(matchesName({}, "b"), true);
});

test("a rule agrees with one written out resource by resource", () => {
  const words = fc.constantFrom("", "a", "b", "*");
  const rules = fc.record({
    apiGroups: fc.array(words, { maxLength: 2 }),
    apiVersions: fc.array(words, { maxLength: 2 }),
    resources: fc.array(fc.constantFrom("a", "b", "*", "a/s", "a/*", "*/s", "*/*", "b/t"), { maxLength: 3 }),
  });
  const asked = fc.record({
    group: fc.constantFrom("", "a", "b"),
    version: fc.constantFrom("a", "b"),
    resource: fc.constantFrom("a", "b"),
    sub: fc.constantFrom("", "s", "t"),
  });
  fc.assert(
    fc.property(rules, asked, (given, { sub, ...resource }) => {
      const attributes = attributesOf(requestFor({ subresource: sub }));
      assert.equal(
        matchesRule({ ...rule, ...given }, attributes, resource),
        named(given.apiGroups, resource.group) &&
          named(given.apiVersions, resource.version) &&
          spelledOut(given.resources).includes(spell(resource, sub)),
      );
    }),
  );
});

const named = (items: readonly string[], wanted: string): boolean =>
  items.some((item) => item === "*" || item === wanted);
const spell = ({ resource }: ResourceName, sub: string): string => (sub === "" ? resource : `${resource}/${sub}`);

/** Every path that resources stand for, in a world of two resources and two subresources. */
function spelledOut(resources: readonly string[]): string[] {
  return resources.flatMap((each) => {
    const [parent = "", sub] = each.split("/");
    const parents = parent === "*" ? ["a", "b"] : [parent];
    if (sub === undefined) return parents;
    const subs = sub === "*" ? ["", "s", "t"] : [sub];
    return parents.flatMap((one) => subs.map((below) => (below === "" ? one : `${one}/${below}`)));
  });
}
