import assert from "node:assert/strict";
import test from "node:test";
import type { PolicyRule } from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";
import fc from "fast-check";
import { describeRules, uncovered } from "./covers.ts";
import { type Asked, Rule } from "./rules.ts";

const verbs = ["get", "list", "delete", "*"];
const groups = ["", "apps", "*"];
const resources = ["pods", "pods/log", "nodes", "nodes/log", "*", "*/log"];
const names = ["a", "b", ""];
const paths = ["/x", "/x/y", "/x*", "/x/*", "/*", "*", "/x**", "/z"];

const some = <T>(of: readonly T[]) => fc.uniqueArray(fc.constantFrom(...of), { minLength: 1, maxLength: 3 });

const aboutResources: fc.Arbitrary<PolicyRule> = fc.record(
  { verbs: some(verbs), apiGroups: some(groups), resources: some(resources), resourceNames: some(names) },
  { requiredKeys: ["verbs", "apiGroups", "resources"] },
);
const aboutPaths: fc.Arbitrary<PolicyRule> = fc.record({ verbs: some(verbs), nonResourceURLs: some(paths) });
const rules = fc.array(fc.oneof({ arbitrary: aboutResources, weight: 3 }, aboutPaths), { maxLength: 4 });

const objects = ["pods", "nodes", "others"].flatMap((resource) =>
  ["", "log", "exec"].map((subresource) => ({ resource, subresource })),
);

function* aboutObjects(verb: string, group: string): Generator<Asked> {
  for (const { resource, subresource } of objects) {
    const whole = subresource === "" ? resource : `${resource}/${subresource}`;
    for (const name of ["a", "b", "", "c"]) {
      yield { verb, group, resource: whole, subresource, name, path: "", isPath: false };
    }
  }
}

/** Every question that the words above can make a difference to. */
function* questions(): Generator<Asked> {
  const nothing = { group: "", resource: "", subresource: "", name: "", path: "" };
  for (const verb of ["get", "list", "delete", "other"]) {
    for (const path of ["/x", "/x/y", "/xy", "/z", "/", "/x/y/z"]) yield { ...nothing, verb, path, isPath: true };
    for (const group of ["", "apps", "other"]) yield* aboutObjects(verb, group);
  }
}

const all = [...questions()];

test("who covers rules may do all that the rules allow", () => {
  let covering = 0;
  fc.assert(
    fc.property(rules, rules, (held, asked) => {
      if (uncovered(held, asked).length > 0) return;
      covering += asked.length > 0 ? 1 : 0;
      const [mine, theirs] = [held, asked].map((list) => list.map((rule) => new Rule(rule)));
      for (const question of all) {
        const allowed = theirs?.some((rule) => rule.allows(question)) === true;
        assert.ok(!allowed || mine?.some((rule) => rule.allows(question)), JSON.stringify(question));
      }
    }),
    { numRuns: 5_000 },
  );
  assert.ok(covering > 50, `${covering} pairs that cover`);
});

test("all rules cover themselves, and nothing covers what is not there", () => {
  fc.assert(
    fc.property(rules, (own) => {
      assert.deepEqual(uncovered(own, own), []);
      assert.deepEqual(uncovered(own, []), []);
    }),
  );
});

test("what is left uncovered is told by what it is about, verbs together", () => {
  const asked = [{ verbs: ["get", "list"], apiGroups: [""], resources: ["pods", "pods/log"], resourceNames: ["a"] }];
  const held = [{ verbs: ["get"], apiGroups: ["*"], resources: ["*/log"] }];
  assert.deepEqual(describeRules(uncovered(held, asked)), [
    '{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["get" "list"]}',
    '{APIGroups:[""], Resources:["pods/log"], ResourceNames:["a"], Verbs:["list"]}',
  ]);
  assert.deepEqual(describeRules([{ verbs: ["get"], nonResourceURLs: ["/x"] }]), [
    '{NonResourceURLs:["/x"], Verbs:["get"]}',
  ]);
});
