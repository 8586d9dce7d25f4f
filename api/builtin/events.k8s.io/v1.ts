// Made by tools/kinds/generate.ts from k8s.io/api/events/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.events.v1";

/** The types of events.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
Event
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  eventTime MicroTime keep required
  series EventSeries set
  reportingController string omit
  reportingInstance string omit
  action string omit
  reason string omit
  regarding core/v1.ObjectReference keep
  related core/v1.ObjectReference set
  note string omit
  type string omit
  deprecatedSource core/v1.EventSource keep
  deprecatedFirstTimestamp Time keep
  deprecatedLastTimestamp Time keep
  deprecatedCount int32 omit

EventList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []Event keep required

EventSeries
  count int32 keep required
  lastObservedTime MicroTime keep required
`;
