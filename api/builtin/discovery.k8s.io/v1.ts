// Made by tools/kinds/generate.ts from k8s.io/api/discovery/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.discovery.v1";

/** The types of discovery.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
Endpoint
  addresses []string keep required list=set
  conditions EndpointConditions keep
  hostname string set
  targetRef core/v1.ObjectReference set
  deprecatedTopology map[]string omit
  nodeName string set
  zone string set
  hints EndpointHints set

EndpointConditions
  ready bool set
  serving bool set
  terminating bool set

EndpointHints
  forZones []ForZone omit list=atomic
  forNodes []ForNode omit list=atomic

EndpointPort map=atomic
  name string set
  protocol core/v1.Protocol set
  port int32 set
  appProtocol string set

EndpointSlice
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  addressType string keep required
  endpoints []Endpoint keep list=atomic
  ports []EndpointPort keep list=atomic

EndpointSliceList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []EndpointSlice keep required

ForNode
  name string keep required

ForZone
  name string keep required
`;
