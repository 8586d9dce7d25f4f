/** What a ResourceQuota may say. Source: pkg/apis/core/validation (ValidateResourceQuotaSpec), pkg/apis/core/helper */
import type { ResourceQuotaSpec, ScopedResourceSelectorRequirement } from "../builtin/core/v1.types.ts";
import type { Place } from "./podspec/place.ts";
import { checkAmount, checkResourceName, isHugePages } from "./podspec/resources.ts";

const computing = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
const storing = ["persistentvolumeclaims", "requests.storage"];
const standard: ReadonlySet<string> = new Set([
  ...computing,
  ...storing,
  "ephemeral-storage",
  "requests.ephemeral-storage",
  "limits.ephemeral-storage",
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "services.nodeports",
  "services.loadbalancers",
]);

const ofPods: ReadonlySet<string> = new Set(["pods", ...computing]);
/** Which resources a scope can be about. */
const scopes: Readonly<Record<string, ReadonlySet<string>>> = {
  BestEffort: new Set(["pods"]),
  NotBestEffort: ofPods,
  Terminating: ofPods,
  NotTerminating: ofPods,
  CrossNamespacePodAffinity: ofPods,
  PriorityClass: ofPods,
  VolumeAttributesClass: new Set(storing),
};
const onlyExist: ReadonlySet<string> = new Set([
  "BestEffort",
  "NotBestEffort",
  "Terminating",
  "NotTerminating",
  "CrossNamespacePodAffinity",
]);
const opposites = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;

/** Amounts of things that quotas know. */
export function checkHard(hard: Readonly<Record<string, string>> | undefined, at: Place, field: string): void {
  for (const [name, amount] of Object.entries(hard ?? {})) {
    const here = at.entry(field, name);
    checkResourceName(name, here);
    if (!name.includes("/") && !isKnown(name)) here.invalid("", name, "must be a standard resource for quota");
    checkAmount(name, amount, here);
  }
}

function isKnown(name: string): boolean {
  return standard.has(name) || isHugePages(name) || name.startsWith("requests.hugepages-");
}

/** What is limited, and of which objects. */
export function checkQuotaSpec(spec: ResourceQuotaSpec, at: Place): void {
  checkHard(spec.hard, at, "hard");
  const limited = Object.keys(spec.hard ?? {}).filter((name) => isKnown(name));
  const given = spec.scopes ?? [];
  for (const scope of given) checkScope(scope, { limited, at, field: "scopes", value: given });
  if (conflict(given)) at.invalid("scopes", given, "conflicting scopes");
  const requirements = spec.scopeSelector?.matchExpressions ?? [];
  const here = at.child("scopeSelector").child("matchExpressions");
  for (const requirement of requirements) checkRequirement(requirement, limited, here);
  if (conflict(requirements.map(({ scopeName }) => scopeName))) here.invalid("", requirements, "conflicting scopes");
}

interface ScopePlace {
  readonly limited: readonly string[];
  readonly at: Place;
  readonly field: string;
  readonly value: unknown;
}

function checkScope(scope: string, { limited, at, field, value }: ScopePlace): void {
  const known = Object.hasOwn(scopes, scope) ? scopes[scope] : undefined;
  if (known === undefined) return at.invalid(field, value, "unsupported scope");
  for (const name of limited) {
    if (!known.has(name)) at.invalid(field, value, "unsupported scope applied to resource");
  }
}

function conflict(given: readonly string[]): boolean {
  return opposites.some(([one, other]) => given.includes(one) && given.includes(other));
}

function checkRequirement(requirement: ScopedResourceSelectorRequirement, limited: readonly string[], at: Place): void {
  const { scopeName, operator, values = [] } = requirement;
  checkScope(scopeName, { limited, at, field: "scopeName", value: scopeName });
  if (onlyExist.has(scopeName) && operator !== "Exists") {
    const why = `must be 'Exist' when scope is any of ${[...onlyExist].slice(0, -1).join(", ")} or CrossNamespacePodAffinity`;
    at.invalid("operator", operator, why);
  }
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length > 0) break;
      at.required("values", "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
      break;
    case "Exists":
    case "DoesNotExist":
      if (values.length === 0) break;
      at.invalid("values", values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
      break;
    default:
      at.invalid("operator", operator, "not a valid selector operator");
  }
}
