import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterInventory } from "@atoll/api/fleet/v1alpha1/clusterinventory";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { type Search, searched } from "./inventory.ts";

const asOf = "2026-11-01T00:00:00Z";
const cluster = (name: string) =>
  ({
    metadata: { name },
    spec: {},
    status: {
      namespace: `home-${name}`,
      phase: "Ready",
      nodes: { ready: 1, total: 1 },
      version: "v1.36.0",
      inventoryTime: asOf,
    },
  }) as unknown as FleetCluster;
const inventory = (home: string, kind: string, ...items: object[]) =>
  ({
    metadata: { name: `${kind.toLowerCase()}s`, namespace: `home-${home}` },
    spec: { kind, time: asOf, total: items.length, unhealthy: 0, items },
  }) as unknown as ClusterInventory;
const web = { namespace: "shop", name: "web", version: "nginx:1.27", state: "1/1 ready", healthy: true };
const cart = { namespace: "shop", name: "cart", version: "cart:2", state: "0/1 ready", healthy: false };
const shop = { namespace: "", name: "shop", version: "", state: "Active", healthy: true };

const all = [
  inventory("c1", "Deployment", web, cart),
  inventory("c2", "Deployment", web),
  inventory("c1", "Namespace", shop),
  inventory("elsewhere", "Deployment", web),
];
const names = (search: Search) =>
  searched([cluster("c1"), cluster("c2")], all, search).found.map((one) => `${one.cluster} ${one.kind}/${one.name}`);

test("all words must occur, anywhere; whose an inventory is, its namespace says", () => {
  assert.deepEqual(names({ words: ["NGINX"] }), ["c1 Deployment/web", "c2 Deployment/web"]);
  assert.deepEqual(names({ words: ["nginx", "c2"] }), ["c2 Deployment/web"]);
  assert.deepEqual(names({ words: ["nginx:1.28"] }), []);
});

test("kinds, clusters, namespaces and health narrow it", () => {
  assert.deepEqual(names({ kinds: ["clusters"] }), ["c1 Cluster/c1", "c2 Cluster/c2"]);
  assert.deepEqual(names({ unhealthy: true }), ["c1 Deployment/cart"]);
  assert.deepEqual(names({ namespace: "shop", cluster: "c1" }), [
    "c1 Deployment/cart",
    "c1 Deployment/web",
    "c1 Namespace/shop",
  ]);
});

test("every fact has its age, and what is not told is said", () => {
  const part = inventory("c1", "Deployment", web);
  const gone = { ...part, spec: { ...part.spec, total: 3 } };
  const refused = { ...part, spec: { ...part.spec, kind: "DeprecatedAPI", total: 0, items: [], problem: "may not" } };
  const { found, gaps } = searched([cluster("c1")], [gone, refused], { kinds: ["deployment", "deprecatedapi"] });
  assert.deepEqual(found, [{ cluster: "c1", kind: "Deployment", ...web, asOf }]);
  assert.deepEqual(gaps, ["c1: of 3 deployments 1 are told, the unhealthy ones first", "c1: DeprecatedAPI: may not"]);
});
