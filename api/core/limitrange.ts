/** LimitRange. Source: pkg/apis/core/v1/defaults.go (SetDefaults_LimitRangeItem), pkg/apis/core/validation (ValidateLimitRange) */
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { qualifiedNameErrors } from "@atoll/machinery/names";
import { parseQuantity, scaledValue } from "@atoll/machinery/quantity";
import type { LimitRange, LimitRangeItem } from "../builtin/core/v1.types.ts";
import type { Strategy } from "../kind.ts";
import { roundAmounts } from "./amounts.ts";
import { compareAmounts, Place } from "./podspec/place.ts";
import { checkContainerResourceName, checkResourceName, isHugePages, isNative } from "./podspec/resources.ts";

type Amounts = Record<string, string>;

const types = ["Container", "PersistentVolumeClaim", "Pod"];
const lists = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;

/** The rules of LimitRanges. */
export const limitRange: Strategy<LimitRange> = {
  revalidatesMetadata: true,
  /** What is said of a container's limits says the rest: the most is the default, the default is the request. */
  setDefaults({ spec }) {
    for (const item of spec.limits ?? []) {
      for (const list of lists) roundAmounts(item[list]);
      if (item.type !== "Container") continue;
      const limits: Amounts = { ...item.max, ...item.default };
      const requests: Amounts = { ...item.min, ...limits, ...item.defaultRequest };
      if (Object.keys(limits).length > 0) item.default = limits;
      if (Object.keys(requests).length > 0) item.defaultRequest = requests;
    }
  },
  prepareForCreate({ metadata }) {
    if (!metadata.name) metadata.name = metadata.uid ?? "";
  },
  validate: check,
  validateUpdate: (object, _, errors) => check(object, errors),
};

function check({ spec }: LimitRange, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("spec"));
  const seen = new Set<string>();
  for (const [i, item] of (spec.limits ?? []).entries()) {
    const here = at.item("limits", i);
    checkType(item.type, here);
    if (seen.has(item.type)) here.duplicate("type", item.type);
    seen.add(item.type);
    checkNames(item, here);
    if (item.type === "PersistentVolumeClaim" && !item.min?.["storage"] && !item.max?.["storage"]) {
      here.required("limits", "either minimum or maximum storage value is required, but neither was provided");
    }
    for (const name of new Set(lists.flatMap((list) => Object.keys(item[list] ?? {})))) checkOrder(item, name, here);
  }
}

function checkType(type: string, at: Place): void {
  const messages = qualifiedNameErrors(type);
  at.each("type", type, messages);
  if (messages.length > 0 || type.includes("/") || types.includes(type)) return;
  at.invalid("type", type, "must be a standard limit type or fully qualified");
}

function checkNames(item: LimitRangeItem, at: Place): void {
  const ofContainers = item.type === "Pod" || item.type === "Container";
  for (const list of lists) {
    const names = Object.keys(item[list] ?? {});
    if (item.type === "Pod" && (list === "default" || list === "defaultRequest")) {
      if (names.length > 0) at.forbidden(list, "may not be specified when `type` is 'Pod'");
      continue;
    }
    for (const name of names) {
      const here = at.entry(list, name);
      if (ofContainers) checkContainerResourceName(name, here);
      else checkResourceName(name, here);
    }
  }
}

/** min ≤ defaultRequest ≤ default ≤ max, where they are given. */
function checkOrder(item: LimitRangeItem, name: string, at: Place): void {
  const ordered = [
    ["min", "max", "min"],
    ["min", "defaultRequest", "defaultRequest"],
    ["defaultRequest", "max", "defaultRequest"],
    ["defaultRequest", "default", "defaultRequest"],
    ["min", "default", "default"],
    ["default", "max", "default"],
  ] as const;
  for (const [less, more, told] of ordered) {
    const [low, high] = [item[less]?.[name], item[more]?.[name]];
    if (low === undefined || high === undefined || compareAmounts(low, high) <= 0) continue;
    at.entry(told, name).invalid("", item[told]?.[name], `${less} value ${low} is greater than ${more} value ${high}`);
  }
  checkRatio(item, name, at);
  const [limit, request] = [item.default?.[name], item.defaultRequest?.[name]];
  if (limit === undefined || request === undefined || (isNative(name) && !isHugePages(name))) return;
  if (compareAmounts(limit, request) !== 0) {
    const why = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
    at.entry("default", name).invalid("", limit, why);
  }
}

const milli = -3;

function checkRatio(item: LimitRangeItem, name: string, at: Place): void {
  const ratio = item.maxLimitRequestRatio?.[name];
  if (ratio === undefined) return;
  const here = at.entry("maxLimitRequestRatio", name);
  if (compareAmounts(ratio, "1") < 0) here.invalid("", ratio, `ratio ${ratio} is less than 1`);
  const [min, max] = [item.min?.[name], item.max?.[name]];
  if (min === undefined || max === undefined) return;
  const thousandths = (amount: string): number => Number(scaledValue(parseQuantity(amount), milli));
  const most = thousandths(max) / thousandths(min);
  if (thousandths(ratio) / 1000 > most) {
    here.invalid("", ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`);
  }
}
