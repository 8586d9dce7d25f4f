/**
 * Event, in its two groups: the core's, which is stored, and events.k8s.io, which says the same in other words.
 * Source: k8s.io/kubernetes/pkg/registry/core/event, pkg/printers/internalversion (printEvent)
 */
import { nameRules } from "@atoll/machinery/names";
import type { ApiObject } from "@atoll/machinery/object";
import type { Event as CoreEvent, EventSeries, EventSource, ObjectReference } from "../builtin/core/v1.types.ts";
import type { Event as NewEvent } from "../builtin/events.k8s.io/v1.types.ts";
import { age, column, nameColumn } from "../cells.ts";
import { eventToCore } from "../events.k8s.io/storage.ts";
import type { Column, Strategy } from "../kind.ts";
import { checkEvent, checkStrictEvent, checkStrictEventUpdate } from "./eventrules.ts";

/** What both groups tell, in the core's words. */
interface Told {
  readonly name: string;
  readonly about: ObjectReference;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly source: EventSource;
  readonly reporter: string;
  readonly instance: string;
  readonly first: string | null;
  readonly last: string | null;
  readonly eventTime: string | null;
  readonly count: number;
  readonly series: Pick<EventSeries, "count" | "lastObservedTime"> | undefined;
}

function ofCore(event: CoreEvent): Told {
  return {
    name: event.metadata.name ?? "",
    about: event.involvedObject,
    type: event.type ?? "",
    reason: event.reason ?? "",
    message: event.message ?? "",
    source: event.source,
    reporter: event.reportingComponent,
    instance: event.reportingInstance,
    first: event.firstTimestamp ?? null,
    last: event.lastTimestamp ?? null,
    eventTime: event.eventTime ?? null,
    count: event.count ?? 0,
    series: event.series,
  };
}

function ofNew(event: NewEvent): Told {
  return {
    name: event.metadata.name ?? "",
    about: event.regarding,
    type: event.type ?? "",
    reason: event.reason ?? "",
    message: event.note ?? "",
    source: event.deprecatedSource,
    reporter: event.reportingController ?? "",
    instance: event.reportingInstance ?? "",
    first: event.deprecatedFirstTimestamp ?? null,
    last: event.deprecatedLastTimestamp ?? null,
    eventTime: event.eventTime,
    count: event.deprecatedCount ?? 0,
    series: event.series,
  };
}

const columns: readonly Column[] = [
  column("Last Seen", "How long ago it happened last."),
  column("Type", "Normal or Warning."),
  column("Reason", "Why it happened, in a word."),
  column("Object", "What it is about."),
  column("Subobject", "The part of the object it is about.", 1),
  column("Source", "Who tells of it.", 1),
  column("Message", "What happened."),
  column("First Seen", "How long ago it happened first.", 1),
  column("Count", "How often it happened.", 1),
  { ...nameColumn, priority: 1 },
];

function cells(told: Told, nowMs: number): (string | number)[] {
  const first = age(told.first ?? told.eventTime, nowMs);
  const last = told.last === null ? first : age(told.last, nowMs);
  return [
    told.series === undefined ? last : age(told.series.lastObservedTime, nowMs),
    told.type,
    told.reason,
    objectCell(told.about),
    told.about.fieldPath ?? "",
    sourceCell(told),
    told.message.trim(),
    first,
    told.series?.count ?? (told.count || 1),
    told.name,
  ];
}

function objectCell({ kind = "", name = "" }: ObjectReference): string {
  return name === "" ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
}

function sourceCell({ source, reporter, instance }: Told): string {
  const who = source.component || reporter;
  const where = source.component ? source.host : instance;
  return [who, where].filter((part) => part !== undefined && part !== "").join(", ");
}

/** Fields by which events may be selected. Source: event.ToSelectableFields */
function fieldsOf<T>(told: (event: T) => Told, about: string): Strategy<T>["fields"] {
  const parts = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"] as const;
  const ofObject = parts.map((part) => [`${about}.${part}`, (event: T) => told(event).about[part] ?? ""] as const);
  return {
    ...Object.fromEntries(ofObject),
    reason: (event) => told(event).reason,
    type: (event) => told(event).type,
    source: (event) => told(event).source.component || told(event).reporter,
    reportingComponent: (event) => told(event).reporter,
    reportingController: (event) => told(event).reporter,
  };
}

function asCore(event: NewEvent): CoreEvent {
  return eventToCore(structuredClone(event) as unknown as ApiObject) as unknown as CoreEvent;
}

/** The rules of the core's events. */
export const coreEvent: Strategy<CoreEvent> = {
  createOnUpdate: true,
  nameErrors: nameRules.pathSegment,
  validate: (event, errors) => checkEvent({ event, strict: false }, errors),
  validateUpdate: (event, _, errors) => checkEvent({ event, strict: false }, errors),
  fields: fieldsOf(ofCore, "involvedObject") ?? {},
  table: { columns, cells: (event, nowMs) => cells(ofCore(event), nowMs) },
};

/** The rules of events.k8s.io's events. */
export const newEvent: Strategy<NewEvent> = {
  createOnUpdate: true,
  nameErrors: nameRules.dnsSubdomain,
  validate(event, errors) {
    const inCore = asCore(event);
    checkEvent({ event: inCore, strict: true }, errors);
    checkStrictEvent(inCore, errors);
  },
  validateUpdate(event, old, errors) {
    const inCore = asCore(event);
    checkEvent({ event: inCore, strict: true }, errors);
    checkStrictEventUpdate(inCore, asCore(old), errors);
  },
  fields: fieldsOf(ofNew, "regarding") ?? {},
  table: { columns, cells: (event, nowMs) => cells(ofNew(event), nowMs) },
};
