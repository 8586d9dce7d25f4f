/**
 * Every kind of policy and recipe, enforced, warned of and audited, written at each level, observed by plain HTTP at the API
 * servers of three clusters. Each cell of the table is a policy of its own and a namespace of its own, so that all are judged
 * at once. By day not every recipe is written at every level, but each kind is, and each recipe in each enforcement. A group `prod` with `europe` below holds c1 and c2; c3 is in none.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { eventually } from "@atoll/harness/client";
import { toKey } from "@atoll/client/resource";
import { judgedRecipes, type Making, podIn, quotaSizes, roles, trafficRecipes } from "./fleetrecipes.ts";
import { type Answer, FleetStage, type Site } from "./fleetstage.ts";

const withinMs = 240_000;
const fleet = "/apis/fleet.atoll.dev/v1alpha1/namespaces/default";
const rbac = "rbac.authorization.k8s.io";

/** Where a policy is written, the cluster at which it is looked for, and the one at which it must not be. */
const levels = {
  organization: { seen: "c3", unseen: "c3" },
  group: { seen: "c2", unseen: "c3" },
  cluster: { seen: "c1", unseen: "c2" },
  workspace: { seen: "c2", unseen: "c2" },
  namespace: { seen: "c1", unseen: "c1" },
} as const;
type Level = keyof typeof levels;
const allLevels = Object.keys(levels) as Level[];
const enforcements = ["Enforce", "Warn", "Audit"] as const;

/** A policy, and the namespace in which it is looked for. */
interface Cell {
  readonly name: string;
  readonly recipe: string;
  readonly level: Level;
  readonly enforcement: (typeof enforcements)[number];
  readonly plural: string;
  readonly kind: string;
  readonly spec: object;
}

/**
 * The levels of a recipe: for the first of each kind all of them, for its others one after the other. By night all of all.
 * @param at the recipe's place in the table
 */
function levelsOf(isFirst: boolean, at: number): readonly Level[] {
  if (isFirst || process.env["ATOLL_NIGHTLY"] === "1") return allLevels;
  return [allLevels[at % allLevels.length] ?? "organization"];
}

const fullyJudged = ["baseline", "registries", "nodeport"];
const judged: readonly Cell[] = Object.entries(judgedRecipes).flatMap(([recipe, { plural, kind, spec }], at) =>
  enforcements.flatMap((enforcement, more) =>
    levelsOf(fullyJudged.includes(recipe), at + more).map((level) => {
      const name = `${recipe}-${enforcement}-${level}`.toLowerCase();
      return { name, recipe, level, enforcement, plural, kind, spec };
    }),
  ),
);

function enforcedOf(
  plural: string,
  kind: string,
  specs: Readonly<Record<string, (name: string) => object>>,
): readonly Cell[] {
  return Object.entries(specs).flatMap(([recipe, spec], at) =>
    levelsOf(at === 0, at).map((level) => {
      const name = `${recipe}-${level}`;
      return { name, recipe, level, enforcement: "Enforce", plural, kind, spec: spec(name) };
    }),
  );
}

const mutations = {
  label: { labels: { team: "blue", stage: "x" } },
  annotation: { annotations: { "example.com/owner": "ann" } },
  safe: { podSecurityDefaults: true },
};
const traffic = enforcedOf(
  "trafficpolicies",
  "TrafficPolicy",
  mapped(
    trafficRecipes,
    ({ spec }) =>
      () =>
        spec,
  ),
);
const quotas = enforcedOf(
  "quotapolicies",
  "QuotaPolicy",
  mapped(
    quotaSizes,
    ({ spec }) =>
      () =>
        spec,
  ),
);
const mutation = enforcedOf(
  "mutationpolicies",
  "MutationPolicy",
  mapped(mutations, (spec) => () => spec),
);
const access = enforcedOf(
  "accesspolicies",
  "AccessPolicy",
  mapped(roles, ({ binding }) => (name) => ({
    bindings: [{ ...binding, subjects: [{ kind: "User", name: `user-${name}` }] }],
  })),
);
const cells = [...judged, ...traffic, ...quotas, ...mutation, ...access];

function mapped<T, U>(of: Readonly<Record<string, T>>, to: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, to(value)]));
}

/** What a cell's policy says of where it holds. */
function placeOf({ level, name }: Cell): object {
  const namespaceSelector = { matchExpressions: [{ key: `row/${name}`, operator: "Exists" }] };
  if (level === "workspace") return { target: { workspace: name } };
  if (level === "namespace") return { target: { namespace: { cluster: "c1", name } } };
  const target = { organization: {}, group: { group: "prod" }, cluster: { cluster: "c1" } }[level];
  return { target, namespaceSelector };
}

/** A namespace at the other cluster that would be meant, too, were it there; or beside it, where it is the namespace that is meant. */
function outsideOf({ level }: Cell): string {
  return level === "group" || level === "cluster" ? "outside" : "free";
}

interface Stage {
  readonly stage: FleetStage;
  readonly hub: Site;
  readonly clusters: Readonly<Record<string, Site>>;
}
const staged = Promise.withResolvers<Stage>();
const opened = FleetStage.open();

before(async () => start().then(staged.resolve, staged.reject));
after(async () => (await opened).close());

async function start(): Promise<Stage> {
  const stage = await opened;
  const names = ["c1", "c2", "c3"];
  const [{ hub, gateway }, ...sites] = await Promise.all([stage.hub(), ...names.map((name) => stage.site(name))]);
  const clusters = Object.fromEntries(names.map((name, at) => [name, sites[at] as Site]));
  const at = (name: string) => ({ name, namespace: "default" });
  await hub.client.create(ClusterGroup, { metadata: at("prod"), spec: {} });
  await hub.client.create(ClusterGroup, { metadata: at("europe"), spec: { parent: "prod" } });
  const group: Readonly<Record<string, readonly string[]>> = { c1: ["--group", "prod"], c2: ["--group", "europe"] };
  for (const name of names) await stage.attach(name, gateway, group[name]);
  await Promise.all(names.map((name) => stage.untilReady(hub, name)));
  return { stage, hub, clusters };
}

/** Does something with each, eight at a time. */
async function each<T>(all: readonly T[], body: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const worker = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await body(one);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

function siteOf({ clusters }: Stage, name: string): Site {
  return clusters[name] ?? assert.fail(name);
}

async function made(site: Site, path: string, body: object): Promise<void> {
  const { status, text } = await site.send("POST", path, { body });
  assert.equal(status, 201, `${path}: ${text}`);
}

async function makeNamespaces(stage: Stage): Promise<void> {
  const own = cells.filter(({ level }) => level !== "workspace");
  await each(own, async ({ name, level }) => {
    const labels = level === "namespace" ? {} : { [`row/${name}`]: "" };
    await made(siteOf(stage, levels[level].seen), "/api/v1/namespaces", { metadata: { name, labels } });
  });
  await each(Object.entries(stage.clusters), async ([cluster, site]) => {
    const meant = cells.filter(({ level }) => outsideOf({ level } as Cell) === "outside");
    const unseen = meant.filter(({ level }) => levels[level].unseen === cluster);
    const labels = Object.fromEntries(unseen.map(({ name }) => [`row/${name}`, ""]));
    await made(site, "/api/v1/namespaces", { metadata: { name: "outside", labels } });
    await made(site, "/api/v1/namespaces", { metadata: { name: "free" } });
  });
}

async function writePolicies({ hub }: Stage): Promise<void> {
  await each(cells, async (cell) => {
    const { name, plural, kind, spec, enforcement, level } = cell;
    const metadata = { name, namespace: "default" };
    const apiVersion = "fleet.atoll.dev/v1alpha1";
    if (level === "workspace") {
      await made(hub, `${fleet}/workspaces`, { apiVersion, kind: "Workspace", metadata, spec: {} });
      const home = { workspace: name, clusters: ["c2", "c3"] };
      await made(hub, `${fleet}/fleetnamespaces`, { apiVersion, kind: "FleetNamespace", metadata, spec: home });
    }
    const body = { apiVersion, kind, metadata, spec: { ...placeOf(cell), enforcement, ...spec } };
    await made(hub, `${fleet}/${plural}`, body);
  });
}

interface Policy {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly summary?: string; readonly violations?: number; readonly clusters?: readonly object[] };
}

async function policies({ hub }: Stage, plural: string): Promise<readonly Policy[]> {
  return (JSON.parse((await hub.send("GET", `${fleet}/${plural}`)).text) as { items: Policy[] }).items;
}

/** Waits until each policy that a rule says is unlike it is no more. */
async function untilEach(stage: Stage, what: string, is: (policy: Policy) => boolean): Promise<void> {
  let left: readonly Policy[] = [];
  const plurals = [...new Set(cells.map(({ plural }) => plural))];
  await eventually(
    what,
    async () => {
      const all = (await Promise.all(plurals.map((plural) => policies(stage, plural)))).flat();
      left = all.filter((policy) => !is(policy));
      return left.length === 0;
    },
    withinMs,
  ).catch((cause: unknown) => {
    throw new Error(`${left.length}, as ${JSON.stringify(left[0])}`, { cause });
  });
}

const clustersOf: Readonly<Record<Level, string>> = {
  organization: "3/3",
  group: "2/2",
  cluster: "1/1",
  workspace: "3/3",
  namespace: "1/1",
};
const byName = new Map(cells.map((cell) => [cell.name, cell]));

test("policies of every kind, at every level, are applied at the clusters they are for", async () => {
  const stage = await staged.promise;
  await makeNamespaces(stage);
  await writePolicies(stage);
  await untilEach(stage, "all are applied", ({ metadata, status }) => {
    const { level } = byName.get(metadata.name) ?? assert.fail(metadata.name);
    return status?.summary === clustersOf[level];
  });
});

/** What a request for an object came to, once the namespace has its account. */
async function make(site: Site, { path, body }: Making, dryRun: boolean): Promise<Answer> {
  let answer: Answer | undefined;
  await eventually(
    path,
    async () => {
      answer = await site.send("POST", `${path}${dryRun ? "?dryRun=All" : ""}`, { body });
      return !/serviceaccount "default" not found|namespaces ".*" not found/.test(answer.text);
    },
    withinMs,
  );
  return answer ?? assert.fail();
}

/** The bad one may be there. */
function renamed({ path, body }: Making): Making {
  const { metadata } = body as { metadata: object };
  return { path, body: { ...body, metadata: { ...metadata, name: "fine" } } };
}

async function judge(stage: Stage, cell: Cell): Promise<void> {
  const { name, recipe, enforcement, level, kind } = cell;
  const { bad, good, says } = judgedRecipes[recipe] ?? assert.fail(recipe);
  const site = siteOf(stage, levels[level].seen);
  const enforced = enforcement === "Enforce";
  // What only warns is made, so that it is found as a violation.
  const { status, headers, text } = await make(site, bad(name), enforced);
  const policy = `fleet-${kind.toLowerCase()}-${name}`;
  assert.equal(status, enforced ? 422 : 201, `${name}: ${text}`);
  if (enforced) {
    assert.match(text, says, name);
    assert.ok(text.includes(`'${policy}'`), text);
  }
  const warning = String(headers["warning"] ?? "");
  assert.equal(says.test(warning) && warning.includes(policy), enforcement === "Warn", `${name}: ${warning}`);
  const fine = await make(site, renamed(good(name)), true);
  assert.equal(fine.status, 201, `${name}: ${fine.text}`);
  const elsewhere = await make(siteOf(stage, levels[level].unseen), bad(outsideOf(cell)), true);
  assert.equal(elsewhere.status, 201, `${name} elsewhere: ${elsewhere.text}`);
  assert.equal(elsewhere.headers["warning"]?.includes(policy) ?? false, false, name);
}

for (const recipe of Object.keys(judgedRecipes)) {
  test(`${recipe}: refused, warned of or let pass, at each level, and nowhere else`, async () => {
    const stage = await staged.promise;
    await each(
      judged.filter((cell) => cell.recipe === recipe),
      (cell) => judge(stage, cell),
    );
  });
}

test("audits are written down, by the policy's name", async () => {
  const { clusters } = await staged.promise;
  const wanted = judged.filter(({ enforcement }) => enforcement === "Audit");
  const logs = mapped(clusters, ({ dir }) => join(dir, "audit", "audit.log"));
  const key = "validation.policy.admission.k8s.io/validation_failure";
  await eventually("all are written", async () => {
    const texts = await Promise.all(Object.values(logs).map((path) => readFile(path, "utf8")));
    const told = texts
      .flatMap((text) => text.split("\n"))
      .filter((line) => line.includes(key))
      .map((line) => (JSON.parse(line) as { annotations: Record<string, string> }).annotations[key] ?? "");
    return wanted.every(({ name, kind }) =>
      told.some((text) => text.includes(`"fleet-${kind.toLowerCase()}-${name}"`)),
    );
  });
});

test("a NetworkPolicy of each recipe is in the namespaces that are meant, and in no other", async () => {
  const stage = await staged.promise;
  await each(traffic, async (cell) => {
    const { name, level, recipe } = cell;
    const path = (namespace: string) =>
      `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/fleet-trafficpolicy-${name}`;
    const { text } = await siteOf(stage, levels[level].seen).send("GET", path(name));
    assert.deepEqual(JSON.parse(text).spec, trafficRecipes[recipe]?.made, name);
    const elsewhere = await siteOf(stage, levels[level].unseen).send("GET", path(outsideOf(cell)));
    assert.equal(elsewhere.status, 404, name);
  });
});

test("a quota of each size refuses what is more, and lets pass what is not", async () => {
  const stage = await staged.promise;
  await each(quotas, async (cell) => {
    const { name, level, recipe } = cell;
    const { cpus } = quotaSizes[recipe] ?? assert.fail(recipe);
    const pod = (namespace: string, cpu: number) => {
      const amount = { cpu: String(cpu), memory: "64Mi" };
      return podIn(namespace, { container: { resources: { requests: amount, limits: amount } } });
    };
    const site = siteOf(stage, levels[level].seen);
    const more = async () => await make(site, pod(name, cpus + 1), true);
    await eventually(`${name} holds`, async () => (await more()).text.includes("exceeded quota"), withinMs);
    const { status, text } = await more();
    assert.equal(status, 403);
    assert.match(text, new RegExp(`exceeded quota: fleet-quotapolicy-${name}, requested: .*requests.cpu=${cpus + 1}`));
    assert.equal((await make(site, pod(name, cpus), true)).status, 201, name);
    const elsewhere = siteOf(stage, levels[level].unseen);
    assert.equal((await make(elsewhere, pod(outsideOf(cell), cpus + 1), true)).status, 201, name);
  });
});

test("labels, annotations and security defaults are filled in where they are meant to be", async () => {
  const stage = await staged.promise;
  await each(mutation, async (cell) => {
    const { name, level, recipe } = cell;
    const plain = (namespace: string) => podIn(namespace, { container: { securityContext: {} } });
    const inside = await make(siteOf(stage, levels[level].seen), plain(name), true);
    const outside = await make(siteOf(stage, levels[level].unseen), plain(outsideOf(cell)), true);
    const filled = ({ text }: Answer) => {
      const { metadata, spec } = JSON.parse(text);
      const { stage: labelled, team } = metadata.labels;
      const { securityContext: context = {} } = spec;
      return [labelled, team, metadata.annotations?.["example.com/owner"], context.runAsNonRoot].join();
    };
    const wanted = { label: "x,red,,", annotation: ",red,ann,", safe: ",red,,true" }[recipe];
    assert.equal(filled(inside), wanted, name);
    assert.equal(filled(outside), ",red,,", name);
  });
});

test("a role of each kind lets do what it says, in the namespaces that are meant", async () => {
  const stage = await staged.promise;
  const groupOf: Readonly<Record<string, string>> = { rolebindings: rbac };
  const ask = async (site: Site, user: string, [wish, namespace]: readonly [string, string]) => {
    const [verb, resource = ""] = wish.split(" ");
    const resourceAttributes = { verb, resource, namespace, group: groupOf[resource] ?? "" };
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    };
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const { text } = await site.send("POST", path, { body, headers: { "impersonate-user": user } });
    return (JSON.parse(text) as { status: { allowed: boolean } }).status.allowed;
  };
  await each(access, async (cell) => {
    const { name, level, recipe } = cell;
    const { may, mayNot } = roles[recipe] ?? assert.fail(recipe);
    const [seen, unseen] = [siteOf(stage, levels[level].seen), siteOf(stage, levels[level].unseen)];
    const user = `user-${name}`;
    for (const wish of may) assert.equal(await ask(seen, user, [wish, name]), true, `${name}: ${wish}`);
    for (const wish of mayNot) assert.equal(await ask(seen, user, [wish, name]), false, `${name}: ${wish}`);
    const [wish = ""] = may;
    assert.equal(await ask(unseen, user, [wish, outsideOf(cell)]), false, `${name} elsewhere`);
  });
});

test("an enforcement that Kubernetes does not have for a kind is refused, with the reason", async () => {
  const { hub } = await staged.promise;
  for (const cell of [traffic[0], quotas[0], mutation[0], access[0]]) {
    const { plural, kind, spec } = cell ?? assert.fail();
    for (const enforcement of ["Warn", "Audit"]) {
      const body = {
        ...{ apiVersion: "fleet.atoll.dev/v1alpha1", kind, metadata: { name: "refused" } },
        spec: { target: {}, enforcement, ...spec },
      };
      const { status, text } = await hub.send("POST", `${fleet}/${plural}`, { body });
      assert.equal(status, 422, plural);
      assert.match(text, /Kubernetes has no warning or audit for what this policy is made of/);
    }
  }
});

test("what was let pass is found and counted, on policies, clusters and groups", async () => {
  const stage = await staged.promise;
  const found = judged.filter(({ enforcement }) => enforcement !== "Enforce");
  const counted = new Set(found.map(({ name }) => name));
  await untilEach(stage, "each is counted", ({ metadata, status }) =>
    counted.has(metadata.name) ? status?.violations === 1 : (status?.violations ?? 0) === 0,
  );
  const on = (name: string) => found.filter(({ level }) => levels[level].seen === name).length;
  const told = async () => {
    const { client } = stage.hub;
    const of = async (name: string) => (await client.get(FleetCluster, toKey("default", name))).status?.violations;
    const groups = ["prod", "europe"].map(
      async (name) => (await client.get(ClusterGroup, toKey("default", name))).status?.violations,
    );
    return (await Promise.all(["c1", "c2", "c3"].map(of).concat(groups))).join();
  };
  const wanted = [on("c1"), on("c2"), on("c3"), on("c1") + on("c2"), on("c2")].join();
  await eventually(`counts are ${wanted}`, async () => (await told()) === wanted, withinMs);
});

test("policies that are taken away leave nothing at the clusters", async () => {
  const stage = await staged.promise;
  await each(cells, async ({ plural, name }) => {
    assert.equal((await stage.hub.send("DELETE", `${fleet}/${plural}/${name}`)).status, 200, name);
  });
  const kept = async (site: Site, resource: string) => {
    const { text } = await site.send("GET", `${resource}?labelSelector=fleet.atoll.dev/managed=true`);
    return (JSON.parse(text) as { items: unknown[] }).items.length;
  };
  const admission = "/apis/admissionregistration.k8s.io/v1";
  const resources = [
    ...[`${admission}/validatingadmissionpolicies`, `${admission}/validatingadmissionpolicybindings`],
    ...[`${admission}/mutatingadmissionpolicies`, "/api/v1/resourcequotas", `/apis/${rbac}/v1/rolebindings`],
    ...[`/apis/${rbac}/v1/clusterroles`, "/apis/networking.k8s.io/v1/networkpolicies"],
  ];
  await each(Object.values(stage.clusters), async (site) => {
    for (const resource of resources)
      await eventually(`no ${resource}`, async () => (await kept(site, resource)) === 0, withinMs);
  });
  const bad = judgedRecipes["baseline"]?.bad("baseline-enforce-cluster") ?? assert.fail();
  assert.equal((await make(siteOf(stage, "c1"), bad, true)).status, 201);
});
