/**
 * Rules: which operations on which resources a policy or webhook is about.
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules/rules.go
 */
import type { NamedRuleWithOperations } from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import type { Attributes, ResourceName } from "./attributes.ts";

/** Whether a rule is about a request, were it made for `resource`; its resourceNames aside. */
export function matchesRule(rule: NamedRuleWithOperations, attributes: Attributes, resource: ResourceName): boolean {
  return (
    has(rule.operations, attributes.operation) &&
    has(rule.apiGroups, resource.group) &&
    has(rule.apiVersions, resource.version) &&
    matchesResource(rule.resources ?? [], resource.resource, attributes.subresource) &&
    matchesScope(rule.scope, attributes, resource)
  );
}

/** Whether the rule's resourceNames, if it has any, have the request's. */
export function matchesName({ resourceNames = [] }: NamedRuleWithOperations, name: string): boolean {
  return resourceNames.length === 0 || resourceNames.includes(name);
}

function has(items: readonly string[] = [], wanted: string): boolean {
  return items.includes("*") || items.includes(wanted);
}

function matchesResource(rules: readonly string[], resource: string, subresource: string): boolean {
  return rules.some((rule) => {
    const slash = rule.indexOf("/");
    const [parent, sub] = slash < 0 ? [rule, ""] : [rule.slice(0, slash), rule.slice(slash + 1)];
    return (parent === "*" || parent === resource) && (sub === "*" || sub === subresource);
  });
}

/** A Namespace is no namespaced object, though its attributes have a namespace. */
function matchesScope(scope: string | undefined, { namespace }: Attributes, resource: ResourceName): boolean {
  if (scope === undefined || scope === "*") return true;
  const isNamespace = resource.group === "" && resource.version === "v1" && resource.resource === "namespaces";
  const namespaced = namespace !== "" && !isNamespace;
  return scope === "Namespaced" ? namespaced : scope === "Cluster" && !namespaced;
}
