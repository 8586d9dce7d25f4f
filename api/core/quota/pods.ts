/** What pods count. Source: k8s.io/kubernetes/pkg/quota/v1/evaluator/core/pods.go */
import { parseTime } from "@atoll/machinery/clock";
import { type Quantity, quantityOf } from "@atoll/machinery/quantity";
import type { Affinity, Container, Pod, ScopedResourceSelectorRequirement } from "../../builtin/core/v1.types.ts";
import { podNeeds } from "../podneeds.ts";
import { qosClassOf } from "../podspec/qos.ts";
import { isExtended, isHugePages, isNative } from "../podspec/resources.ts";
import type { Measure } from "./measure.ts";
import { selects } from "./scopes.ts";

const computed = ["cpu", "memory", "ephemeral-storage"];
const names: ReadonlySet<string> = new Set([
  "pods",
  "count/pods",
  ...computed.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
]);
/** What every container must say where a quota counts it; no others, lest pods that were good become bad. */
const demanded: ReadonlySet<string> = new Set(
  ["cpu", "memory"].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
);

/** The measure of pods. */
export const pods: Measure = {
  counts: (name) =>
    names.has(name) ||
    isHugePages(name) ||
    name.startsWith("requests.hugepages-") ||
    (!isNative(name) && name.startsWith("requests.")),
  usage(object, nowMs) {
    const pod = object as unknown as Pod;
    const used = new Map([["count/pods", quantityOf(1)]]);
    if (isOver(pod, nowMs)) return used;
    const { requests, limits } = podNeeds(pod);
    used.set("pods", quantityOf(1));
    for (const [name, amount] of named(requests, limits)) used.set(name, amount);
    return used;
  },
  inScope: (selector, object) => inScope(selector, object as unknown as Pod),
  missing(wanted, object) {
    const { spec } = object as unknown as Pod;
    const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
    const told = wanted
      .filter((name) => demanded.has(name))
      .sort()
      .flatMap((name) => {
        const silent = containers.filter((container) => !says(container, name)).map((each) => each.name);
        return silent.length === 0 ? [] : [`${name} for: ${[...new Set(silent)].sort().join(",")}`];
      });
    return told.length === 0 ? undefined : `must specify ${told.join("; ")}`;
  },
};

/** Ended, or should be by now; it holds nothing any more. */
function isOver({ metadata, status }: Pod, nowMs: number): boolean {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return true;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return false;
  return nowMs > parseTime(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function* named(
  requests: ReadonlyMap<string, Quantity>,
  limits: ReadonlyMap<string, Quantity>,
): Generator<readonly [string, Quantity]> {
  for (const [name, amount] of requests) {
    if (computed.includes(name) || isHugePages(name)) yield [name, amount];
    if (computed.includes(name) || isHugePages(name) || isExtended(name)) yield [`requests.${name}`, amount];
  }
  for (const [name, amount] of limits) if (computed.includes(name)) yield [`limits.${name}`, amount];
}

function says({ resources }: Container, name: string): boolean {
  if (name.startsWith("limits.")) return resources?.limits?.[name.slice("limits.".length)] !== undefined;
  return resources?.requests?.[name.replace(/^requests\./, "")] !== undefined;
}

function inScope(selector: ScopedResourceSelectorRequirement, { spec }: Pod): boolean {
  switch (selector.scopeName) {
    case "Terminating":
      return (spec.activeDeadlineSeconds ?? -1) >= 0;
    case "NotTerminating":
      return (spec.activeDeadlineSeconds ?? -1) < 0;
    case "BestEffort":
      return qosClassOf(spec) === "BestEffort";
    case "NotBestEffort":
      return qosClassOf(spec) !== "BestEffort";
    case "PriorityClass":
      return selects(selector, spec.priorityClassName ? [spec.priorityClassName] : []);
    case "CrossNamespacePodAffinity":
      return looksElsewhere(spec.affinity);
    default:
      return false;
  }
}

function looksElsewhere(affinity: Affinity | undefined): boolean {
  return [affinity?.podAffinity, affinity?.podAntiAffinity]
    .flatMap((each) => [
      ...(each?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(each?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
    ])
    .some(({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined);
}
