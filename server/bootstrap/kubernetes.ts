/**
 * The `kubernetes` Service in `default`, by which everything inside finds the API, and its endpoints, as a slice and as
 * Endpoints: the addresses of the servers that run.
 * Source: k8s.io/kubernetes/pkg/controlplane/controller/kubernetesservice, pkg/controlplane/reconcilers
 */
import { type Clock, formatTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import type { Catalogue } from "../registry/catalogue.ts";
import type { Resource } from "../registry/resource.ts";
import { clone } from "../registry/versions.ts";
import { isPlanted, plant } from "./plant.ts";

const name = "kubernetes";
const namespace = "default";

export interface ApiAddress {
  /** First address of the service range. */
  readonly serviceIp: string;
  /** Where this server is reached. */
  readonly address: string;
  readonly port: number;
}

/** Makes the Service, and this server one of its endpoints. */
export async function ensureKubernetesService(catalogue: Catalogue, clock: Clock, at: ApiAddress): Promise<void> {
  const now = formatTime(clock.nowMs());
  const ensure = async (resource: Resource | undefined, object: ApiObject) => {
    if (resource === undefined) return;
    await resource.cache.current();
    if (!isPlanted(resource, namespace, name)) await plant(resource, object, now);
  };
  const slices = catalogue.resource("discovery.k8s.io", "endpointslices");
  const endpoints = catalogue.resource("", "endpoints");
  await Promise.all([
    ensure(catalogue.resource("", "services"), serviceObject(at)),
    ensure(slices, sliceObject(at)),
    ensure(endpoints, endpointsObject(at)),
  ]);
  await slices?.update({ namespace, name }, ({ object }) => {
    const slice = clone(object) as ReturnType<typeof sliceObject>;
    const own = slice.endpoints.some(({ addresses }) => addresses.includes(at.address));
    if (own && slice.ports[0]?.port === at.port) return "unchanged";
    const others = slice.ports[0]?.port === at.port ? slice.endpoints : [];
    return { object: { ...slice, endpoints: [...others, ...sliceObject(at).endpoints], ports: sliceObject(at).ports } };
  });
  await endpoints?.update({ namespace, name }, ({ object }) => {
    const before = clone(object) as ReturnType<typeof endpointsObject>;
    const [subset] = before.subsets ?? [];
    const same = subset?.ports[0]?.port === at.port ? subset.addresses : [];
    if (same.some(({ ip }) => ip === at.address)) return "unchanged";
    const addresses = [...same, { ip: at.address }].sort((a, b) => (a.ip < b.ip ? -1 : 1));
    return { object: { ...before, subsets: [{ addresses, ports: portsOf(at) }] } };
  });
}

const portsOf = ({ port }: ApiAddress) => [{ name: "https", port, protocol: "TCP" }];

function serviceObject({ serviceIp, port }: ApiAddress): ApiObject {
  return {
    kind: "Service",
    apiVersion: "v1",
    metadata: { name, namespace, labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: port }],
      clusterIP: serviceIp,
      clusterIPs: [serviceIp],
      type: "ClusterIP",
      sessionAffinity: "None",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      internalTrafficPolicy: "Cluster",
    },
    status: { loadBalancer: {} },
  };
}

function sliceObject(at: ApiAddress) {
  return {
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
    metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
    addressType: at.address.includes(":") ? "IPv6" : "IPv4",
    endpoints: [{ addresses: [at.address], conditions: { ready: true } }],
    ports: portsOf(at),
  };
}

/** For those who do not know slices. The label says that nobody needs to mirror it in one. */
function endpointsObject(at: ApiAddress) {
  return {
    kind: "Endpoints",
    apiVersion: "v1",
    metadata: { name, namespace, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: [{ ip: at.address }], ports: portsOf(at) }],
  };
}
