// Made by tools/kinds/generate.ts from k8s.io/api/networking/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.networking.v1";

/** The types of networking.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
HTTPIngressPath
  path string omit tag=1
  pathType string keep tag=3 required null
  backend IngressBackend keep tag=2 required

HTTPIngressRuleValue
  paths []HTTPIngressPath keep tag=1 required list=atomic

IPAddress
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec IPAddressSpec keep tag=2 required

IPAddressList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []IPAddress keep tag=2 required

IPAddressSpec
  parentRef ParentReference set tag=1 required

IPBlock
  cidr string keep tag=1 required
  except []string omit tag=2 list=atomic

Ingress
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec IngressSpec keep tag=2
  status IngressStatus keep tag=3

IngressBackend
  service IngressServiceBackend set tag=4
  resource core/v1.TypedLocalObjectReference set tag=3

IngressClass
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec IngressClassSpec keep tag=2

IngressClassList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []IngressClass keep tag=2 required

IngressClassParametersReference
  apiGroup string set tag=1
  kind string keep tag=2 required
  name string keep tag=3 required
  scope string keep tag=4 null
  namespace string set tag=5

IngressClassSpec
  controller string omit tag=1
  parameters IngressClassParametersReference set tag=2

IngressList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []Ingress keep tag=2 required

IngressLoadBalancerIngress
  ip string omit tag=1
  hostname string omit tag=2
  ports []IngressPortStatus omit tag=4 list=atomic

IngressLoadBalancerStatus
  ingress []IngressLoadBalancerIngress omit tag=1 list=atomic

IngressPortStatus
  port int32 keep tag=1 required
  protocol core/v1.Protocol keep tag=2 required
  error string set tag=3

IngressRule
  host string omit tag=1
  http HTTPIngressRuleValue set tag=2.1

IngressRuleValue
  http HTTPIngressRuleValue set tag=1

IngressServiceBackend
  name string keep tag=1 required
  port ServiceBackendPort keep tag=2

IngressSpec
  ingressClassName string set tag=4
  defaultBackend IngressBackend set tag=1
  tls []IngressTLS omit tag=2 list=atomic
  rules []IngressRule omit tag=3 list=atomic

IngressStatus
  loadBalancer IngressLoadBalancerStatus keep tag=1

IngressTLS
  hosts []string omit tag=1 list=atomic
  secretName string omit tag=2

NetworkPolicy
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec NetworkPolicySpec keep tag=2

NetworkPolicyEgressRule
  ports []NetworkPolicyPort omit tag=1 list=atomic
  to []NetworkPolicyPeer omit tag=2 list=atomic

NetworkPolicyIngressRule
  ports []NetworkPolicyPort omit tag=1 list=atomic
  from []NetworkPolicyPeer omit tag=2 list=atomic

NetworkPolicyList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []NetworkPolicy keep tag=2 required

NetworkPolicyPeer
  podSelector meta/v1.LabelSelector set tag=1
  namespaceSelector meta/v1.LabelSelector set tag=2
  ipBlock IPBlock set tag=3

NetworkPolicyPort
  protocol core/v1.Protocol set tag=1
  port IntOrString set tag=2
  endPort int32 set tag=3

NetworkPolicySpec
  podSelector meta/v1.LabelSelector keep tag=1
  ingress []NetworkPolicyIngressRule omit tag=2 list=atomic
  egress []NetworkPolicyEgressRule omit tag=3 list=atomic
  policyTypes []PolicyType omit tag=4 list=atomic

ParentReference
  group string omit tag=1
  resource string omit tag=2 required
  namespace string omit tag=3
  name string omit tag=4 required

PolicyType enum=["Egress","Ingress"]

ServiceBackendPort map=atomic
  name string omit tag=1
  number int32 omit tag=2

ServiceCIDR
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec ServiceCIDRSpec keep tag=2
  status ServiceCIDRStatus keep tag=3

ServiceCIDRList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ServiceCIDR keep tag=2 required

ServiceCIDRSpec
  cidrs []string omit tag=1 list=atomic

ServiceCIDRStatus
  conditions []meta/v1.Condition omit tag=1 list=map(type) patch=merge(type)
`;
