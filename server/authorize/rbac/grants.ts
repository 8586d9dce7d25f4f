/**
 * Roles and bindings, by whom they are for. A decision looks up the one who asks and their groups, so its cost is that
 * of the roles they have, not that of the bindings there are; roles that several bindings grant are looked at once. Of
 * roles that are only about objects of certain names, as a fleet's gateway has one for each cluster, those are looked at
 * that name the object.
 *
 *     cluster bindings ─┐                          ┌─ users: name → role → bindings
 *     bindings of NS ───┴─ one table each, holding ┴─ groups: name → role → bindings
 */
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  Subject,
} from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";
import type { User } from "../../call.ts";
import { Held } from "./held.ts";
import { type Asked, Rule } from "./rules.ts";

/** Where a rule comes from, in upstream's words. */
export interface Source {
  /** `ClusterRoleBinding "x" of ClusterRole "y" to Group "z"` */
  readonly text: string;
}

/** Called with each rule that applies. True ends the visit. */
export interface Visitor {
  rule(rule: StoredRule, source: Source): boolean;
  /** A binding grants a role that is not there. */
  missing(role: string): void;
}

/** A rule as written and as matched. */
export interface StoredRule {
  readonly written: PolicyRule;
  readonly matcher: Rule;
}

/** One subject of one binding. */
type Grant = Source;

type RoleKey = string;
type BySubject = Map<string, Held<Grant>>;

/** One grant, and where it goes. */
interface Placed {
  readonly subject: string;
  readonly role: RoleKey;
  readonly grant: Grant;
}

interface Visit {
  readonly visitor: Visitor;
  readonly name: string | undefined;
}

interface Table {
  readonly users: BySubject;
  readonly groups: BySubject;
}

const rbac = "rbac.authorization.k8s.io";

/** All grants. Keys are those of the store, unique over all four kinds. */
export class Grants {
  readonly #roles = new Map<RoleKey, readonly StoredRule[]>();
  readonly #cluster: Table = newTable();
  readonly #namespaces = new Map<string, Table>();
  /** Who has a role: they are told when it becomes another. */
  readonly #holders = new Map<RoleKey, Map<Held<Grant>, number>>();
  /** How to take a binding out again. */
  readonly #undo = new Map<string, () => void>();

  putRole(role: Role | ClusterRole): void {
    const rules = (role.rules ?? []).map((written) => ({ written, matcher: new Rule(written) }));
    const key = roleKey(role.metadata.namespace ?? "", role.metadata.name ?? "");
    this.#roles.set(key, rules);
    this.#place(key);
  }

  dropRole(namespace: string, name: string): void {
    const key = roleKey(namespace, name);
    this.#roles.delete(key);
    this.#place(key);
  }

  putBinding(key: string, binding: RoleBinding | ClusterRoleBinding): void {
    this.dropBinding(key);
    const { metadata, roleRef, subjects = [] } = binding;
    const namespace = metadata.namespace ?? "";
    const table = this.#table(namespace);
    const role = roleKey(roleRef.kind === "ClusterRole" ? "" : namespace, roleRef.name);
    const undo: (() => void)[] = [];
    for (const subject of subjects) {
      const place = placeOf(subject, namespace);
      if (place === undefined) continue;
      const grant: Grant = { text: describe(binding, subject) };
      undo.push(this.#add(table[place.of], { subject: place.name, role, grant }));
    }
    this.#undo.set(key, () => {
      for (const each of undo) each();
      // A binding for nobody is in no table, which may have been replaced since.
      const unused = table.users.size === 0 && table.groups.size === 0;
      if (unused && this.#namespaces.get(namespace) === table) this.#namespaces.delete(namespace);
    });
  }

  dropBinding(key: string): void {
    this.#undo.get(key)?.();
    this.#undo.delete(key);
  }

  /**
   * Visits the rules that apply to a user, those of the cluster first.
   * @param name given: rules may be left out that are only about objects of other names
   */
  visit(user: User, namespace: string, visitor: Visitor, name?: string): void {
    if (this.#visitTable(this.#cluster, user, { visitor, name })) return;
    const table = namespace === "" ? undefined : this.#namespaces.get(namespace);
    if (table !== undefined) this.#visitTable(table, user, { visitor, name });
  }

  /** The source of the first rule that allows what is asked. */
  find(user: User, namespace: string, asked: Asked): { source: Source | undefined; missing: readonly string[] } {
    let source: Source | undefined;
    const missing: string[] = [];
    const visitor: Visitor = {
      rule(rule, from) {
        if (!rule.matcher.allows(asked)) return false;
        source = from;
        return true;
      },
      missing: (role) => void (missing.includes(role) || missing.push(role)),
    };
    this.visit(user, namespace, visitor, asked.name);
    return { source, missing };
  }

  /** The rules of a role. @returns undefined when it is not there */
  rulesOf(namespace: string, ref: { readonly kind: string; readonly name: string }): readonly PolicyRule[] | undefined {
    const key = roleKey(ref.kind === "ClusterRole" ? "" : namespace, ref.name);
    return this.#roles.get(key)?.map(({ written }) => written);
  }

  #visitTable({ users, groups }: Table, user: User, visit: Visit): boolean {
    if (this.#visitSubject(users.get(user.name), visit)) return true;
    if (groups.size === 0) return false;
    for (const group of user.groups) if (this.#visitSubject(groups.get(group), visit)) return true;
    return false;
  }

  #visitSubject(held: Held<Grant> | undefined, { visitor, name }: Visit): boolean {
    if (held === undefined) return false;
    for (const [role, [source]] of held.roles(name)) {
      const rules = this.#roles.get(role);
      if (rules === undefined || source === undefined) {
        visitor.missing(describeMissing(role));
        continue;
      }
      for (const rule of rules) if (visitor.rule(rule, source)) return true;
    }
    return false;
  }

  /** @returns takes the grant out again */
  #add(into: BySubject, { subject, role, grant }: Placed): () => void {
    let held = into.get(subject);
    if (held === undefined) into.set(subject, (held = new Held()));
    held.add(role, grant, this.#namesOf(role));
    const holders = this.#holders.get(role) ?? new Map<Held<Grant>, number>();
    this.#holders.set(role, holders.set(held, (holders.get(held) ?? 0) + 1));
    return () => {
      held.take(role, grant);
      if (held.isEmpty) into.delete(subject);
      const left = (holders.get(held) ?? 0) - 1;
      if (left > 0) holders.set(held, left);
      else holders.delete(held);
      if (holders.size === 0) this.#holders.delete(role);
    };
  }

  #place(role: RoleKey): void {
    for (const held of this.#holders.get(role)?.keys() ?? []) held.place(role, this.#namesOf(role));
  }

  /** The names that a role is about; undefined when it is about any, or is not there. */
  #namesOf(role: RoleKey): readonly string[] | undefined {
    const rules = this.#roles.get(role);
    if (rules === undefined) return undefined;
    const isNarrow = ({ resourceNames = [], nonResourceURLs = [] }: PolicyRule) =>
      resourceNames.length > 0 && nonResourceURLs.length === 0;
    if (!rules.every(({ written }) => isNarrow(written))) return undefined;
    return rules.flatMap(({ written }) => written.resourceNames ?? []);
  }

  #table(namespace: string): Table {
    if (namespace === "") return this.#cluster;
    let table = this.#namespaces.get(namespace);
    if (table === undefined) this.#namespaces.set(namespace, (table = newTable()));
    return table;
  }
}

function newTable(): Table {
  return { users: new Map(), groups: new Map() };
}

/** A ClusterRole's has no namespace; no namespace has a slash in its name. */
function roleKey(namespace: string, name: string): RoleKey {
  return `${namespace}/${name}`;
}

/** Service accounts are users of a certain name. A binding outside any namespace must say the account's. */
function placeOf({ kind, name, namespace }: Subject, own: string) {
  if (kind === "ServiceAccount") {
    const home = namespace || own;
    return home === "" ? undefined : ({ of: "users", name: `system:serviceaccount:${home}:${name}` } as const);
  }
  if (kind === "User") return { of: "users", name } as const;
  return kind === "Group" ? ({ of: "groups", name } as const) : undefined;
}

function describe({ metadata, roleRef }: RoleBinding | ClusterRoleBinding, subject: Subject): string {
  const { name = "", namespace = "" } = metadata;
  const binding = namespace === "" ? "ClusterRoleBinding" : "RoleBinding";
  const place = namespace === "" ? name : `${name}/${namespace}`;
  const role = `${roleRef.kind} ${JSON.stringify(roleRef.name)}`;
  return `${binding} ${JSON.stringify(place)} of ${role} to ${describeSubject(subject, namespace)}`;
}

function describeSubject({ kind, name, namespace }: Subject, own: string): string {
  return `${kind} ${JSON.stringify(kind === "ServiceAccount" ? `${name}/${namespace || own}` : name)}`;
}

/** Upstream's listers name the kind in the singular. */
function describeMissing(role: RoleKey): string {
  const name = JSON.stringify(role.slice(role.indexOf("/") + 1));
  return `${role.startsWith("/") ? "clusterrole" : "role"}.${rbac} ${name} not found`;
}
