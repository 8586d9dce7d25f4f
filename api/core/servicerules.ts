/** What a Service may say. Source: pkg/apis/core/validation (ValidateService, ValidateServiceUpdate) */
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123LabelErrors, dns1123SubdomainErrors, qualifiedNameErrors } from "@atoll/machinery/names";
import { portNameErrors, portNumberErrors } from "@atoll/machinery/names";
import { checkLabels } from "@atoll/machinery/objectmeta";
import type { Service, ServicePort, ServiceSpec } from "../builtin/core/v1.types.ts";
import { checkAddress, checkCidr, checkEndpointAddress, familyOf } from "./addresses.ts";
import { Place } from "./podspec/place.ts";

const protocols = ["SCTP", "TCP", "UDP"];
const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const policies = ["Cluster", "Local"];
const families = ["IPv4", "IPv6"];
const familyPolicies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const distributions = ["PreferClose", "PreferSameNode", "PreferSameZone"];
const affinitySecondsMax = 86_400;
const kubeletPort = 10_250;
const sourceRanges = "service.beta.kubernetes.io/load-balancer-source-ranges";

/** Rules within a Service. */
export function checkService(service: Service, errors: FieldErrors, old?: Service): void {
  const known = new Set([...(old?.spec.externalIPs ?? []), ...(old?.spec.clusterIPs ?? []), ...rangesOf(old)]);
  const { spec } = service;
  const at = new Place(errors, Path.of("spec"));
  checkType(spec, at);
  checkPorts(spec, at);
  if (spec.selector !== undefined) checkLabels(spec.selector, at.path.child("selector"), errors);
  checkAffinity(spec, at);
  checkClusterIps(spec, at, known);
  for (const [i, address] of (spec.externalIPs ?? []).entries()) {
    const here = at.item("externalIPs", i);
    if (checkAddress(address, here, known)) checkEndpointAddress(address, here);
  }
  checkSourceRanges(service, at, known);
  checkLoadBalancer(spec, at);
  checkTraffic(spec, at);
}

function checkType(spec: ServiceSpec, at: Place): void {
  const { ports = [], type } = spec;
  if (ports.length === 0 && !isHeadless(spec) && type !== "ExternalName") at.required("ports");
  switch (type) {
    case "LoadBalancer":
      for (const [i, { port }] of ports.entries()) {
        if (port !== kubeletPort) continue;
        at.item("ports", i).invalid("", port, "may not expose port 10250 externally since it is used by kubelet");
      }
      if (isHeadless(spec)) notHeadless(type, at);
      break;
    case "NodePort":
      if (isHeadless(spec)) notHeadless(type, at);
      break;
    case "ExternalName":
      checkExternalName(spec, at);
      break;
    default:
      break;
  }
  at.oneOf("type", type, types);
}

function notHeadless(type: string, at: Place): void {
  at.item("clusterIPs", 0).invalid("", "None", `may not be set to 'None' for ${type} services`);
}

function checkExternalName(spec: ServiceSpec, at: Place): void {
  for (const field of ["clusterIPs", "ipFamilies"] as const) {
    if ((spec[field] ?? []).length > 0) at.forbidden(field, "may not be set for ExternalName services");
  }
  if (spec.ipFamilyPolicy !== undefined) at.forbidden("ipFamilyPolicy", "may not be set for ExternalName services");
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  if (name === "") at.required("externalName");
  else at.each("externalName", name, dns1123SubdomainErrors(name));
}

function checkPorts(spec: ServiceSpec, at: Place): void {
  const names = new Set<string>();
  const numbers = new Set<string>();
  const nodePorts = new Set<string>();
  const ports = spec.ports ?? [];
  for (const [i, port] of ports.entries()) {
    const here = at.item("ports", i);
    checkPort(port, { named: ports.length > 1, names }, here);
    if (port.nodePort && spec.type === "ClusterIP") {
      here.forbidden("nodePort", "may not be used when `type` is 'ClusterIP'");
    }
    if (port.nodePort && nodePorts.has(`${port.protocol}/${port.nodePort}`)) {
      here.duplicate("nodePort", port.nodePort);
    }
    nodePorts.add(`${port.protocol}/${port.nodePort}`);
    if (numbers.has(`${port.protocol}/${port.port}`)) here.duplicate("", port);
    numbers.add(`${port.protocol}/${port.port}`);
  }
}

function checkPort(port: ServicePort, { named, names }: { named: boolean; names: Set<string> }, at: Place): void {
  const { name = "", targetPort, appProtocol } = port;
  if (name !== "") {
    at.each("name", name, dns1123LabelErrors(name));
    if (names.has(name)) at.duplicate("name", name);
    names.add(name);
  } else if (named) at.required("name");
  at.each("port", port.port, portNumberErrors(port.port));
  at.oneOf("protocol", port.protocol, protocols);
  if (typeof targetPort === "string") at.each("targetPort", targetPort, portNameErrors(targetPort));
  else if (targetPort !== undefined) at.each("targetPort", targetPort, portNumberErrors(targetPort));
  if (appProtocol !== undefined) at.each("appProtocol", appProtocol, qualifiedNameErrors(appProtocol));
}

function checkAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec, at: Place): void {
  at.oneOf("sessionAffinity", sessionAffinity, ["ClientIP", "None"]);
  const config = at.child("sessionAffinityConfig");
  if (sessionAffinity === "None" && sessionAffinityConfig !== undefined) {
    at.forbidden("sessionAffinityConfig", "must not be set when session affinity is None");
  }
  if (sessionAffinity !== "ClientIP") return;
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (sessionAffinityConfig === undefined) at.required("sessionAffinityConfig");
  else if (sessionAffinityConfig.clientIP === undefined) config.required("clientIP");
  else if (seconds === undefined) config.child("clientIP").required("timeoutSeconds");
  else if (seconds <= 0 || seconds > affinitySecondsMax) {
    const why = `must be greater than 0 and less than ${affinitySecondsMax}`;
    config.child("clientIP").invalid("timeoutSeconds", seconds, why);
  }
}

/** Source: ValidateServiceClusterIPsRelatedFields */
function checkClusterIps(spec: ServiceSpec, at: Place, known: ReadonlySet<string>): void {
  if (spec.type === "ExternalName") return;
  const { clusterIP = "", clusterIPs = [], ipFamilyPolicy } = spec;
  const familiesKnown = checkFamilies(spec.ipFamilies ?? [], at);
  if (ipFamilyPolicy !== undefined && !familyPolicies.includes(ipFamilyPolicy)) {
    at.notSupported("ipFamilyPolicy", ipFamilyPolicy, familyPolicies);
  }
  if (clusterIP !== "" && clusterIPs.length === 0) at.required("clusterIPs");
  else if (clusterIP === "" && clusterIPs.length > 0) {
    at.invalid("clusterIPs", clusterIPs, "must be empty when `clusterIP` is not specified");
  } else if (clusterIPs.length > 0 && clusterIPs[0] !== clusterIP) {
    at.invalid("clusterIPs", clusterIPs, "first value must match `clusterIP`");
  }
  checkEachClusterIp(spec, { at, known, familiesKnown });
}

function checkFamilies(list: readonly string[], at: Place): boolean {
  for (const [i, family] of list.entries()) {
    const here = at.item("ipFamilies", i);
    if (!families.includes(family)) here.notSupported("", family, families);
    if (list.indexOf(family) < i) here.duplicate("", family);
  }
  return list.every((family) => families.includes(family));
}

interface AddressRules {
  readonly at: Place;
  /** Addresses of the old Service. */
  readonly known: ReadonlySet<string>;
  /** Whether the families are such as there are, so that addresses can be of them. */
  readonly familiesKnown: boolean;
}

function checkEachClusterIp(spec: ServiceSpec, { at, known, familiesKnown }: AddressRules): void {
  const { clusterIPs = [], ipFamilies = [] } = spec;
  if (clusterIPs.length > 2) {
    at.invalid("clusterIPs", clusterIPs, "may only hold up to 2 values");
  }
  if (clusterIPs[0] === "None") {
    if (clusterIPs.length > 1) at.item("clusterIPs", 1).invalid("", clusterIPs[1], "may not be set for headless");
    return;
  }
  const valid = clusterIPs.every((address, i) => checkAddress(address, at.item("clusterIPs", i), known));
  if (!valid || !familiesKnown) return;
  const [first, second] = clusterIPs;
  if (first !== undefined && second !== undefined && familyOf(first) === familyOf(second)) {
    at.invalid("clusterIPs", clusterIPs, "may specify no more than one IP for each IP family");
  }
  for (const [i, address] of clusterIPs.entries()) {
    const family = ipFamilies[i];
    if (family === undefined || familyOf(address) === family) continue;
    at.item("clusterIPs", i).invalid("", address, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``);
  }
}

function rangesOf(service: Service | undefined): string[] {
  const listed = service?.metadata.annotations?.[sourceRanges]?.split(",") ?? [];
  return [...(service?.spec.loadBalancerSourceRanges ?? []), ...listed].map((range) => range.trim());
}

/** The field is called as in upstream's code, with a capital letter. */
function checkSourceRanges({ metadata, spec }: Service, at: Place, known: ReadonlySet<string>): void {
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0 && spec.type !== "LoadBalancer") {
    at.forbidden("LoadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'");
  }
  for (const [i, range] of ranges.entries()) checkCidr(range.trim(), at.item("LoadBalancerSourceRanges", i), known);
  const listed = metadata.annotations?.[sourceRanges]?.trim();
  if (ranges.length > 0 || !listed) return;
  const here = new Place(at.errors, Path.of("metadata", "annotations").key(sourceRanges));
  if (spec.type !== "LoadBalancer") here.forbidden("", "may only be used when `type` is 'LoadBalancer'");
  for (const range of listed.split(",")) checkCidr(range.trim(), here, known);
}

function checkLoadBalancer(spec: ServiceSpec, at: Place): void {
  const { type, allocateLoadBalancerNodePorts } = spec;
  const balanced = type === "LoadBalancer";
  if (balanced && allocateLoadBalancerNodePorts === undefined) at.required("allocateLoadBalancerNodePorts");
  if (!balanced && allocateLoadBalancerNodePorts !== undefined) {
    at.forbidden("allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'");
  }
  checkClass(spec, at);
}

function checkClass({ type, loadBalancerClass }: ServiceSpec, at: Place): void {
  if (loadBalancerClass === undefined) return;
  if (type === "LoadBalancer") at.each("loadBalancerClass", loadBalancerClass, qualifiedNameErrors(loadBalancerClass));
  else at.forbidden("loadBalancerClass", "may only be used when `type` is 'LoadBalancer'");
}

function checkTraffic(spec: ServiceSpec, at: Place): void {
  const { type, externalTrafficPolicy = "", healthCheckNodePort = 0, internalTrafficPolicy } = spec;
  if (isExternal(spec)) at.oneOf("externalTrafficPolicy", externalTrafficPolicy, policies);
  else if (externalTrafficPolicy !== "") {
    const why = "may only be set for externally-accessible services";
    at.invalid("externalTrafficPolicy", externalTrafficPolicy, why);
  }
  const checked = type === "LoadBalancer" && externalTrafficPolicy === "Local";
  if (checked && healthCheckNodePort !== 0) {
    at.each("healthCheckNodePort", healthCheckNodePort, portNumberErrors(healthCheckNodePort));
  } else if (healthCheckNodePort !== 0) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    at.invalid("healthCheckNodePort", healthCheckNodePort, why);
  }
  if (internalTrafficPolicy !== undefined && !policies.includes(internalTrafficPolicy)) {
    at.notSupported("internalTrafficPolicy", internalTrafficPolicy, policies);
  } else if (internalTrafficPolicy === undefined && type !== "ExternalName") at.required("internalTrafficPolicy");
  const { trafficDistribution: distribution } = spec;
  if (distribution !== undefined && !distributions.includes(distribution)) {
    at.notSupported("trafficDistribution", distribution, distributions);
  }
}

/** Reached from outside the cluster. Source: ExternallyAccessible */
function isExternal({ type, externalIPs = [] }: ServiceSpec): boolean {
  return type === "LoadBalancer" || type === "NodePort" || (type === "ClusterIP" && externalIPs.length > 0);
}

function isHeadless({ clusterIP, clusterIPs = [] }: ServiceSpec): boolean {
  return clusterIPs[0] === "None" || (clusterIPs.length === 0 && clusterIP === "None");
}

/** What may change of a Service. @returns whether the address stays, so that the rest is to be looked at */
export function checkServiceUpdate({ spec }: Service, { spec: old }: Service, errors: FieldErrors): boolean {
  const at = new Place(errors, Path.of("spec"));
  const kept = old.type === "ExternalName" || spec.type === "ExternalName" || checkAddressesKept(spec, old, at);
  const balanced = old.type === "LoadBalancer" && spec.type === "LoadBalancer";
  if (balanced && spec.loadBalancerClass !== old.loadBalancerClass) {
    at.invalid("loadBalancerClass", spec.loadBalancerClass ?? null, "may not change once set");
  }
  // Upstream looks at the class with the change, and once more with the rest.
  checkClass(spec, at);
  return kept;
}

/** Families change with addresses only, and those are told of. */
function checkAddressesKept(spec: ServiceSpec, old: ServiceSpec, at: Place): boolean {
  const before = old.clusterIPs?.[0] ?? "";
  if (before === "" || spec.clusterIPs?.[0] === before) return true;
  at.item("clusterIPs", 0).invalid("", spec.clusterIPs ?? null, "may not change once set");
  return false;
}
