/**
 * events.k8s.io/v1 Events are the core's Events under other names, and are stored as those.
 * Source: k8s.io/kubernetes/pkg/apis/events/v1/conversion.go
 */
import type { ApiObject } from "@atoll/machinery/object";

/** Name in events.k8s.io, name in the core. */
const names: readonly (readonly [string, string])[] = [
  ["regarding", "involvedObject"],
  ["note", "message"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
  ["reportingController", "reportingComponent"],
];

const toCore: ReadonlyMap<string, string> = new Map(names);
const fromCore: ReadonlyMap<string, string> = new Map(names.map(([ours, core]) => [core, ours]));

/** Fields that the core always writes. */
const keptByCore = { involvedObject: {}, source: {}, firstTimestamp: null, lastTimestamp: null, eventTime: null };
/** Fields that events.k8s.io always writes. */
const keptByEvents = {
  regarding: {},
  deprecatedSource: {},
  deprecatedFirstTimestamp: null,
  deprecatedLastTimestamp: null,
  eventTime: null,
};
/** Fields without which the one leaves them out and the other writes "". */
const textOfCore: readonly string[] = ["reportingComponent", "reportingInstance"];

function rename(object: ApiObject, apiVersion: string, to: ReadonlyMap<string, string>): ApiObject {
  const entries = Object.entries(object).map(([key, value]) => [to.get(key) ?? key, value]);
  return { ...(Object.fromEntries(entries) as ApiObject), apiVersion };
}

/** The stored form: a core Event. */
export function eventToCore(object: ApiObject): ApiObject {
  const made: ApiObject = { ...keptByCore, ...rename(object, "v1", toCore) };
  for (const field of textOfCore) made[field] ??= "";
  return made;
}

/** The form of events.k8s.io/v1. */
export function eventFromCore(object: ApiObject): ApiObject {
  const made: ApiObject = { ...keptByEvents, ...rename(object, "events.k8s.io/v1", fromCore) };
  for (const field of ["reportingController", "reportingInstance"]) if (made[field] === "") delete made[field];
  return made;
}
