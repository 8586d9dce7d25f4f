/**
 * Spreading Pods over domains of a topology, as evenly as a constraint wants.
 * Source: k8s.io/kubernetes/pkg/scheduler/framework/plugins/podtopologyspread
 */
import type { TopologySpreadConstraint } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import type { LabelSelector, LabelSelectorObject } from "@atoll/machinery/selectors/labels";
import { matchesLabels } from "@atoll/machinery/selectors/labels";
import { hasRepellingTaint, isChosen } from "./filter.ts";
import type { Place } from "./places.ts";
import { selectorWith } from "./terms.ts";
import type { Filter, Refusal, World } from "./world.ts";
import { fine } from "./world.ts";

const hostname = "kubernetes.io/hostname";

interface Constraint {
  readonly key: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: LabelSelector | undefined;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

const refusals = {
  skew: [{ reason: "node(s) didn't match pod topology spread constraints", isFinal: false }],
  label: [{ reason: "node(s) didn't match pod topology spread constraints (missing required label)", isFinal: true }],
} satisfies Record<string, readonly Refusal[]>;

function constraintsOf(pod: Pod, action: "DoNotSchedule" | "ScheduleAnyway"): readonly Constraint[] {
  return (pod.spec.topologySpreadConstraints ?? [])
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
    .map((given: TopologySpreadConstraint) => ({
      key: given.topologyKey,
      maxSkew: given.maxSkew,
      minDomains: given.minDomains ?? 1,
      selector: selectorWith(given.labelSelector as LabelSelectorObject, pod, { equal: given.matchLabelKeys ?? [] }),
      honorsAffinity: (given.nodeAffinityPolicy ?? "Honor") === "Honor",
      honorsTaints: given.nodeTaintsPolicy === "Honor",
    }));
}

/** What Pods are spread by that say nothing of it but belong to a Service or a set. Source: systemDefaultConstraints */
function defaultConstraints(pod: Pod, world: World): readonly Constraint[] {
  if ((pod.spec.topologySpreadConstraints ?? []).length > 0) return [];
  const selector = world.peersOf(pod);
  if (selector === undefined) return [];
  const usual = { selector, minDomains: 1, honorsAffinity: true, honorsTaints: false };
  return [
    { ...usual, key: hostname, maxSkew: 3 },
    { ...usual, key: "topology.kubernetes.io/zone", maxSkew: 5 },
  ];
}

const valueOf = (place: Place, key: string): string | undefined => place.node.metadata.labels?.[key];

function counts(constraint: Constraint, place: Place, pod: Pod): boolean {
  if (constraint.honorsAffinity && !isChosen(pod.spec, place.node)) return false;
  return !constraint.honorsTaints || !hasRepellingTaint(place.node, pod.spec);
}

function matching({ selector }: Constraint, place: Place, pod: Pod): number {
  if (selector === undefined) return 0;
  let count = 0;
  for (const { metadata } of place.pods.values()) {
    if (metadata.deletionTimestamp !== undefined || metadata.namespace !== pod.metadata.namespace) continue;
    if (matchesLabels(selector, metadata.labels)) count += 1;
  }
  return count;
}

/** Numbers of Pods by domain, of the domains that count. */
function domainsOf(constraint: Constraint, pod: Pod, places: readonly Place[]): ReadonlyMap<string, number> {
  const domains = new Map<string, number>();
  for (const place of places) {
    const value = valueOf(place, constraint.key) ?? "";
    if (counts(constraint, place, pod))
      domains.set(value, (domains.get(value) ?? 0) + matching(constraint, place, pod));
  }
  return domains;
}

/** The filter. */
export const topologySpread: Filter = {
  wakes: ["node", "pod", "pod gone"],
  prepare(pod, world) {
    const constraints = constraintsOf(pod, "DoNotSchedule");
    if (constraints.length === 0) return undefined;
    const hasAll = (place: Place) => constraints.every(({ key }) => valueOf(place, key) !== undefined);
    const places = world.places.filter(hasAll);
    const wanted = constraints.map((constraint) => {
      const domains = domainsOf(constraint, pod, places);
      const fewest = domains.size < constraint.minDomains ? 0 : Math.min(...domains.values());
      const self = constraint.selector !== undefined && matchesLabels(constraint.selector, pod.metadata.labels);
      return { constraint, domains, most: constraint.maxSkew + fewest - Number(self) };
    });
    return (place) => {
      for (const { constraint, domains, most } of wanted) {
        const value = valueOf(place, constraint.key);
        if (value === undefined) return refusals.label;
        if ((domains.get(value) ?? 0) > most) return refusals.skew;
      }
      return fine;
    };
  },
};

/**
 * How well each of the places that are open would do, from 0 to 100; undefined: the Pod does not care.
 * @param fitting places that are open to the Pod
 */
export function spreadScores(
  pod: Pod,
  world: World,
  fitting: readonly Place[],
): ReadonlyMap<Place, number> | undefined {
  const own = constraintsOf(pod, "ScheduleAnyway");
  const constraints = own.length > 0 ? own : defaultConstraints(pod, world);
  if (constraints.length === 0) return undefined;
  const hasAll = (place: Place) =>
    own.length === 0 || constraints.every(({ key }) => valueOf(place, key) !== undefined);
  const judged = fitting.filter(hasAll);
  const parts = constraints.map((constraint) =>
    partOf(constraint, { pod, judged, places: world.places.filter(hasAll) }),
  );
  const raw = new Map(judged.map((place) => [place, Math.round(parts.reduce((sum, part) => sum + part(place), 0))]));
  return normalised(raw, fitting);
}

interface Scene {
  readonly pod: Pod;
  readonly judged: readonly Place[];
  readonly places: readonly Place[];
}

/** What one constraint adds to the score of a place; the fewer of its Pods are there, the less. */
function partOf(constraint: Constraint, { pod, judged, places }: Scene): (place: Place) => number {
  const { key, maxSkew } = constraint;
  if (key === hostname) {
    const weight = Math.log(judged.length + 2);
    return (place) =>
      valueOf(place, key) === undefined ? 0 : matching(constraint, place, pod) * weight + (maxSkew - 1);
  }
  const values = new Set(judged.flatMap((place) => valueOf(place, key) ?? []));
  const domains = values.size === 0 ? new Map<string, number>() : domainsOf(constraint, pod, places);
  const weight = Math.log(values.size + 2);
  return (place) => {
    const value = valueOf(place, key);
    return value === undefined ? 0 : (domains.get(value) ?? 0) * weight + (maxSkew - 1);
  };
}

function normalised(raw: ReadonlyMap<Place, number>, fitting: readonly Place[]): ReadonlyMap<Place, number> {
  const [least, most] = [Math.min(...raw.values()), Math.max(...raw.values())];
  const scoreOf = (place: Place) => {
    const score = raw.get(place);
    if (score === undefined) return 0;
    return most === 0 ? 100 : Math.floor((100 * (most + least - score)) / most);
  };
  return new Map(fitting.map((place) => [place, scoreOf(place)]));
}
