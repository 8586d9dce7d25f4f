/** What an Event may say. Source: pkg/apis/core/validation/events.go (ValidateEventCreate, ValidateEventUpdate) */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123SubdomainErrors, qualifiedNameErrors } from "@atoll/machinery/names";
import type { Event } from "../builtin/core/v1.types.ts";
import { Place } from "./podspec/place.ts";

const shortMax = 128;
const noteMax = 1024;

/** An Event in the core's words, and by which group's rules it is judged: those of events.k8s.io are stricter. */
export interface EventCheck {
  readonly event: Event;
  readonly strict: boolean;
}

/** Rules of every Event. */
export function checkEvent({ event, strict }: EventCheck, errors: FieldErrors): void {
  const at = new Place(errors, Path.root);
  const { namespace = "" } = event.metadata;
  if (isSet(event.eventTime)) checkNew(event, strict ? "reportingController" : "reportingComponent", at);
  else {
    const about = event.involvedObject.namespace ?? "";
    const fits = about === "" ? namespace === "" || namespace === "default" : about === namespace;
    if (!fits) elsewhere(event, at);
  }
  at.each("namespace", namespace, dns1123SubdomainErrors(namespace));
}

/** Events that say when they happened say who tells of it, too. */
function checkNew(event: Event, reporter: string, at: Place): void {
  const { namespace = "" } = event.metadata;
  const about = event.involvedObject.namespace ?? "";
  if (about === "" && namespace !== "default" && namespace !== "kube-system") elsewhere(event, at);
  if (event.reportingComponent === "") at.required(reporter);
  at.each(reporter, event.reportingComponent, qualifiedNameErrors(event.reportingComponent));
  for (const field of ["reportingInstance", "action", "reason"] as const) {
    const value = event[field] ?? "";
    if (value === "") at.required(field);
    if (value.length > shortMax) at.invalid(field, "", `can have at most ${shortMax} characters`);
  }
  if ((event.message ?? "").length > noteMax) at.invalid("message", "", `can have at most ${noteMax} characters`);
}

function elsewhere({ involvedObject }: Event, at: Place): void {
  at.child("involvedObject").invalid("namespace", involvedObject.namespace ?? "", "does not match event.namespace");
}

function isSet(time: string | null | undefined): boolean {
  return time !== undefined && time !== null;
}

/** What only new Events of events.k8s.io have to keep. */
export function checkStrictEvent(event: Event, errors: FieldErrors): void {
  const at = new Place(errors, Path.root);
  checkSeries(event, at);
  if (!isSet(event.eventTime)) at.required("eventTime");
  if (event.type !== "Normal" && event.type !== "Warning") {
    at.invalid("type", "", `has invalid value: ${event.type ?? ""}`);
  }
  for (const field of ["firstTimestamp", "lastTimestamp"] as const) {
    if (isSet(event[field])) at.invalid(field, "", "needs to be unset");
  }
  if ((event.count ?? 0) !== 0) at.invalid("count", "", "needs to be unset");
  if (event.source.component || event.source.host) at.invalid("source", "", "needs to be unset");
}

function checkSeries({ series }: Event, at: Place): void {
  if (series === undefined) return;
  if ((series.count ?? 0) < 2) at.invalid("series.count", "", "should be at least 2");
  if (!isSet(series.lastObservedTime)) at.required("series.lastObservedTime");
}

/** In the order in which upstream looks; the reason twice, as there. */
const kept = [
  "involvedObject",
  "reason",
  "message",
  "source",
  "firstTimestamp",
  "lastTimestamp",
  "count",
  "reason",
  "type",
  "eventTime",
  "action",
  "related",
] as const;

/** Of an Event of events.k8s.io, only the series changes. */
export function checkStrictEventUpdate(event: Event, old: Event, errors: FieldErrors): void {
  const at = new Place(errors, Path.root);
  if (!deepEqual(event.series, old.series)) checkSeries(event, at);
  const immutable = (field: string, now: unknown, was: unknown): void => {
    if (!deepEqual(now, was)) at.invalid(field, now ?? null, "field is immutable");
  };
  for (const field of kept) immutable(field, event[field] ?? "", old[field] ?? "");
  immutable("reportingController", event.reportingComponent, old.reportingComponent);
  immutable("reportingInstance", event.reportingInstance, old.reportingInstance);
}
