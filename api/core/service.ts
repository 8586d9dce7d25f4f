/** Service. Source: k8s.io/kubernetes/pkg/registry/core/service, pkg/apis/core/v1/defaults.go */
import { nameRules } from "@atoll/machinery/names";
import type { Service, ServiceSpec } from "../builtin/core/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";
import { labelsCell } from "./podspec/template.ts";
import { checkService, checkServiceUpdate } from "./servicerules.ts";

const affinitySeconds = 10_800;

/** The rules of Services. */
export const service: Strategy<Service> = {
  nameErrors: nameRules.dns1035Label,
  revalidatesMetadata: true,
  returnsDeleted: true,
  setDefaults: ({ spec }) => setSpecDefaults(spec),
  prepareForCreate(object) {
    object.status = { loadBalancer: {} };
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validate: checkService,
  validateUpdate(object, old, errors) {
    checkServiceUpdate(object, old, errors);
    checkService(object, errors);
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
  if (external || (spec.externalIPs ?? []).length > 0) spec.externalTrafficPolicy ||= "Cluster";
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
