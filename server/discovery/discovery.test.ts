import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { builtinKinds } from "@atoll/api/catalog";
import type { Kind } from "@atoll/api/kind";
import fc from "fast-check";
import { aggregatedCore, aggregatedGroups, entityTag } from "./aggregated.ts";
import { apiGroup, apiGroupList, apiResourceList, apiVersions, storageVersionHash } from "./documents.ts";
import { type ServedGroup, servedGroups } from "./groups.ts";

const oracle = `${process.env["ATOLL_ORACLE"] ?? "../shared/oracle"}/discovery.jsonl`;
const kinds = builtinKinds();
const groups = servedGroups(kinds);

/** The document a path gives, or undefined where there is none. */
function documentAt(path: string, aggregated: boolean): unknown {
  const [, root, name, version] = path.split("/");
  if (path === "/api") return aggregated ? aggregatedCore(groups) : apiVersions("<address>");
  if (path === "/apis") return aggregated ? aggregatedGroups(groups) : apiGroupList(groups);
  if (root === "api") return listOf(groupOf(""), name);
  const group = groupOf(name ?? "");
  if (group === undefined) return undefined;
  return version === undefined ? apiGroup(group) : listOf(group, version);
}

function groupOf(name: string): ServedGroup | undefined {
  return groups.find((group) => group.name === name);
}

function listOf(group: ServedGroup | undefined, version: string | undefined): unknown {
  const served = group?.versions.find((each) => each.version === version);
  if (group === undefined || served === undefined) return undefined;
  const list = apiResourceList(group.name, served) as { resources: { storageVersionHash?: string; name: string }[] };
  for (const resource of list.resources) {
    if (resource.storageVersionHash !== undefined) resource.storageVersionHash = "<hash>";
  }
  return list;
}

test("discovery of the built-in kinds equals that of kube-apiserver 1.36", {
  skip: !existsSync(oracle) && `no recording at ${oracle}`,
}, () => {
  let compared = 0;
  for (const text of readFileSync(oracle, "utf8").trim().split("\n")) {
    const line = JSON.parse(text) as { id: string; path: string; accept?: string; status: number; result: unknown };
    if (line.status !== 200) continue;
    assert.deepEqual(documentAt(line.path, line.accept !== undefined), line.result, line.id);
    compared++;
  }
  assert.ok(compared > 40);
});

test("storageVersionHash() gives the hashes that clusters show", () => {
  const hashOf = (group: string, version: string, kind: string): string | undefined => {
    const found = kinds.find((each) => each.group === group && each.version === version && each.kind === kind);
    return found && storageVersionHash(found);
  };
  assert.equal(hashOf("", "v1", "Pod"), "xPOwRZ+Yhw8=");
  assert.equal(hashOf("autoscaling", "v1", "HorizontalPodAutoscaler"), "qwQve8ut294=");
  assert.equal(hashOf("events.k8s.io", "v1", "Event"), "r2yiGXH7wu8=");
});

const widget: Kind = {
  group: "example.com",
  version: "v1beta1",
  kind: "Widget",
  plural: "widgets",
  singular: "widget",
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: ["get", "list"],
  subresources: [{ name: "status", verbs: ["get"] }],
  schema: {},
  strategy: {},
};

test("servedGroups() lists custom groups after the built-in ones, their preferred version first", () => {
  const served = servedGroups([...kinds, widget, { ...widget, version: "v1" }, { ...widget, version: "foo" }]);
  const last = served.at(-1);
  assert.equal(last?.name, "example.com");
  assert.deepEqual(
    last.versions.map(({ version }) => version),
    ["v1", "v1beta1", "foo"],
  );
});

test("servedGroups() places an aggregated group by its priority, and prefers it to a custom one", () => {
  const remote = {
    group: "metrics.k8s.io",
    version: "v1beta1",
    priority: { group: 17_900, version: 100 },
    resources: undefined,
  };
  const shadowed = { ...remote, group: "example.com", resources: [{ resource: "things" }] };
  const served = servedGroups([...kinds, widget], [remote, shadowed]);
  assert.deepEqual(
    served.slice(0, 4).map(({ name }) => name),
    ["apiregistration.k8s.io", "", "example.com", "metrics.k8s.io"],
  );
  const document = aggregatedGroups(served) as { items: { metadata: { name: string }; versions: unknown[] }[] };
  const versionsOf = (name: string): unknown => document.items.find((item) => item.metadata.name === name)?.versions;
  assert.deepEqual(versionsOf("metrics.k8s.io"), [{ version: "v1beta1", freshness: "Stale" }]);
  assert.deepEqual(versionsOf("example.com"), [
    { version: "v1beta1", resources: [{ resource: "things" }], freshness: "Current" },
  ]);
});

test("aggregated discovery spells out the group of custom kinds", () => {
  const document = aggregatedGroups(servedGroups([widget])) as { items: { versions: { resources: unknown[] }[] }[] };
  assert.deepEqual(document.items[0]?.versions[0]?.resources, [
    {
      resource: "widgets",
      responseKind: { group: "example.com", version: "v1beta1", kind: "Widget" },
      scope: "Namespaced",
      singularResource: "widget",
      verbs: ["get", "list"],
      subresources: [
        {
          subresource: "status",
          responseKind: { group: "example.com", version: "v1beta1", kind: "Widget" },
          verbs: ["get"],
        },
      ],
    },
  ]);
});

test("servedGroups() gives one order whatever order kinds come in", () => {
  const names = JSON.stringify(groups.map(({ name, versions }) => [name, versions.map(({ version }) => version)]));
  fc.assert(
    fc.property(fc.shuffledSubarray([...kinds], { minLength: kinds.length }), (shuffled) => {
      const again = servedGroups(shuffled).map(({ name, versions }) => [name, versions.map(({ version }) => version)]);
      assert.equal(JSON.stringify(again), names);
    }),
    { numRuns: 20 },
  );
});

test("entityTag() is quoted and follows the body", () => {
  assert.match(entityTag("a"), /^"[0-9A-F]{128}"$/);
  assert.notEqual(entityTag("a"), entityTag("b"));
});
