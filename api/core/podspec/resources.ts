/** Requests, limits and claims. Source: pkg/apis/core/validation (ValidateContainerResourceRequirements), pkg/apis/core/helper */
import { dns1123LabelErrors, qualifiedNameErrors } from "@atoll/machinery/names";
import { parseQuantity } from "@atoll/machinery/quantity";
import type { ResourceClaim, ResourceRequirements } from "../../builtin/core/v1.types.ts";
import { compareAmounts, isWhole, type Place, signOf } from "./place.ts";

const computing: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);
const counted = [
  "pods",
  "services",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
];
const standard: ReadonlySet<string> = new Set([
  ...computing,
  ...[...computing].flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  "storage",
  "requests.storage",
  ...counted,
]);
const integral: ReadonlySet<string> = new Set(counted);

/** A size of huge pages. */
export function isHugePages(name: string): boolean {
  return name.startsWith("hugepages-");
}

/** Kubernetes' own resource: no domain, or kubernetes.io's. */
export function isNative(name: string): boolean {
  return !name.includes("/") || name.includes("kubernetes.io/");
}

/** A device of somebody's: counted in whole numbers, and not overcommitted. */
export function isExtended(name: string): boolean {
  return !isNative(name) && !name.startsWith("requests.") && qualifiedNameErrors(`requests.${name}`).length === 0;
}

/** Whether a limit may be above the request. */
function isOvercommitted(name: string): boolean {
  return isNative(name) && !isHugePages(name);
}

/** A resource's name, wherever it stands. Source: validateResourceName */
export function checkResourceName(name: string, at: Place): boolean {
  const messages = qualifiedNameErrors(name);
  at.each("", name, messages);
  if (messages.length > 0) return false;
  if (name.includes("/") || standard.has(name) || isHugePages(name.replace(/^requests\./, ""))) return true;
  at.invalid("", name, "must be a standard resource type or fully qualified");
  return false;
}

/** The name of a resource that containers have. Source: ValidateContainerResourceName */
export function checkContainerResourceName(name: string, at: Place): void {
  checkResourceName(name, at);
  if (!name.includes("/")) {
    if (!isHugePages(name) && !computing.has(name)) at.invalid("", name, "must be a standard resource for containers");
  } else if (!isNative(name) && !isExtended(name)) {
    at.invalid("", name, "doesn't follow extended resource name standard");
  }
}

/** An amount of a resource: not negative, and whole where it is counted. Source: ValidateResourceQuantityValue */
export function checkAmount(name: string, amount: string, at: Place): void {
  if (signOf(amount) < 0) at.invalid("", amount, "must be greater than or equal to 0");
  if ((integral.has(name) || isExtended(name)) && !isWhole(parseQuantity(amount))) {
    at.invalid("", amount, "must be an integer");
  }
}

/** How names are checked, and which claims the pod has. */
export interface ResourceRules {
  readonly claims: ReadonlySet<string>;
  readonly checkName?: (name: string, at: Place) => void;
}

/** What a container or a pod asks for and may take at most. */
export function checkResources(resources: ResourceRequirements, rules: ResourceRules, at: Place): void {
  const { limits, requests, claims } = resources;
  for (const name in limits) checkEntry(name, limits[name] ?? "", { list: "limits", rules, at });
  for (const name in requests) {
    const amount = requests[name] ?? "";
    checkEntry(name, amount, { list: "requests", rules, at });
    checkAgainstLimit(name, amount, { limit: limits?.[name], at });
  }
  checkHugePages(resources, at);
  if (claims !== undefined) checkClaims(claims, rules.claims, at);
}

interface EntryPlace {
  readonly list: "limits" | "requests";
  readonly rules: ResourceRules;
  readonly at: Place;
}

function checkEntry(name: string, amount: string, { list, rules, at }: EntryPlace): void {
  // The common case makes no path.
  if (computing.has(name) && signOf(amount) >= 0 && rules.checkName === undefined) return;
  const here = at.entry(list, name);
  if (rules.checkName !== undefined) rules.checkName(name, here);
  else if (!computing.has(name)) checkContainerResourceName(name, here);
  checkAmount(name, amount, here);
  if (isHugePages(name)) checkHugePageAmount(name, amount, here);
}

/** Huge pages come in whole pages. */
function checkHugePageAmount(name: string, amount: string, at: Place): void {
  const size = name.slice("hugepages-".length);
  try {
    const page = onesOf(size);
    if (page > 0n && onesOf(amount) % page === 0n) return;
    at.invalid("", amount, `${amount} is not positive integer multiple of ${size}`);
  } catch {
    at.invalid("", amount, `${size} is no page size`);
  }
}

function onesOf(amount: string): bigint {
  const { value, scale } = parseQuantity(amount);
  return scale >= 0 ? value * 10n ** BigInt(scale) : value / 10n ** BigInt(-scale);
}

function checkAgainstLimit(
  name: string,
  amount: string,
  { limit, at }: { limit: string | undefined; at: Place },
): void {
  const fixed = !isOvercommitted(name);
  if (limit === undefined) {
    if (fixed) at.required("limits", "Limit must be set for non overcommitable resources");
    return;
  }
  const order = compareAmounts(amount, limit);
  if (fixed && order !== 0) at.invalid("requests", amount, `must be equal to ${name} limit of ${limit}`);
  else if (order > 0) at.invalid("requests", amount, `must be less than or equal to ${name} limit of ${limit}`);
}

function checkHugePages({ limits = {}, requests = {} }: ResourceRequirements, at: Place): void {
  const huge = Object.keys(limits).some(isHugePages) || Object.keys(requests).some(isHugePages);
  if (!huge || "cpu" in limits || "memory" in limits || "cpu" in requests || "memory" in requests) return;
  at.forbidden("", "HugePages require cpu or memory");
}

/** Each claim once, by the name the pod gives it; a claim's requests singly or all together. */
function checkClaims(claims: readonly ResourceClaim[], known: ReadonlySet<string>, at: Place): void {
  const seen = new Set<string>();
  for (const [i, { name, request }] of claims.entries()) {
    const here = at.item("claims", i);
    if (name === "") {
      here.required("");
      continue;
    }
    checkClaimRepeat(name, request ?? "", { seen, at: here });
    if (!known.has(name)) here.notFound("", name);
  }
}

function checkClaimRepeat(name: string, request: string, { seen, at }: { seen: Set<string>; at: Place }): void {
  if (seen.has(name)) return at.duplicate("", name);
  const key = request === "" ? name : `${name}/${request}`;
  if (request !== "") at.each("request", request, dns1123LabelErrors(request));
  if (seen.has(key)) at.duplicate("", key);
  else if (request === "" && [...seen].some((other) => other.startsWith(`${name}/`))) at.duplicate("", name);
  seen.add(key);
}
