// Made by tools/kinds/generate.ts from k8s.io/api/events/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as core from "../core/v1.types.ts";
import type * as meta from "../meta/v1.types.ts";

export type Event = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  eventTime: string | null;
  series?: EventSeries;
  reportingController?: string;
  reportingInstance?: string;
  action?: string;
  reason?: string;
  regarding: core.ObjectReference;
  related?: core.ObjectReference;
  note?: string;
  type?: string;
  deprecatedSource: core.EventSource;
  deprecatedFirstTimestamp: string | null;
  deprecatedLastTimestamp: string | null;
  deprecatedCount?: number;
};

export type EventList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: Event[] | null;
};

export type EventSeries = {
  count: number;
  lastObservedTime: string | null;
};
