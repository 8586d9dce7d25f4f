// Written by hand: no Debian package holds k8s.io/kube-aggregator. Source: its pkg/apis/apiregistration/v1/types.go

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1";

/** The types of apiregistration.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
APIService
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec APIServiceSpec keep
  status APIServiceStatus keep

APIServiceCondition
  type string keep required
  status string keep required
  lastTransitionTime Time keep
  reason string omit
  message string omit

APIServiceList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []APIService keep required

APIServiceSpec
  service ServiceReference keep null
  group string omit
  version string omit
  insecureSkipTLSVerify bool omit
  caBundle bytes omit list=atomic
  groupPriorityMinimum int32 keep required
  versionPriority int32 keep required

APIServiceStatus
  conditions []APIServiceCondition omit list=map(type) patch=merge(type)

ServiceReference
  namespace string omit
  name string omit
  port int32 set
`;
