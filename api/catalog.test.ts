import assert from "node:assert/strict";
import { test } from "node:test";
import { formatApiVersion } from "@atoll/machinery/object";
import { builtinKinds } from "./catalog.ts";
import { builtinPriorities } from "./resources.ts";
import { hasBuiltinSchema } from "./schemas.ts";
import { strategies } from "./strategies.ts";

const kinds = builtinKinds();

test("every built-in kind has a schema with metadata, and its group a rank", () => {
  for (const kind of kinds) {
    assert.equal(kind.schema.type, "object", kind.kind);
    assert.ok(kind.schema.properties?.["metadata"], kind.kind);
    if (kind.group === "apiregistration.k8s.io") continue;
    assert.ok(builtinPriorities[`${kind.group}/${kind.version}`], kind.group);
  }
});

test("the bodies of subresources have schemas", () => {
  for (const { kind } of kinds.flatMap(({ subresources }) => subresources)) {
    if (kind === undefined) continue;
    assert.ok(hasBuiltinSchema(formatApiVersion(kind.group, kind.version), kind.kind), kind.kind);
  }
});

test("no two kinds share a group, version and plural, or a short name", () => {
  const places = kinds.map(({ group, version, plural }) => `${group}/${version}/${plural}`);
  assert.equal(new Set(places).size, places.length);
  const owners = new Map<string, Set<string>>();
  for (const { shortNames, plural } of kinds) {
    for (const name of shortNames) owners.set(name, (owners.get(name) ?? new Set()).add(plural));
  }
  for (const [name, plurals] of owners) assert.equal(plurals.size, 1, name);
});

test("virtual kinds are those that are never stored", () => {
  const virtual = kinds.filter((kind) => kind.virtual === true).map(({ kind }) => kind);
  assert.deepEqual(virtual.sort(), [
    "Binding",
    "ComponentStatus",
    "LocalSubjectAccessReview",
    "SelfSubjectAccessReview",
    "SelfSubjectReview",
    "SelfSubjectRulesReview",
    "SubjectAccessReview",
    "TokenReview",
  ]);
});

test("every strategy belongs to a built-in kind", () => {
  const names = new Set(kinds.map(({ group, kind }) => `${group}/${kind}`));
  for (const name of Object.keys(strategies)) assert.ok(names.has(name), name);
});
