/**
 * The roles and bindings that are always there. At each start, what is missing of them is added, unless an object says by
 * its annotation that it is to stay as it is; what somebody added stays. Atoll's own roles lose what was withdrawn.
 * Source: k8s.io/kubernetes/pkg/registry/rbac/rest/storage_rbac.go, k8s.io/component-helpers/auth/rbac/reconciliation
 */
import type { PolicyRule, Subject } from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";
import { deepEqual } from "@atoll/machinery/equal";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { uncovered } from "../authorize/rbac/covers.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import type { Resource } from "../registry/resource.ts";
import { clone } from "../registry/versions.ts";
import { controllerRoleBindings, controllerRoles } from "./rbaccontrollers.ts";
import { namespacePolicies } from "./rbacnamespaces.ts";
import type { BindingFacts, RoleFacts } from "./rbacnotation.ts";
import { type OwnPolicy, ownPolicies } from "./rbacown.ts";
import { clusterRoleBindings, clusterRoles } from "./rbacroles.ts";
import { plant } from "./plant.ts";

const group = "rbac.authorization.k8s.io";
const autoupdate = "rbac.authorization.kubernetes.io/autoupdate";

/** A role or a binding as it should be. */
interface Policy extends ApiObject {
  rules?: PolicyRule[] | null;
  aggregationRule?: { clusterRoleSelectors: unknown[] };
  roleRef?: { readonly apiGroup: string; readonly kind: string; readonly name: string };
  subjects?: Subject[];
}

/**
 * Makes what is missing, and adds what is missing of what is there.
 * @param further of parts that the server knows nothing of
 */
export async function ensureRbac(
  catalogue: Catalogue,
  clock: Clock,
  further: readonly OwnPolicy[] = [],
): Promise<void> {
  const own = [...ownPolicies, ...further];
  const now = formatTime(clock.nowMs());
  const withdrawnOf = ({ kind, metadata: { name } }: Policy) =>
    own.find((policy) => kind === "ClusterRole" && policy.name === name)?.withdrawn ?? [];
  const ensureAll = async (plural: string, wanted: readonly Policy[]) => {
    const resource = catalogue.resource(group, plural);
    if (resource === undefined) return;
    await resource.cache.current();
    await Promise.all(wanted.map((policy) => ensure(resource, policy, { now, withdrawn: withdrawnOf(policy) })));
  };
  const namespaced = namespacePolicies.map(({ namespace, roles, bindings }) => ({
    roles: roles.map((facts) => role(facts, namespace)),
    bindings: bindings.map((facts) => binding(facts, namespace)),
  }));
  await Promise.all([
    ensureAll(
      "clusterroles",
      [...clusterRoles, ...controllerRoles, ...own].map((facts) => role(facts, "")),
    ),
    ensureAll(
      "roles",
      namespaced.flatMap(({ roles }) => roles),
    ),
    ensureAll(
      "clusterrolebindings",
      [...clusterRoleBindings, ...controllerRoleBindings, ...own].map((facts) => binding(facts, "")),
    ),
    ensureAll(
      "rolebindings",
      namespaced.flatMap(({ bindings }) => bindings),
    ),
  ]);
}

function role({ name, rules, gathers, joins }: RoleFacts, namespace: string): Policy {
  const label = (to: string) => `rbac.authorization.k8s.io/aggregate-to-${to}`;
  return {
    kind: namespace === "" ? "ClusterRole" : "Role",
    apiVersion: `${group}/v1`,
    metadata: metadata(name, namespace, joins === undefined ? {} : { [label(joins)]: "true" }),
    ...(gathers === undefined
      ? {}
      : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label(gathers)]: "true" } }] } }),
    rules: rules === undefined ? null : [...rules],
  };
}

function binding({ name, role: granted = name, subjects }: BindingFacts, namespace: string): Policy {
  return {
    kind: namespace === "" ? "ClusterRoleBinding" : "RoleBinding",
    apiVersion: `${group}/v1`,
    metadata: metadata(name, namespace, {}),
    ...(subjects.length === 0 ? {} : { subjects: [...subjects] }),
    roleRef: { apiGroup: group, kind: namespace === "" ? "ClusterRole" : "Role", name: granted },
  };
}

function metadata(name: string, namespace: string, labels: Record<string, string>): ApiObject["metadata"] {
  return {
    name,
    ...(namespace === "" ? {} : { namespace }),
    labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...labels },
    annotations: { [autoupdate]: "true" },
  };
}

interface Ensuring {
  readonly now: string;
  readonly withdrawn: readonly PolicyRule[];
}

async function ensure(resource: Resource, wanted: Policy, { now, withdrawn }: Ensuring): Promise<void> {
  const { namespace = "", name = "" } = wanted.metadata;
  const entry = resource.cache.get(resource.key(namespace, name));
  const found = entry === undefined ? undefined : (resource.cache.object(entry) as Policy);
  if (found !== undefined && isOtherRole(found, wanted)) await remove(resource, namespace, name);
  if (found === undefined || isOtherRole(found, wanted)) {
    await plant(resource, wanted, now);
    return;
  }
  await resource.update({ namespace, name }, ({ object }) => {
    const next = completed(object as Policy, wanted, withdrawn);
    return next === undefined ? "unchanged" : { object: next };
  });
}

/** What a binding grants cannot be changed, so a binding of another role is made anew. */
function isOtherRole(found: Policy, wanted: Policy): boolean {
  return !isProtected(found) && wanted.roleRef !== undefined && !deepEqual(found.roleRef, wanted.roleRef);
}

function isProtected({ metadata: { annotations } }: ApiObject): boolean {
  return annotations?.[autoupdate] === "false";
}

async function remove(resource: Resource, namespace: string, name: string): Promise<void> {
  await resource.update({ namespace, name }, () => ({ remove: true }));
}

/** The object with what it lacks, without what is withdrawn; undefined when nothing changes or it is to stay as it is. */
function completed(found: Policy, wanted: Policy, withdrawn: readonly PolicyRule[]): Policy | undefined {
  if (isProtected(found)) return undefined;
  const next = clone(found);
  // What somebody set stays set.
  next.metadata.labels = { ...wanted.metadata.labels, ...found.metadata.labels };
  next.metadata.annotations = { ...wanted.metadata.annotations, ...found.metadata.annotations };
  if (wanted.aggregationRule !== undefined) {
    const selectors = found.aggregationRule?.clusterRoleSelectors ?? [];
    next.aggregationRule = { clusterRoleSelectors: union(selectors, wanted.aggregationRule.clusterRoleSelectors) };
  } else if (wanted.rules !== undefined) {
    const kept = (found.rules ?? []).filter((rule) => !withdrawn.some((each) => deepEqual(each, rule)));
    next.rules = [...kept, ...uncovered(kept, wanted.rules ?? [])];
  }
  const subjects = union(found.subjects ?? [], wanted.subjects ?? []);
  if (subjects.length > 0) next.subjects = subjects;
  return deepEqual(next, found) ? undefined : next;
}

function union<T>(found: readonly T[], wanted: readonly T[]): T[] {
  return [...found, ...wanted.filter((each) => !found.some((own) => deepEqual(own, each)))];
}
