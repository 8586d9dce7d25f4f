/**
 * RBAC once more, as simply as it can be said, against the server's: worlds of roles and bindings that change through the
 * store, requests as they come over the wire. The model shares no code with what it judges.
 */
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import test from "node:test";
import { builtinKinds } from "@atoll/api/catalog";
import { systemClock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import { openMemory } from "@atoll/storage/memory";
import { Exchange } from "../../exchange.ts";
import { Catalogue } from "../../registry/catalogue.ts";
import { authorize } from "../stage.ts";
import { Rbac } from "./authorizer.ts";

interface Rule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}
interface Role {
  namespace: string;
  name: string;
  rules: Rule[];
}
interface Subject {
  kind: string;
  name: string;
  namespace?: string;
}
interface Binding {
  namespace: string;
  name: string;
  role: { kind: string; name: string };
  subjects: Subject[];
}
interface Person {
  name: string;
  groups: string[];
}
/** What somebody wants, said without a URL. */
interface Wish {
  verb: string;
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  path: string;
}

/** The model. */
function mayDo(roles: Role[], bindings: Binding[], person: Person, wish: Wish): boolean {
  for (const binding of bindings) {
    if (binding.namespace !== "" && binding.namespace !== wish.namespace) continue;
    if (!binding.subjects.some((subject) => isOf(subject, binding.namespace, person))) continue;
    const home = binding.role.kind === "ClusterRole" ? "" : binding.namespace;
    const role = roles.find((each) => each.namespace === home && each.name === binding.role.name);
    if (role !== undefined && role.rules.some((rule) => permits(rule, wish))) return true;
  }
  return false;
}

function isOf(subject: Subject, namespace: string, person: Person): boolean {
  if (subject.kind === "User") return person.name === subject.name;
  if (subject.kind === "Group") return person.groups.includes(subject.name);
  return person.name === `system:serviceaccount:${subject.namespace || namespace}:${subject.name}`;
}

function permits(rule: Rule, wish: Wish): boolean {
  if (!rule.verbs.includes("*") && !rule.verbs.includes(wish.verb)) return false;
  if (wish.path !== "") {
    return (rule.nonResourceURLs ?? []).some(
      (url) => url === wish.path || (url.endsWith("*") && wish.path.startsWith(url.slice(0, -1))),
    );
  }
  const full = wish.subresource === "" ? wish.resource : `${wish.resource}/${wish.subresource}`;
  const resources = ["*", full, ...(wish.subresource === "" ? [] : [`*/${wish.subresource}`])];
  const names = rule.resourceNames ?? [];
  return (
    (rule.apiGroups ?? []).some((group) => group === "*" || group === wish.group) &&
    (rule.resources ?? []).some((resource) => resources.includes(resource)) &&
    (names.length === 0 || names.includes(wish.name))
  );
}

/** A small generator whose seed says all. */
class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }
  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
  some<T>(items: readonly T[], most: number): T[] {
    return [...new Set(Array.from({ length: 1 + this.below(most) }, () => this.of(items)))];
  }
}

const namespaces = ["red", "blue"];
const names = ["a", "b"];
const userNames = ["ann", "ben", "system:serviceaccount:red:robot", "system:serviceaccount:blue:robot"];
const groups = ["g1", "g2", "g3"];
const verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
const roleNames = ["r1", "r2", "r3"];
const paths = ["/version", "/metrics", "/openapi/v2", "/openapi/v3/apis", "/livez/ping"];
const namespaced = [
  { group: "", resource: "pods", subresources: ["", "log", "exec", "attach", "status", "proxy", "portforward"] },
  { group: "", resource: "services", subresources: ["", "proxy", "status"] },
  { group: "apps", resource: "deployments", subresources: ["", "scale", "status"] },
];
const global = [
  { group: "", resource: "nodes", subresources: ["", "proxy", "status"] },
  { group: "", resource: "namespaces", subresources: ["", "finalize"] },
  { group: "rbac.authorization.k8s.io", resource: "clusterroles", subresources: [""] },
];
const kinds = [...namespaced, ...global];
const ruleResources = kinds.flatMap(({ resource, subresources }) =>
  subresources.map((each) => (each === "" ? resource : `${resource}/${each}`)),
);

function newRule(dice: Dice): Rule {
  const some = dice.below(4) === 0 ? ["*"] : dice.some(verbs, 6);
  if (dice.below(5) === 0) {
    return {
      verbs: some,
      nonResourceURLs: dice.some(["*", "/version", "/metrics", "/openapi/*", "/livez*", "/o*"], 2),
    };
  }
  return {
    verbs: some,
    apiGroups: dice.some(["", "apps", "rbac.authorization.k8s.io", "*", "*"], 3),
    resources: dice.some([...ruleResources, "*", "*/status", "*/proxy", "*/scale"], 8),
    ...(dice.below(4) === 0 ? { resourceNames: dice.some([...names, "red"], 2) } : {}),
  };
}

function newRole(dice: Dice): Role {
  const namespace = dice.of(["", "", ...namespaces]);
  return { namespace, name: dice.of(roleNames), rules: Array.from({ length: dice.below(5) }, () => newRule(dice)) };
}

function newBinding(dice: Dice, name: string): Binding {
  const namespace = dice.of(["", ...namespaces]);
  const subject = (): Subject => {
    const kind = dice.of(["User", "Group", "ServiceAccount"]);
    if (kind === "User") return { kind, name: dice.of(userNames) };
    if (kind === "Group") return { kind, name: dice.of(groups) };
    return { kind, name: "robot", ...(dice.below(3) === 0 ? {} : { namespace: dice.of(namespaces) }) };
  };
  const kind = namespace === "" ? "ClusterRole" : dice.of(["ClusterRole", "Role"]);
  return {
    namespace,
    name,
    role: { kind, name: dice.of(roleNames) },
    subjects: Array.from({ length: dice.below(5) }, subject),
  };
}

/** A wish and the request that says it. */
function newWish(dice: Dice): { wish: Wish; method: string; url: string } {
  const nothing = { group: "", resource: "", subresource: "", namespace: "", name: "" };
  if (dice.below(6) === 0) {
    const path = dice.of(paths);
    return { wish: { ...nothing, verb: "get", path }, method: "GET", url: path };
  }
  const kind = dice.of(kinds);
  const scoped = namespaced.includes(kind);
  const subresource = dice.of(kind.subresources);
  const named = subresource !== "" || dice.below(2) === 0;
  const name = named ? dice.of(names) : "";
  const within = scoped && (named || dice.below(3) > 0) ? dice.of(namespaces) : "";
  const { method, verb, query, picked } = named ? onOne(dice) : onMany(dice);
  const base = kind.group === "" ? "/api/v1" : `/apis/${kind.group}/v1`;
  const place = within === "" ? "" : `/namespaces/${within}`;
  const below =
    subresource === "" ? "" : `/${subresource}${subresource === "proxy" ? dice.of(["", "/", "/x/../y"]) : ""}`;
  const url = `${base}${place}/${kind.resource}${name === "" ? "" : `/${name}`}${below}${query}`;
  // A Namespace lies in itself.
  const namespace = kind.resource === "namespaces" ? name : within;
  const wish = {
    verb,
    group: kind.group,
    resource: kind.resource,
    subresource,
    namespace,
    name: name || picked,
    path: "",
  };
  return { wish, method, url };
}

function onOne(dice: Dice) {
  const methods = { GET: "get", HEAD: "get", PUT: "update", PATCH: "patch", DELETE: "delete", POST: "create" } as const;
  const method = dice.of(Object.keys(methods)) as keyof typeof methods;
  return {
    method,
    verb: methods[method],
    query: dice.of(["", "?watch=1", "?fieldSelector=metadata.name%3Db"]),
    picked: "",
  };
}

function onMany(dice: Dice) {
  const way = dice.of(["list", "watch", "create", "deletecollection"]);
  const picked = dice.below(3) === 0 ? dice.of(names) : "";
  const selector = picked === "" ? "" : `fieldSelector=metadata.name%3D${picked}`;
  if (way === "create") return { method: "POST", verb: way, query: "", picked: "" };
  if (way === "deletecollection") return { method: "DELETE", verb: way, query: `?${selector}`, picked: "" };
  return { method: "GET", verb: way, query: `?${way === "watch" ? "watch=true&" : ""}${selector}`, picked };
}

const group = "rbac.authorization.k8s.io";
const cluster = (namespace: string) => namespace === "";

/** The server's side: a store, its caches, the authorizer and the stage that asks it. */
class World {
  readonly #catalogue = new Catalogue(openMemory());
  readonly #rbac: Rbac;
  readonly roles: Role[] = [];
  readonly bindings: Binding[] = [];

  constructor() {
    const wanted = ["clusterroles", "roles", "clusterrolebindings", "rolebindings"];
    for (const kind of builtinKinds()) {
      if (kind.group === group && wanted.includes(kind.plural)) this.#catalogue.serve([kind], kind);
    }
    const onError = (error: unknown) => assert.fail(String(error));
    this.#rbac = new Rbac({ catalogue: this.#catalogue, clock: systemClock, onError });
  }

  async start(): Promise<void> {
    await this.#rbac.start();
  }

  close(): void {
    this.#rbac.close();
    this.#catalogue.close();
  }

  async putRole(role: Role): Promise<void> {
    const { namespace, name, rules } = role;
    await this.#put(cluster(namespace) ? "clusterroles" : "roles", { namespace, name }, { rules });
    replace(this.roles, role);
  }

  async putBinding(binding: Binding): Promise<void> {
    const { namespace, name, role, subjects } = binding;
    const apiGroup = (kind: string) => (kind === "ServiceAccount" ? {} : { apiGroup: group });
    const rest = {
      roleRef: { apiGroup: group, ...role },
      subjects: subjects.map((subject) => ({ ...subject, ...apiGroup(subject.kind) })),
    };
    await this.#put(cluster(namespace) ? "clusterrolebindings" : "rolebindings", { namespace, name }, rest);
    replace(this.bindings, binding);
  }

  async dropAny(dice: Dice): Promise<void> {
    const list: (Role | Binding)[] = dice.below(2) === 0 ? this.roles : this.bindings;
    const [gone] = list.splice(dice.below(Math.max(1, list.length)), 1);
    if (gone === undefined) return;
    const plural = `${cluster(gone.namespace) ? "cluster" : ""}role${"rules" in gone ? "s" : "bindings"}`;
    await this.#resource(plural).update(gone, () => ({ remove: true }));
  }

  async allows(person: Person, method: string, url: string): Promise<boolean> {
    const exchange = new Exchange({ method, url, headers: {} } as IncomingMessage, {} as ServerResponse, 0);
    exchange.user = { ...person, uid: "", extra: {} };
    try {
      await authorize([this.#rbac])(exchange);
      return exchange.authorized;
    } catch (error) {
      if (error instanceof StatusError && error.reason === "Forbidden") return false;
      throw error;
    }
  }

  #resource(plural: string) {
    const resource = this.#catalogue.resource(group, plural);
    assert.ok(resource);
    return resource;
  }

  async #put(plural: string, place: { namespace: string; name: string }, rest: object): Promise<void> {
    const { namespace, name } = place;
    const resource = this.#resource(plural);
    const metadata = cluster(namespace) ? { name } : { name, namespace };
    const object = { kind: resource.stored.kind, apiVersion: `${group}/v1`, metadata, ...rest } as ApiObject;
    if (resource.cache.get(resource.key(namespace, name)) === undefined) await resource.create(object);
    else await resource.update(place, () => ({ object }));
  }
}

function replace<T extends { namespace: string; name: string }>(list: T[], item: T): void {
  const at = list.findIndex(({ namespace, name }) => namespace === item.namespace && name === item.name);
  if (at < 0) list.push(item);
  else list[at] = item;
}

async function change(world: World, dice: Dice): Promise<void> {
  const what = dice.below(5);
  if (what < 2) await world.putRole(newRole(dice));
  else if (what < 4) await world.putBinding(newBinding(dice, dice.of(["b1", "b2", "b3", "b4", "b5"])));
  else await world.dropAny(dice);
}

/** @returns of how many pairs the answer was yes */
async function compare(seed: number, rounds: number, asked: number): Promise<number> {
  const dice = new Dice(seed);
  const world = new World();
  await world.start();
  for (let i = 0; i < 25; i++) await change(world, dice);
  let yes = 0;
  for (let round = 0; round < rounds; round++) {
    await change(world, dice);
    for (let i = 0; i < asked; i++) {
      const person = { name: dice.of(userNames), groups: dice.below(3) === 0 ? [] : dice.some(groups, 2) };
      const { wish, method, url } = newWish(dice);
      const expected =
        mayDo(world.roles, world.bindings, person, wish) &&
        (!opensStream(wish) || mayDo(world.roles, world.bindings, person, { ...wish, verb: "create" }));
      const actual = await world.allows(person, method, url);
      if (expected) yes++;
      assert.equal(actual, expected, `seed ${seed}, round ${round}: ${JSON.stringify({ person, wish, method, url })}`);
    }
  }
  world.close();
  return yes;
}

/** Streams that begin with a GET are no reading: they need the right to create, too. */
function opensStream({ verb, resource, subresource }: Wish): boolean {
  return resource === "pods" && verb === "get" && ["exec", "attach", "portforward"].includes(subresource);
}

const nightly = process.env["ATOLL_NIGHTLY"] === "1";
const pairs = nightly ? 5_000_000 : 100_000;

test(`RBAC agrees with its model on ${pairs} random pairs of worlds and requests`, async () => {
  const worlds = 50;
  const rounds = 40;
  let yes = 0;
  for (let world = 0; world < worlds; world++) yes += await compare(7_000 + world, rounds, pairs / worlds / rounds);
  // Neither answer is a rare one, or the agreement would say little.
  assert.ok(yes > pairs / 10 && yes < (pairs * 9) / 10, `${yes} of ${pairs} allowed`);
});

test("the model notices a wrong answer", () => {
  const roles = [{ namespace: "", name: "r", rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }] }];
  const subjects = [{ kind: "Group", name: "g" }];
  const bindings = [{ namespace: "red", name: "b", role: { kind: "ClusterRole", name: "r" }, subjects }];
  const pod = { verb: "get", group: "", resource: "pods", subresource: "", namespace: "red", name: "a", path: "" };
  const person = { name: "ann", groups: ["g"] };
  assert.equal(mayDo(roles, bindings, person, pod), true);
  for (const other of [{ verb: "list" }, { subresource: "log" }, { namespace: "blue" }, { group: "apps" }]) {
    assert.equal(mayDo(roles, bindings, person, { ...pod, ...other }), false);
  }
  assert.equal(mayDo(roles, bindings, { name: "ann", groups: [] }, pod), false);
});
