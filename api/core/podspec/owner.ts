/**
 * What kinds that make pods from a template have in common: selector and template fit, numbers, shares of a number.
 * Source: pkg/apis/apps/validation (ValidatePodTemplateSpecForReplicaSet, ValidatePositiveIntOrPercent)
 */
import { matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";
import type { PodTemplateSpec } from "../../builtin/core/v1.types.ts";
import type { LabelSelector } from "../../builtin/meta/v1.types.ts";
import type { Place } from "./place.ts";
import { checkSelector, isSelector } from "./selector.ts";

/** A selector that has to be there and choose something. @returns whether it can be made a selector */
export function checkOwnSelector(selector: LabelSelector | null | undefined, kind: string, at: Place): boolean {
  if (selector === null || selector === undefined) {
    at.required("selector");
    return true;
  }
  checkSelector(selector, at.child("selector"));
  if (isEmpty(selector)) at.invalid("selector", selector, `empty selector is invalid for ${kind}`);
  const sound = isSelector(selector);
  if (!sound) at.invalid("selector", selector, "invalid label selector");
  return sound;
}

/** A selector that says nothing. */
export function isEmpty({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

/** The template's labels are what the selector wants. An absent selector fits nothing. */
export function checkSelected(
  { metadata }: PodTemplateSpec,
  selector: LabelSelector | null | undefined,
  at: Place,
): void {
  const wanted = selectorOf(selector);
  if (wanted !== undefined && matchesLabels(wanted, metadata.labels)) return;
  at.child("metadata").invalid("labels", metadata.labels ?? null, "`selector` does not match template `labels`");
}

/** Pods that are kept running start again always, and have no deadline. */
export function checkKept({ spec }: PodTemplateSpec, kind: string, at: Place): void {
  const here = at.child("spec");
  if (spec.restartPolicy !== "Always") here.notSupported("restartPolicy", spec.restartPolicy ?? "", ["Always"]);
  if (spec.activeDeadlineSeconds !== undefined) {
    here.forbidden("activeDeadlineSeconds", `activeDeadlineSeconds in ${kind} is not Supported`);
  }
}

const percent = /^[0-9]+%$/;

/** A number that is not negative, or a percentage. */
export function checkShare(share: number | string, at: Place, field: string): void {
  if (typeof share === "number") return at.nonNegative(field, share);
  if (percent.test(share)) return;
  at.invalid(
    field,
    share,
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%', or '93%', regex used for validation is '[0-9]+%')",
  );
}

/** The number in a share, of whatever it is; 0 when it is none. */
export function shareOf(share: number | string | undefined): number {
  if (share === undefined || typeof share === "number") return share ?? 0;
  return percent.test(share) ? Number(share.slice(0, -1)) : 0;
}

/** A percentage is at most all. */
export function checkAtMostAll(share: number | string, at: Place, field: string): void {
  if (typeof share === "string" && shareOf(share) > 100) at.invalid(field, share, "must not be greater than 100%");
}

/** Numbers in a status: none is negative, and those listed are at most `most`. */
export function checkCounts(
  status: object,
  { counts, within, most }: { counts: readonly string[]; within: readonly string[]; most: number },
  at: Place,
): void {
  const number = (field: string): number => Number((status as Readonly<Record<string, unknown>>)[field] ?? 0);
  for (const field of counts) at.nonNegative(field, number(field));
  for (const field of within) {
    if (number(field) > most) at.invalid(field, number(field), "cannot be greater than status.replicas");
  }
}

/** A number that only rises. */
export function checkNotDecremented(now: number | undefined, old: number | undefined, at: Place): void {
  if (old !== undefined && (now === undefined || now < old)) {
    at.invalid("collisionCount", now ?? 0, "cannot be decremented");
  }
}
