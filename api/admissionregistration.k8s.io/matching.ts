/**
 * Which requests webhooks and policies are about: rules, selectors, operations.
 * Source: k8s.io/kubernetes/pkg/apis/admissionregistration/validation, …/v1/defaults.go
 */
import { pathSegmentErrors } from "@atoll/machinery/names";
import type {
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from "../builtin/admissionregistration.k8s.io/v1.types.ts";
import type { Place } from "../core/podspec/place.ts";
import { checkSelector } from "../core/podspec/selector.ts";

const operations = ["*", "CREATE", "UPDATE", "DELETE", "CONNECT"];
const scopes = ["Cluster", "Namespaced", "*"];
const matchPolicies = ["Exact", "Equivalent"];

/** What a policy for failures may be. */
export const failurePolicies: readonly string[] = ["Ignore", "Fail"];

/** Rules are about all scopes unless said otherwise. */
export function setRuleDefaults(rules: readonly RuleWithOperations[] = []): void {
  for (const rule of rules) rule.scope ??= "*";
}

/** Source: SetDefaults_MatchResources */
export function setMatchDefaults(match: MatchResources | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  setRuleDefaults(match.resourceRules);
  setRuleDefaults(match.excludeResourceRules);
}

/** Operations, groups, versions and resources; a wildcard stands alone. */
export function checkRule(rule: RuleWithOperations, at: Place): void {
  checkWildcard(rule.operations, at, { field: "operations", what: "operations" });
  for (const [i, operation] of (rule.operations ?? []).entries()) {
    if (!operations.includes(operation)) at.item("operations", i).notSupported("", operation, operations);
  }
  checkWildcard(rule.apiGroups, at, { field: "apiGroups", what: "API groups" });
  checkWildcard(rule.apiVersions, at, { field: "apiVersions", what: "API versions" });
  for (const [i, version] of (rule.apiVersions ?? []).entries()) {
    if (version === "") at.item("apiVersions", i).required("");
  }
  checkResources(rule.resources ?? [], at);
  if (rule.scope !== undefined && !scopes.includes(rule.scope)) at.notSupported("scope", rule.scope, scopes);
}

function checkWildcard(
  values: readonly string[] = [],
  at: Place,
  { field, what }: { field: string; what: string },
): void {
  if (values.length === 0) at.required(field);
  if (values.length > 1 && values.includes("*")) {
    at.invalid(field, values, `if '*' is present, must not specify other ${what}`);
  }
}

/** A resource, a subresource, or all of either; none is named by two of them. Source: validateResources */
function checkResources(resources: readonly string[], at: Place): void {
  if (resources.length === 0) at.required("resources");
  const all = new Set<string>();
  for (const [i, resource] of resources.entries()) {
    const place = at.item("resources", i);
    if (resource === "") place.required("");
    if (resource === "" || resource === "*" || resource === "*/*" || !resource.includes("/")) continue;
    const slash = resource.indexOf("/");
    for (const wide of [`${resource.slice(0, slash)}/*`, `*/${resource.slice(slash + 1)}`]) {
      if (all.has(wide)) place.invalid("", resource, `if '${wide}' is present, must not specify ${resource}`);
    }
    if (resource.endsWith("/*") || resource.startsWith("*/")) all.add(resource);
  }
  if (resources.length > 1 && resources.includes("*/*")) {
    at.invalid("resources", resources, "if '*/*' is present, must not specify other resources");
  }
  if (resources.includes("*") && resources.some((resource) => resource !== "*" && !resource.includes("/"))) {
    at.invalid("resources", resources, "if '*' is present, must not specify other resources without subresources");
  }
}

function checkNamedRule(rule: NamedRuleWithOperations, at: Place): void {
  const names = rule.resourceNames ?? [];
  for (const [i, name] of names.entries()) {
    const place = at.item("resourceNames", i);
    place.each("", name, pathSegmentErrors(name, false));
    if (names.indexOf(name) < i) place.duplicate("", name);
  }
  checkRule(rule, at);
}

/** A policy's or binding's match: selectors are required, but defaults set them. */
export function checkMatch(match: MatchResources, at: Place): void {
  checkMatchPolicy(match.matchPolicy, at.child("matchPolicy"));
  for (const field of ["namespaceSelector", "objectSelector"] as const) {
    if (match[field] === undefined) at.required(field);
    else checkSelector(match[field], at.child(field));
  }
  for (const field of ["resourceRules", "excludeResourceRules"] as const) {
    for (const [i, rule] of (match[field] ?? []).entries()) checkNamedRule(rule, at.item(field, i));
  }
}

/** One of a few values, or left out. */
export function checkChoice(value: string | undefined, supported: readonly string[], at: Place): void {
  if (value !== undefined && !supported.includes(value)) at.notSupported("", value, supported);
}

/** Checks a webhook's match policy, when it has one. */
export const checkMatchPolicy = (policy: string | undefined, at: Place): void => checkChoice(policy, matchPolicies, at);
