/**
 * Which requests a policy, a binding or a webhook is about.
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/matching/matching.go
 */
import type { MatchResources, NamedRuleWithOperations } from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import type { ApiObject } from "@atoll/machinery/object";
import { type LabelSelector, matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";
import type { Attributes, Matched } from "./attributes.ts";
import type { Equivalents } from "./equivalents.ts";
import { matchesName, matchesRule } from "./rules.ts";

/** Match criteria with their selectors read. */
export interface Criteria {
  readonly namespaces: LabelSelector;
  readonly objects: LabelSelector;
  /** None: about all there is. */
  readonly rules: readonly NamedRuleWithOperations[];
  readonly excluded: readonly NamedRuleWithOperations[];
  /** Whether a rule is also about requests for the same objects under another name. */
  readonly equivalent: boolean;
}

/** Reads criteria; a webhook's rules have no names. */
export function criteriaOf(match: MatchResources = {}): Criteria {
  return {
    namespaces: selectorOf(match.namespaceSelector) ?? [],
    objects: selectorOf(match.objectSelector) ?? [],
    rules: match.resourceRules ?? [],
    excluded: match.excludeResourceRules ?? [],
    equivalent: match.matchPolicy === "Equivalent",
  };
}

/**
 * Whether requests for this resource, operation and scope can match at all, names and labels aside: worth asking once.
 */
export function mayMatch(criteria: Criteria, attributes: Attributes, equivalents: Equivalents): boolean {
  if (criteria.rules.length === 0) return true;
  return matchRules(criteria.rules, criteria, { attributes, equivalents, named: false }) !== undefined;
}

/** Where criteria look. */
export interface Surroundings {
  readonly equivalents: Equivalents;
  /** The request's Namespace; undefined for what is in none. */
  readonly namespace: ApiObject | undefined;
}

/** The resource by which a request matches; undefined when it does not. */
export function match(criteria: Criteria, attributes: Attributes, around: Surroundings): Matched | undefined {
  if (!inNamespace(criteria, around.namespace) || !isSelected(criteria, attributes)) return undefined;
  const { equivalents } = around;
  if (matchRules(criteria.excluded, criteria, { attributes, equivalents, named: true }) !== undefined) return undefined;
  if (criteria.rules.length === 0) return attributes.own;
  return matchRules(criteria.rules, criteria, { attributes, equivalents, named: true });
}

/** What is in no namespace is in everybody's. */
function inNamespace({ namespaces }: Criteria, namespace: ApiObject | undefined): boolean {
  return namespaces.length === 0 || namespace === undefined || matchesLabels(namespaces, namespace.metadata.labels);
}

function isSelected({ objects }: Criteria, { request: { object, old } }: Attributes): boolean {
  if (objects.length === 0) return true;
  return [object, old].some((each) => each?.metadata !== undefined && matchesLabels(objects, each.metadata.labels));
}

interface Asked {
  readonly attributes: Attributes;
  readonly equivalents: Equivalents;
  /** Whether the rules' resourceNames count. */
  readonly named: boolean;
}

function matchRules(
  rules: readonly NamedRuleWithOperations[],
  { equivalent }: Criteria,
  { attributes, equivalents, named }: Asked,
): Matched | undefined {
  const fits = (rule: NamedRuleWithOperations, { resource }: Matched): boolean =>
    matchesRule(rule, attributes, resource) && (!named || matchesName(rule, attributes.name));
  for (const rule of rules) if (fits(rule, attributes.own)) return attributes.own;
  if (!equivalent || rules.length === 0) return undefined;
  const others = equivalents.of(attributes.request.kind, attributes.subresource);
  for (const rule of rules) {
    const found = others.find((other) => fits(rule, other));
    if (found !== undefined) return found;
  }
  return undefined;
}
