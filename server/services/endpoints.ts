/**
 * Where a Service can be reached: an address of a ready endpoint, since the server may stand where no Service addresses
 * are routed.
 * Source: k8s.io/apiserver/pkg/util/proxy/proxy.go (ResolveEndpoint, ResolveCluster)
 */
import { randomInt } from "node:crypto";
import type { Endpoints, Service, ServicePort } from "@atoll/api/builtin/core/v1.types";
import type { EndpointSlice } from "@atoll/api/builtin/discovery.k8s.io/v1.types";
import { StatusError } from "@atoll/machinery/status";
import type { Catalogue } from "../registry/catalogue.ts";
import type { Resource } from "../registry/resource.ts";

/** A Service, by name. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** An address to connect to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** @throws {StatusError} NotFound; ServiceUnavailable without the port or a ready endpoint */
export async function resolveService(catalogue: Catalogue, at: ServiceName, port: number): Promise<Address> {
  const services = resourceOf(catalogue, "", "services");
  const service = services.cache.object(await services.get(at.namespace, at.name)) as unknown as Service;
  const { type, externalName = "", ports = [] } = service.spec;
  if (type === "ExternalName") return { host: externalName, port };
  const wanted = ports.find((each) => each.port === port);
  if (wanted === undefined) {
    throw new StatusError("ServiceUnavailable", `no service port ${port} found for service ${quote(at.name)}`);
  }
  const addresses = await readyAddresses(catalogue, at, wanted);
  const found = addresses[pick(addresses.length)];
  if (found !== undefined) return found;
  throw new StatusError("ServiceUnavailable", `no endpoints available for service ${quote(at.name)}`);
}

/** Addresses of a Service's ready endpoints for one of its ports. */
export async function readyAddresses(
  catalogue: Catalogue,
  at: ServiceName,
  { name = "" }: ServicePort,
): Promise<readonly Address[]> {
  const slices = await slicesOf(catalogue, at);
  if (slices.length > 0) return slices.flatMap((slice) => inSlice(slice, name));
  const endpoints = resourceOf(catalogue, "", "endpoints");
  await endpoints.cache.loaded();
  const entry = endpoints.cache.get(endpoints.key(at.namespace, at.name));
  if (entry === undefined) return [];
  const { subsets } = endpoints.cache.object(entry) as unknown as Endpoints;
  return (subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    const port = ports.find((each) => (each.name ?? "") === name)?.port;
    return port === undefined ? [] : addresses.map(({ ip }) => ({ host: ip, port }));
  });
}

async function slicesOf(catalogue: Catalogue, { namespace, name }: ServiceName): Promise<readonly EndpointSlice[]> {
  const slices = resourceOf(catalogue, "discovery.k8s.io", "endpointslices");
  await slices.cache.loaded();
  return slices.cache
    .range(slices.prefix(namespace))
    .map((entry) => slices.cache.object(entry) as unknown as EndpointSlice)
    .filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === name);
}

function inSlice({ endpoints, ports }: EndpointSlice, name: string): Address[] {
  const port = (ports ?? []).find((each) => (each.name ?? "") === name)?.port;
  if (port === undefined || port === null) return [];
  return (endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses }) => (addresses ?? []).slice(0, 1).map((host) => ({ host, port })));
}

function resourceOf(catalogue: Catalogue, group: string, plural: string): Resource {
  const resource = catalogue.resource(group, plural);
  if (resource === undefined) throw new TypeError(`${plural} are not served`);
  return resource;
}

/** One of so many, evenly. */
function pick(count: number): number {
  return count < 2 ? 0 : randomInt(count);
}

const quote = (text: string): string => JSON.stringify(text);
