import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CustomResourceDefinitionNames } from "@atoll/api/builtin/apiextensions.k8s.io/v1.types";
import type { CustomResourceDefinition } from "@atoll/api/apiextensions/definition";
import fc from "fast-check";
import { nextStatus as statusIn, structureOf, withCondition } from "./status.ts";

type Names = CustomResourceDefinitionNames;

const now = "2026-01-02T03:04:05Z";
const later = "2026-01-02T03:05:05Z";
const widgets: Names = {
  plural: "widgets",
  singular: "widget",
  kind: "Widget",
  listKind: "WidgetList",
  shortNames: ["w"],
};
const none: Names = { plural: "", kind: "" };

function definition(names: Names, status: Partial<CustomResourceDefinition["status"]> = {}): CustomResourceDefinition {
  const schema = { openAPIV3Schema: { type: "object" } };
  return {
    kind: "CustomResourceDefinition",
    apiVersion: "apiextensions.k8s.io/v1",
    metadata: { name: `${names.plural}.example.com` },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names,
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
    status: { conditions: null, acceptedNames: none, storedVersions: ["v1"], ...status },
  } as unknown as CustomResourceDefinition;
}

function nextStatus(crd: CustomResourceDefinition, others: readonly Names[], at: string) {
  return statusIn(crd, { others, structure: structureOf(crd), now: at });
}

function told(crd: CustomResourceDefinition, others: readonly Names[]): Record<string, string> {
  const { conditions } = nextStatus(crd, others, now);
  return Object.fromEntries((conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason ?? ""}`]));
}

describe("status of a definition", () => {
  it("gets names nobody has and is established", () => {
    const status = nextStatus(definition(widgets), [], now);
    assert.deepEqual(status.acceptedNames, widgets);
    assert.deepEqual(told(definition(widgets), []), {
      NamesAccepted: "True NoConflicts",
      Established: "True InitialNamesAccepted",
    });
  });

  const conflicts: readonly (readonly [string, Names, string])[] = [
    ["the plural", { plural: "widgets", kind: "X" }, "PluralConflict"],
    ["the plural, by another's short name", { plural: "x", kind: "X", shortNames: ["widgets"] }, "PluralConflict"],
    ["the singular", { plural: "x", singular: "widget", kind: "X" }, "SingularConflict"],
    ["a short name", { plural: "w", kind: "X" }, "ShortNamesConflict"],
    ["the kind", { plural: "x", kind: "Widget" }, "KindConflict"],
    ["the list kind", { plural: "x", kind: "WidgetList" }, "ListKindConflict"],
  ];
  for (const [what, other, reason] of conflicts) {
    it(`does not get ${what} that another has`, () => {
      assert.deepEqual(told(definition(widgets), [other]), {
        NamesAccepted: `False ${reason}`,
        Established: "False NotAccepted",
      });
    });
  }

  it("keeps the names it has when it asks for another's", () => {
    const had = nextStatus(definition(widgets), [], now);
    const status = nextStatus(definition({ ...widgets, kind: "Taken" }, had), [{ plural: "x", kind: "Taken" }], later);
    assert.equal(status.acceptedNames.kind, "Widget");
    const conditions = Object.fromEntries((status.conditions ?? []).map((each) => [each.type, each]));
    assert.equal(conditions["NamesAccepted"]?.reason, "KindConflict");
    assert.equal(conditions["NamesAccepted"]?.lastTransitionTime, later);
    assert.equal(conditions["Established"]?.status, "True");
    assert.equal(conditions["Established"]?.lastTransitionTime, now);
  });

  it("says when a schema is not structural", () => {
    const crd = definition(widgets);
    const version = crd.spec.versions?.[0];
    Object.assign(version ?? {}, { schema: { openAPIV3Schema: { type: "object", properties: { a: {} } } } });
    assert.equal(told(crd, [])["NonStructuralSchema"], "True Violations");
    const mended = definition(widgets, nextStatus(crd, [], now));
    assert.equal(told(mended, [])["NonStructuralSchema"], undefined);
  });

  it("does not establish what a bad bundle would keep from being converted", () => {
    const crd = definition(widgets);
    const clientConfig = { url: "https://example.com", caBundle: btoa("no certificate") };
    Object.assign(crd.spec, { conversion: { strategy: "Webhook", webhook: { clientConfig } } });
    assert.equal(told(crd, [])["Established"], "False InvalidCABundle");
  });

  it("settles at once: a status that was made stays", () => {
    const name = fc.constantFrom("a", "b", "c", "d");
    const names = fc.record({
      plural: name,
      singular: name,
      kind: name,
      listKind: name,
      shortNames: fc.uniqueArray(name, { minLength: 1 }),
    });
    fc.assert(
      fc.property(names, names, fc.array(names, { maxLength: 3 }), (wanted, had, others) => {
        const once = nextStatus(definition(wanted, { acceptedNames: had }), others, now);
        assert.deepEqual(nextStatus(definition(wanted, once), others, later), once);
      }),
    );
  });
});

describe("conditions", () => {
  it("keep their time while their status stays", () => {
    const made = withCondition([], { type: "A", status: "True", reason: "R", message: "" }, now);
    const [again] = withCondition(made, { type: "A", status: "True", reason: "S", message: "" }, later);
    assert.deepEqual([again?.reason, again?.lastTransitionTime], ["S", now]);
    const [turned] = withCondition(made, { type: "A", status: "False", reason: "R", message: "" }, later);
    assert.equal(turned?.lastTransitionTime, later);
  });
});
