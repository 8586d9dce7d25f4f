/**
 * What a control of the Pod Security Standards is, and the words in which all of them speak.
 * Source: k8s.io/pod-security-admission/policy (checks.go, helpers.go, visitor.go)
 */
import type { Container, PodSpec } from "@atoll/api/builtin/core/v1.types";

/** A pod, or what a template makes one from. */
export interface PodLike {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

/** What a pod does that a control forbids. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

/** Judges a pod; undefined when nothing is to be said. */
export type Check = (pod: PodLike) => Violation | undefined;

/** A control in all its versions. */
export interface Control {
  readonly id: string;
  readonly level: "baseline" | "restricted";
  /** Baseline controls that this one says more strictly; they are left out where it applies. */
  readonly overrides?: readonly string[];
  /** Minor versions (of 1.x) from which a check applies, ascending. */
  readonly versions: readonly (readonly [since: number, check: Check])[];
}

/** All containers, whatever kind. Ephemeral ones have the same fields as far as controls look. */
export function containersOf({ spec }: PodLike): readonly Container[] {
  return [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...((spec.ephemeralContainers ?? []) as unknown as Container[]),
  ];
}

/** Names of the containers that a condition holds for. */
export function namesWhere(pod: PodLike, holds: (container: Container) => boolean): readonly string[] {
  return containersOf(pod)
    .filter(holds)
    .map(({ name }) => name);
}

/** `"a", "b"` */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}

/** Each once, in the order of their code points. */
export function distinct(values: Iterable<string>): readonly string[] {
  return [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));
}

/** The word as one or as many. */
export function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`;
}

/** `container "a"`, `containers "a", "b"` */
export function containers(names: readonly string[]): string {
  return `${plural("container", names.length)} ${quoted(names)}`;
}

/** `pod and containers "a", "b"`; "" when it is nobody */
export function setters(podToo: boolean, names: readonly string[]): string {
  return [...(podToo ? ["pod"] : []), ...(names.length > 0 ? [containers(names)] : [])].join(" and ");
}
