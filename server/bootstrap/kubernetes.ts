/**
 * The `kubernetes` Service in `default`, by which everything inside finds the API, and its endpoints: the addresses of
 * the servers that run.
 * Source: k8s.io/kubernetes/pkg/controlplane/controller/kubernetesservice, pkg/controlplane/reconcilers
 */
import { randomUUID } from "node:crypto";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import type { Catalogue } from "../registry/catalogue.ts";
import type { Resource } from "../registry/resource.ts";
import { clone } from "../registry/versions.ts";

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
  const metadata = () => ({
    name,
    namespace,
    uid: randomUUID(),
    creationTimestamp: now,
    labels: { component: "apiserver", provider: "kubernetes" },
  });
  const services = catalogue.resource("", "services");
  if (services !== undefined) await ensure(services, () => serviceObject(metadata(), at));
  const slices = catalogue.resource("discovery.k8s.io", "endpointslices");
  if (slices === undefined) return;
  await ensure(slices, () => sliceObject({ ...metadata(), labels: { "kubernetes.io/service-name": name } }, at));
  await slices.update({ namespace, name }, ({ object }) => {
    const slice = clone(object) as ReturnType<typeof sliceObject>;
    const own = slice.endpoints.some(({ addresses }) => addresses.includes(at.address));
    if (own && slice.ports[0]?.port === at.port) return "unchanged";
    const others = slice.ports[0]?.port === at.port ? slice.endpoints : [];
    slice.endpoints = [...others, { addresses: [at.address], conditions: { ready: true } }];
    slice.ports = [{ name: "https", protocol: "TCP", port: at.port }];
    return { object: slice };
  });
}

async function ensure(resource: Resource, make: () => ApiObject): Promise<void> {
  await resource.cache.current();
  if (resource.cache.get(resource.key(namespace, name)) !== undefined) return;
  await resource.create(make()).catch((error: unknown) => {
    // Another server of the cluster was quicker.
    if (!(error instanceof StatusError && error.reason === "AlreadyExists")) throw error;
  });
}

function serviceObject(metadata: ApiObject["metadata"], { serviceIp, port }: ApiAddress): ApiObject {
  return {
    kind: "Service",
    apiVersion: "v1",
    metadata,
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

function sliceObject(metadata: ApiObject["metadata"], { address, port }: ApiAddress) {
  return {
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
    metadata,
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: "https", protocol: "TCP", port }],
  };
}
