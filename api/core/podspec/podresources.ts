/** What a whole pod may take, and its claims on devices. Source: pkg/apis/core/validation (validatePodResources, validatePodResourceClaims) */
import { nameRules } from "@atoll/machinery/names";
import { compareQuantities, formatQuantity, parseQuantity } from "@atoll/machinery/quantity";
import type { PodResourceClaim, PodSpec, ResourceRequirements } from "../../builtin/core/v1.types.ts";
import { compareAmounts, type Place } from "./place.ts";
import { requestsOf } from "./requests.ts";
import { checkResourceName, checkResources, isHugePages } from "./resources.ts";

const podLevel = ["cpu", "memory"];
const none: ReadonlySet<string> = new Set();

/** Resources of the pod as a whole: at least what its containers ask for together. */
export function checkPodResources(spec: PodSpec, resources: ResourceRequirements, at: Place): void {
  if (resources.claims !== undefined) at.forbidden("claims", "claims cannot be set for Resources at pod-level");
  const { claims: _, ...amounts } = resources;
  checkResources(amounts, { claims: none, checkName: checkPodLevelName }, at);
  for (const [name, sum] of requestsOf(spec)) {
    const own = resources.requests?.[name] ?? "0";
    if (compareQuantities(sum, parseQuantity(own)) <= 0) continue;
    const detail = `must be greater than or equal to aggregate container requests of ${formatQuantity(sum)}`;
    at.entry("requests", name).invalid("", own, detail);
  }
  for (const [i, container] of (spec.containers ?? []).entries()) {
    for (const [name, limit] of Object.entries(container.resources.limits ?? {})) {
      const own = resources.limits?.[name];
      if (own === undefined || compareAmounts(limit, own) <= 0) continue;
      const here = at.item("containers", i).entry("resources", name);
      here.invalid("limits", limit, `must be less than or equal to pod limits of ${own}`);
    }
  }
}

function checkPodLevelName(name: string, at: Place): void {
  if (!checkResourceName(name, at)) return;
  if (!podLevel.includes(name) && !isHugePages(name)) at.notSupported("", name, podLevel);
}

/** Claims on devices; `at` is the specification's place. @returns the names that containers may use */
export function checkPodClaims(claims: readonly PodResourceClaim[], at: Place): ReadonlySet<string> {
  const seen = new Set<string>();
  for (const [i, claim] of claims.entries()) {
    const here = at.item("resourceClaims", i);
    const { name } = claim;
    if (name === "") here.required("name");
    else if (seen.has(name)) here.duplicate("name", name);
    else here.each("name", name, nameRules.dnsLabel(name, false));
    if (name !== "") seen.add(name);
    checkClaimSource(claim, here);
  }
  return seen;
}

function checkClaimSource(claim: PodResourceClaim, at: Place): void {
  const { resourceClaimName: name, resourceClaimTemplateName: template } = claim;
  if (name !== undefined && template !== undefined) {
    at.invalid("", claim, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
  }
  if (name === undefined && template === undefined) {
    at.invalid("", claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
  }
  if (name !== undefined) at.each("resourceClaimName", name, nameRules.dnsSubdomain(name, false));
  if (template !== undefined) at.each("resourceClaimTemplateName", template, nameRules.dnsSubdomain(template, false));
}
