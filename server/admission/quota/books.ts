/**
 * What the quotas of a namespace say to a request, reckoned on what they had used when they were read. Pure.
 * Source: k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go (CheckRequest)
 */
import type { ResourceQuota } from "@atoll/api/builtin/core/v1.types";
import { above, add, type Amounts, excess, only, parseAmounts, tellAmounts } from "@atoll/api/core/quota/amounts";
import { isCovered, measureOf } from "@atoll/api/core/quota/measure";
import type { ApiObject } from "@atoll/machinery/object";
import { type AdmissionRequest } from "../admission.ts";
import { forbidden } from "../forbidden.ts";

/** A quota, and what is used of it. */
export interface Book {
  readonly quota: ResourceQuota;
  readonly hard: Amounts;
  used: Amounts;
}

/** What a request takes, by the quota's name. */
export type Charges = ReadonlyMap<string, Amounts>;

/** The book of a stored quota. */
export function openBook(object: ApiObject): Book {
  const quota = object as unknown as ResourceQuota;
  return { quota, hard: parseAmounts(quota.status.hard), used: parseAmounts(quota.status.used) };
}

/**
 * What a request is to be charged.
 * @throws {StatusError} Forbidden, when it does not say what a quota counts, or a quota has not been counted yet
 */
export function chargesOf(request: AdmissionRequest, books: Iterable<Book>, nowMs: number): Charges {
  const { kind, object, old } = request;
  const charges = new Map<string, Amounts>();
  if (object === undefined) return charges;
  const measure = measureOf(kind.group, kind.plural);
  let usage: Amounts | undefined;
  for (const { quota, hard, used } of books) {
    const names = [...hard.keys()].filter((name) => measure.counts(name));
    if (names.length === 0 || !isCovered(quota.spec, measure, object)) continue;
    const name = quota.metadata.name ?? "";
    const missing = measure.missing?.(names, object);
    if (missing !== undefined) throw forbidden(request, `failed quota: ${name}: ${missing}`);
    if (names.some((each) => !used.has(each))) {
      throw forbidden(request, `status unknown for quota: ${name}, resources: ${names.sort().join(",")}`);
    }
    usage ??= measure.usage(object, nowMs);
    // What an object took already it need not take again, if it took it from this quota.
    const before = old !== undefined && isCovered(quota.spec, measure, old) ? measure.usage(old, nowMs) : new Map();
    const charge = only(excess(usage, before), names);
    if (charge.size > 0) charges.set(name, charge);
  }
  return charges;
}

/**
 * Enters a charge, unless there is too little left; what others have done to an object is counted whatever it comes to.
 * @throws {StatusError} Forbidden
 */
export function enter(book: Book, charge: Amounts, request: AdmissionRequest): void {
  const used = add(book.used, charge);
  const over = request.subresource === "status" ? [] : above(only(used, charge.keys()), book.hard);
  if (over.length > 0) {
    const [requested, taken, limited] = [charge, book.used, book.hard].map((each) => tellAmounts(only(each, over)));
    const name = book.quota.metadata.name ?? "";
    const why = `exceeded quota: ${name}, requested: ${requested}, used: ${taken}, limited: ${limited}`;
    throw forbidden(request, why);
  }
  book.used = used;
}
