/**
 * How much of a ResourceQuota an object uses: every object counts, and pods, services and claims by what they ask for.
 * Admission charges by it, the controller counts by it.
 * Source: k8s.io/kubernetes/pkg/quota/v1/evaluator/core, k8s.io/apiserver/pkg/quota/v1/generic
 */
import type { ApiObject } from "@atoll/machinery/object";
import type { ResourceQuotaSpec, ScopedResourceSelectorRequirement } from "../../builtin/core/v1.types.ts";
import { quantityOf } from "@atoll/machinery/quantity";
import type { Amounts } from "./amounts.ts";
import { claims } from "./claims.ts";
import { pods } from "./pods.ts";
import { services } from "./services.ts";

/** How objects of one resource count. */
export interface Measure {
  /** Whether it counts what a quota calls so. */
  counts(name: string): boolean;
  usage(object: ApiObject, nowMs: number): Amounts;
  inScope(selector: ScopedResourceSelectorRequirement, object: ApiObject): boolean;
  /** What a quota of these resources wants every object to say and this one does not. */
  missing?(names: readonly string[], object: ApiObject): string | undefined;
}

/** Counted by their own names before `count/` was. */
const plainNames: ReadonlySet<string> = new Set(["configmaps", "secrets", "replicationcontrollers", "resourcequotas"]);

/** The measure of a resource. */
export function measureOf(group: string, plural: string): Measure {
  if (group === "") {
    if (plural === "pods") return pods;
    if (plural === "services") return services;
    if (plural === "persistentvolumeclaims") return claims;
  }
  const names = new Set([countName(group, plural), ...(group === "" && plainNames.has(plural) ? [plural] : [])]);
  const one: Amounts = new Map([...names].map((name) => [name, quantityOf(1)]));
  return { counts: (name) => names.has(name), usage: () => one, inScope: () => false };
}

/** `count/deployments.apps` */
export function countName(group: string, plural: string): string {
  return `count/${plural}${group === "" ? "" : `.${group}`}`;
}

/** The resource that `count/…`, or a name from before it, is about; undefined when it is none of both. */
export function countedBy(name: string): { readonly group: string; readonly plural: string } | undefined {
  if (plainNames.has(name)) return { group: "", plural: name };
  if (!name.startsWith("count/")) return undefined;
  const [plural = "", ...group] = name.slice("count/".length).split(".");
  return { group: group.join("."), plural };
}

/** Whether a quota of these scopes is about the object at all. */
export function isCovered(
  { scopes = [], scopeSelector }: ResourceQuotaSpec,
  measure: Measure,
  object: ApiObject,
): boolean {
  const selectors = [
    ...scopes.map((scopeName) => ({ scopeName, operator: "Exists" })),
    ...(scopeSelector?.matchExpressions ?? []),
  ];
  return selectors.every((selector) => measure.inScope(selector, object));
}
