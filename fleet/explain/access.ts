/** Who may do something on clusters by the AccessPolicies. Pure. */
import type { AccessPolicy } from "@atoll/api/fleet/v1alpha1/accesspolicy";
import type { ClusterRole } from "@atoll/client/builtin";
import { compile } from "../compile/compile.ts";
import { type LabelSelector, nameLabel } from "../compile/policies/envelope.ts";
import type { Fleet } from "./organization.ts";

/** What is to be done. */
export interface Deed {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
}

/** @param resource RESOURCE[.GROUP][/SUBRESOURCE], as `pods/exec`, `deployments.apps` */
export function deedOf(verb: string, resource: string): Deed {
  const [named = "", sub] = resource.split("/");
  const [plural = "", ...group] = named.split(".");
  return { verb, group: group.join("."), resource: sub === undefined ? plural : `${plural}/${sub}` };
}

/** One who may. */
export interface Grant {
  readonly cluster: string;
  /** KIND/NAME, of a ServiceAccount KIND/NAMESPACE/NAME. */
  readonly subject: string;
  /** `whole cluster`, or `namespaces` and which, in words. */
  readonly where: string;
  readonly role: string;
  readonly policy: string;
  readonly level: string;
}

type Rules = NonNullable<ClusterRole["rules"]>;
interface Binding {
  readonly kind: string;
  readonly roleRef: { readonly name: string };
  readonly subjects: AccessPolicy["spec"]["bindings"][number]["subjects"];
}

/** @param rolesOf the rules of the ClusterRoles that every Kubernetes has, by name */
export function whoCan(deed: Deed, fleet: Fleet, rolesOf: ReadonlyMap<string, Rules>): readonly Grant[] {
  return fleet.clusters.flatMap((cluster) => {
    const wanted = compile(cluster, fleet.organization).filter(({ source }) => source.startsWith("AccessPolicy/"));
    const own = new Map(
      wanted
        .filter(({ manifest }) => manifest.kind === "ClusterRole")
        .map(({ manifest }) => [manifest.metadata.name ?? "", (manifest as unknown as { rules: Rules }).rules]),
    );
    return wanted.flatMap(({ manifest, eachNamespace, source, level }): Grant[] => {
      const { kind, roleRef, subjects } = manifest as unknown as Binding;
      if (!kind.endsWith("Binding")) return [];
      const rules = own.get(roleRef.name) ?? rolesOf.get(roleRef.name) ?? [];
      if (!rules.some((rule) => allows(rule, deed))) return [];
      const where = eachNamespace === undefined ? "whole cluster" : whereOf(eachNamespace);
      return subjects.map(({ kind: of, name, namespace }) => ({
        cluster: cluster.metadata.name ?? "",
        subject: [of, ...(of === "ServiceAccount" ? [namespace ?? ""] : []), name].join("/"),
        where,
        role: roleRef.name,
        policy: source,
        level,
      }));
    });
  });
}

/** That the system's own are left out goes without saying. */
function whereOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const own = matchExpressions.filter(({ key, operator }) => !(key === nameLabel && operator === "NotIn"));
  const names = own.find(({ key, operator }) => key === nameLabel && operator === "In")?.values;
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const others = own
    .filter(({ key, operator }) => !(key === nameLabel && operator === "In"))
    .map(
      ({ key, operator, values = [] }) => `${key} ${operator}${values.length === 0 ? "" : ` (${values.join(", ")})`}`,
    );
  const conditions = [...(names === undefined ? [] : [names.join(", ")]), ...labels, ...others];
  return conditions.length === 0 ? "all namespaces" : `namespaces ${conditions.join(", ")}`;
}

/** A rule for named objects allows the deed for those alone: it does not count. */
function allows(rule: Rules[number], deed: Deed): boolean {
  const [apiGroups, resources, names] = [rule.apiGroups ?? [], rule.resources ?? [], rule.resourceNames ?? []];
  const has = (values: readonly string[], value: string) => values.includes("*") || values.includes(value);
  const [, subresource] = deed.resource.split("/");
  const wild = subresource !== undefined && resources.includes(`*/${subresource}`);
  if (names.length > 0 || !has(rule.verbs ?? [], deed.verb) || !has(apiGroups, deed.group)) return false;
  return wild || has(resources, deed.resource);
}
