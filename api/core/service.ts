/** Service. Source: k8s.io/kubernetes/pkg/registry/core/service, pkg/apis/core/v1/defaults.go */
import { deepEqual } from "@atoll/machinery/equal";
import { nameRules } from "@atoll/machinery/names";
import type { Service, ServiceSpec } from "../builtin/core/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";
import { labelsCell } from "./podspec/template.ts";
import { checkService, checkServiceUpdate } from "./servicerules.ts";

const affinitySeconds = 10_800;

/** The rules of Services. */
export const service: Strategy<Service> = {
  nameErrors: nameRules.dnsLabel,
  returnsDeleted: true,
  setDefaults(object) {
    setSpecDefaults(object.spec);
    setStatusDefaults(object);
  },
  prepareForCreate(object) {
    object.status = { loadBalancer: {} };
    if (object.spec.type === "ExternalName") delete object.spec.internalTrafficPolicy;
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
    dropLeftOver(object.spec, old.spec);
    if (object.spec.type === "ExternalName") delete object.spec.internalTrafficPolicy;
  },
  warnings: serviceWarnings,
  validate: (object, errors) => checkService(object, errors),
  validateUpdate(object, old, errors) {
    // Whoever changes the address is told of that alone.
    if (checkServiceUpdate(object, old, errors)) checkService(object, errors, old);
  },
  fields: {
    "spec.clusterIP": ({ spec }) => spec.clusterIP ?? "",
    "spec.type": ({ spec }) => spec.type ?? "",
  },
  table: {
    columns: [
      nameColumn,
      column("Type", "How the service is reached: ClusterIP, NodePort, LoadBalancer or ExternalName."),
      column("Cluster-IP", "Its address inside the cluster."),
      column("External-IP", "Its addresses outside."),
      column("Port(s)", "Its ports, with the nodes' ports where there are any."),
      ageColumn,
      column("Selector", "Labels of the pods behind it.", 1),
    ],
    cells: (object, nowMs) => [
      object.metadata.name ?? "",
      object.spec.type ?? "",
      object.spec.clusterIPs?.[0] || none,
      externalCell(object),
      portsCell(object.spec),
      age(object.metadata.creationTimestamp, nowMs),
      labelsCell(object.spec.selector),
    ],
  },
};

const none = "<none>";

/** Services with an address of their own. */
export function hasClusterIp({ type }: ServiceSpec): boolean {
  return type !== "ExternalName";
}

/** Services with a port on every node. */
export function hasNodePorts({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean {
  return type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false);
}

/** What only the old type had use for goes with it, unless the user changed it. Source: dropTypeDependentFields */
function dropLeftOver(spec: ServiceSpec, old: ServiceSpec): void {
  if (hasClusterIp(old) && !hasClusterIp(spec)) {
    for (const field of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] as const) {
      if (deepEqual(spec[field], old[field])) delete spec[field];
    }
  }
  if (hasNodePorts(old) && !hasNodePorts(spec)) {
    for (const port of spec.ports ?? []) {
      if (old.ports?.some(({ nodePort }) => nodePort === port.nodePort)) delete port.nodePort;
    }
  }
  const balanced = old.type === "LoadBalancer" && spec.type !== "LoadBalancer";
  dropKept(spec, old, { healthCheckNodePort: isHealthChecked(old) && !isHealthChecked(spec) });
  dropKept(spec, old, { loadBalancerClass: balanced, allocateLoadBalancerNodePorts: balanced });
  dropKept(spec, old, { externalTrafficPolicy: isReachable(old) && !isReachable(spec) });
}

function dropKept(
  spec: ServiceSpec,
  old: ServiceSpec,
  useless: { readonly [Field in keyof ServiceSpec]?: boolean },
): void {
  for (const [field, gone] of Object.entries(useless) as [keyof ServiceSpec, boolean][]) {
    if (gone && spec[field] === old[field]) delete spec[field];
  }
}

function isHealthChecked({ type, externalTrafficPolicy }: ServiceSpec): boolean {
  return type === "LoadBalancer" && externalTrafficPolicy === "Local";
}

function isReachable({ type, externalIPs = [] }: ServiceSpec): boolean {
  return type === "LoadBalancer" || type === "NodePort" || (type === "ClusterIP" && externalIPs.length > 0);
}

/** Source: pkg/api/service (GetWarningsForService) */
function serviceWarnings({ spec }: Service): string[] {
  const warnings: string[] = [];
  if (spec.clusterIP !== "None" && (spec.externalIPs ?? []).length > 0) {
    warnings.push("spec.externalIPs is deprecated");
  }
  if (spec.externalName && spec.type !== "ExternalName") {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  for (const field of ["externalIPs", "loadBalancerIP"] as const) {
    if (spec.clusterIP !== "None" || (spec[field] ?? "").length === 0) continue;
    warnings.push(`spec.${field} is ignored for headless services`);
  }
  if (spec.clusterIP === "None" && spec.sessionAffinity !== "None") {
    warnings.push("spec.SessionAffinity is ignored for headless services");
  }
  if (spec.trafficDistribution === "PreferClose") {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated in favor of "PreferSameZone"');
  }
  return warnings;
}

/** Source: SetDefaults_ServiceStatus */
function setStatusDefaults({ spec, status }: Service): void {
  if (spec.type !== "LoadBalancer") return;
  for (const ingress of status.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= "VIP";
}

function setSpecDefaults(spec: ServiceSpec): void {
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP") {
    spec.sessionAffinityConfig ??= {};
    spec.sessionAffinityConfig.clientIP ??= {};
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= affinitySeconds;
  }
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    if (port.targetPort === 0 || port.targetPort === "" || port.targetPort === undefined) port.targetPort = port.port;
  }
  const external = spec.type === "NodePort" || spec.type === "LoadBalancer";
  if (external || isReachable(spec)) spec.externalTrafficPolicy ||= "Cluster";
  if (spec.type !== "ExternalName") spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
}

/** Source: getServiceExternalIP */
function externalCell({ spec, status }: Service): string {
  const given = (spec.externalIPs ?? []).join(",");
  const ingress = (status.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "").join(",");
  switch (spec.type) {
    case "ExternalName":
      return spec.externalName ?? "";
    case "LoadBalancer":
      return [ingress, given].filter((text) => text !== "").join(",") || "<pending>";
    default:
      return given || none;
  }
}

function portsCell({ ports = [] }: ServiceSpec): string {
  const cells = ports.map(({ port, nodePort = 0, protocol }) =>
    nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return cells.length === 0 ? none : cells.join(",");
}
