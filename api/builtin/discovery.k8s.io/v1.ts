// Made by tools/kinds/generate.ts from k8s.io/api/discovery/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.discovery.v1";

/** The types of discovery.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
Endpoint
  addresses []string keep tag=1 required list=set
  conditions EndpointConditions keep tag=2
  hostname string set tag=3
  targetRef core/v1.ObjectReference set tag=4
  deprecatedTopology map[]string omit tag=5
  nodeName string set tag=6
  zone string set tag=7
  hints EndpointHints set tag=8

EndpointConditions
  ready bool set tag=1
  serving bool set tag=2
  terminating bool set tag=3

EndpointHints
  forZones []ForZone omit tag=1 list=atomic
  forNodes []ForNode omit tag=2 list=atomic

EndpointPort map=atomic
  name string set tag=1
  protocol core/v1.Protocol set tag=2
  port int32 set tag=3
  appProtocol string set tag=4

EndpointSlice
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  addressType string keep tag=4 required
  endpoints []Endpoint keep tag=2 list=atomic
  ports []EndpointPort keep tag=3 list=atomic

EndpointSliceList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []EndpointSlice keep tag=2 required

ForNode
  name string keep tag=1 required

ForZone
  name string keep tag=1 required
`;
