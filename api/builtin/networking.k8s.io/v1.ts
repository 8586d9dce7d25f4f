// Made by tools/kinds/generate.ts from k8s.io/api/networking/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.networking.v1";

/** The types of networking.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
HTTPIngressPath
  path string omit
  pathType string keep required null
  backend IngressBackend keep required

HTTPIngressRuleValue
  paths []HTTPIngressPath keep required list=atomic

IPAddress
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec IPAddressSpec keep required

IPAddressList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []IPAddress keep required

IPAddressSpec
  parentRef ParentReference set required

IPBlock
  cidr string keep required
  except []string omit list=atomic

Ingress
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec IngressSpec keep
  status IngressStatus keep

IngressBackend
  service IngressServiceBackend set
  resource core/v1.TypedLocalObjectReference set

IngressClass
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec IngressClassSpec keep

IngressClassList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []IngressClass keep required

IngressClassParametersReference
  apiGroup string set
  kind string keep required
  name string keep required
  scope string keep null
  namespace string set

IngressClassSpec
  controller string omit
  parameters IngressClassParametersReference set

IngressList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []Ingress keep required

IngressLoadBalancerIngress
  ip string omit
  hostname string omit
  ports []IngressPortStatus omit list=atomic

IngressLoadBalancerStatus
  ingress []IngressLoadBalancerIngress omit list=atomic

IngressPortStatus
  port int32 keep required
  protocol core/v1.Protocol keep required
  error string set

IngressRule
  host string omit
  http HTTPIngressRuleValue set

IngressRuleValue
  http HTTPIngressRuleValue set

IngressServiceBackend
  name string keep required
  port ServiceBackendPort keep

IngressSpec
  ingressClassName string set
  defaultBackend IngressBackend set
  tls []IngressTLS omit list=atomic
  rules []IngressRule omit list=atomic

IngressStatus
  loadBalancer IngressLoadBalancerStatus keep

IngressTLS
  hosts []string omit list=atomic
  secretName string omit

NetworkPolicy
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec NetworkPolicySpec keep

NetworkPolicyEgressRule
  ports []NetworkPolicyPort omit list=atomic
  to []NetworkPolicyPeer omit list=atomic

NetworkPolicyIngressRule
  ports []NetworkPolicyPort omit list=atomic
  from []NetworkPolicyPeer omit list=atomic

NetworkPolicyList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []NetworkPolicy keep required

NetworkPolicyPeer
  podSelector meta/v1.LabelSelector set
  namespaceSelector meta/v1.LabelSelector set
  ipBlock IPBlock set

NetworkPolicyPort
  protocol core/v1.Protocol set
  port IntOrString set
  endPort int32 set

NetworkPolicySpec
  podSelector meta/v1.LabelSelector keep
  ingress []NetworkPolicyIngressRule omit list=atomic
  egress []NetworkPolicyEgressRule omit list=atomic
  policyTypes []PolicyType omit list=atomic

ParentReference
  group string omit
  resource string omit required
  namespace string omit
  name string omit required

PolicyType enum=["Egress","Ingress"]

ServiceBackendPort map=atomic
  name string omit
  number int32 omit

ServiceCIDR
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec ServiceCIDRSpec keep
  status ServiceCIDRStatus keep

ServiceCIDRList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ServiceCIDR keep required

ServiceCIDRSpec
  cidrs []string omit list=atomic

ServiceCIDRStatus
  conditions []meta/v1.Condition omit list=map(type) patch=merge(type)
`;
