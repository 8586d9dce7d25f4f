// Made by tools/kinds/generate.ts from k8s.io/api/events/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.events.v1";

/** The types of events.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
Event
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  eventTime MicroTime keep tag=2 required
  series EventSeries set tag=3
  reportingController string omit tag=4
  reportingInstance string omit tag=5
  action string omit tag=6
  reason string omit tag=7
  regarding core/v1.ObjectReference keep tag=8
  related core/v1.ObjectReference set tag=9
  note string omit tag=10
  type string omit tag=11
  deprecatedSource core/v1.EventSource keep tag=12
  deprecatedFirstTimestamp Time keep tag=13
  deprecatedLastTimestamp Time keep tag=14
  deprecatedCount int32 omit tag=15

EventList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []Event keep tag=2 required

EventSeries
  count int32 keep tag=1 required
  lastObservedTime MicroTime keep tag=2 required
`;
