/**
 * Whether rules allow all that other rules allow, and how rules are told.
 * Source: k8s.io/component-helpers/auth/rbac/validation (Covers), pkg/registry/rbac/validation/policy_compact.go,
 * pkg/apis/rbac/v1/helpers.go (CompactString)
 */
import type { PolicyRule } from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";
import { pathMatches } from "./rules.ts";

/** What of `asked` the rules in `held` do not cover, in the smallest pieces; empty when they cover all. */
export function uncovered(held: readonly PolicyRule[], asked: readonly PolicyRule[]): readonly PolicyRule[] {
  return asked.flatMap((rule) => [...pieces(rule)]).filter((piece) => !held.some((rule) => covers(rule, piece)));
}

/** One verb on one resource of one group, of one name if names are given; or one verb on one path. */
function* pieces(rule: PolicyRule): Generator<PolicyRule> {
  const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const verbs = rule.verbs ?? [];
  for (const group of apiGroups) {
    for (const resource of resources) {
      for (const verb of verbs)
        yield* ofNames({ apiGroups: [group], resources: [resource], verbs: [verb] }, resourceNames);
    }
  }
  for (const url of nonResourceURLs) {
    for (const verb of verbs) yield { verbs: [verb], nonResourceURLs: [url] };
  }
}

function* ofNames(rule: PolicyRule, names: readonly string[]): Generator<PolicyRule> {
  if (names.length === 0) yield rule;
  for (const name of names) yield { ...rule, resourceNames: [name] };
}

function covers(held: PolicyRule, piece: PolicyRule): boolean {
  const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = held;
  const all = (given: readonly string[] | null | undefined, wanted: readonly string[] | null | undefined) =>
    given?.includes("*") === true || (wanted ?? []).every((each) => given?.includes(each) === true);
  if (!all(held.verbs, piece.verbs)) return false;
  if (piece.nonResourceURLs !== undefined) {
    return piece.nonResourceURLs.every((url) => nonResourceURLs.some((own) => pathMatches(own, url)));
  }
  if (!all(apiGroups, piece.apiGroups)) return false;
  if (!(piece.resources ?? []).every((each) => coversResource(resources, each))) return false;
  if (resourceNames.length === 0) return true;
  return piece.resourceNames !== undefined && piece.resourceNames.every((name) => resourceNames.includes(name));
}

function coversResource(held: readonly string[], resource: string): boolean {
  if (held.includes("*") || held.includes(resource)) return true;
  const slash = resource.indexOf("/");
  return slash >= 0 && held.includes(`*${resource.slice(slash)}`);
}

/** Pieces that differ in their verbs alone are told as one; the lines are sorted. */
export function describeRules(rules: readonly PolicyRule[]): readonly string[] {
  const byRest = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const key = JSON.stringify({ ...rule, verbs: [] });
    const known = byRest.get(key);
    const verbs = [...new Set([...(known?.verbs ?? []), ...(rule.verbs ?? [])])];
    byRest.set(key, { ...rule, verbs });
  }
  return [...new Set([...byRest.values()].map(describeRule))].sort();
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}` */
function describeRule({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const parts: readonly (readonly [string, readonly string[] | null | undefined])[] = [
    ["APIGroups", apiGroups],
    ["Resources", resources],
    ["NonResourceURLs", nonResourceURLs],
    ["ResourceNames", resourceNames],
    ["Verbs", verbs],
  ];
  const told = parts.flatMap(([name, values]) =>
    (values ?? []).length === 0 ? [] : [`${name}:${quoted(values ?? [])}`],
  );
  return `{${told.join(", ")}}`;
}

/** A list of texts as Go's %q tells it. */
export function quoted(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(" ")}]`;
}
