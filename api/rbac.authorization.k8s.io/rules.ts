/**
 * What the four kinds of RBAC share: rules, references to roles, subjects.
 * Source: k8s.io/kubernetes/pkg/apis/rbac/validation, pkg/apis/rbac/v1/defaults.go
 */
import { dns1123SubdomainErrors, pathSegmentErrors } from "@atoll/machinery/names";
import type { PolicyRule, RoleRef, Subject } from "../builtin/rbac.authorization.k8s.io/v1.types.ts";
import { ageColumn, column, nameColumn } from "../cells.ts";
import type { Column } from "../kind.ts";
import type { Place } from "../core/podspec/place.ts";

/** The group that roles, users and groups are named in. */
const rbacGroup = "rbac.authorization.k8s.io";

/** A rule is about resources or, in a ClusterRole, about paths; never about both. */
export function checkRule(rule: PolicyRule, at: Place, namespaced: boolean): void {
  if ((rule.verbs ?? []).length === 0) at.required("verbs", "verbs must contain at least one value");
  const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  if (nonResourceURLs.length > 0) {
    if (namespaced) {
      at.invalid("nonResourceURLs", nonResourceURLs, "namespaced rules cannot apply to non-resource URLs");
    }
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      const why = "rules cannot apply to both regular resources and non-resource URLs";
      at.invalid("nonResourceURLs", nonResourceURLs, why);
    }
    return;
  }
  if (apiGroups.length === 0) at.required("apiGroups", "resource rules must supply at least one api group");
  if (resources.length === 0) at.required("resources", "resource rules must supply at least one resource");
}

/** The role a binding grants. */
export function checkRoleRef(ref: RoleRef, at: Place, kinds: readonly string[]): void {
  if (ref.apiGroup !== rbacGroup) at.notSupported("apiGroup", ref.apiGroup, [rbacGroup]);
  if (!kinds.includes(ref.kind)) at.notSupported("kind", ref.kind, kinds);
  if (ref.name === "") at.required("name");
  else at.each("name", ref.name, pathSegmentErrors(ref.name, false));
}

/** Whom a binding grants it to. */
export function checkSubject(subject: Subject, at: Place, namespaced: boolean): void {
  const { kind, name, apiGroup = "", namespace = "" } = subject;
  if (name === "") at.required("name");
  switch (kind) {
    case "ServiceAccount":
      if (name !== "") at.each("name", name, dns1123SubdomainErrors(name));
      if (apiGroup !== "") at.notSupported("apiGroup", apiGroup, [""]);
      if (!namespaced && namespace === "") at.required("namespace");
      return;
    case "User":
    case "Group":
      if (apiGroup !== rbacGroup) at.notSupported("apiGroup", apiGroup, [rbacGroup]);
      return;
    default:
      at.notSupported("kind", kind, ["ServiceAccount", "User", "Group"]);
  }
}

/** Roles, users and groups are in RBAC's group unless said otherwise. */
export function setBindingDefaults({ roleRef, subjects = [] }: { roleRef: RoleRef; subjects?: Subject[] }): void {
  roleRef.apiGroup ||= rbacGroup;
  for (const subject of subjects) {
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= rbacGroup;
  }
}

/** Columns of both kinds of binding; subjectCells() are the last three. */
export const bindingColumns: readonly Column[] = [
  nameColumn,
  column("Role", "The role it grants, with its kind."),
  ageColumn,
  column("Users", "Users it grants the role to.", 1),
  column("Groups", "Groups it grants the role to.", 1),
  column("ServiceAccounts", "Service accounts it grants the role to.", 1),
];

/** `ClusterRole/admin` */
export const roleCell = ({ kind, name }: RoleRef): string => `${kind}/${name}`;

/** Names of the users, groups and service accounts, each kind in a cell of its own. */
export function subjectCells(subjects: readonly Subject[] = []): readonly string[] {
  const named = (kind: string) => subjects.filter((subject) => subject.kind === kind);
  const accounts = named("ServiceAccount").map(({ namespace = "", name }) =>
    namespace === "" ? `/${name}` : `${namespace}/${name}`,
  );
  return [
    named("User")
      .map(({ name }) => name)
      .join(", "),
    named("Group")
      .map(({ name }) => name)
      .join(", "),
    accounts.join(", "),
  ];
}
