/**
 * Endpoints, which tell where the Pods of a Service are to those who do not know slices. Pure.
 * Source: k8s.io/kubernetes/pkg/controller/endpoint, k8s.io/kubernetes/pkg/api/v1/endpoints/util.go (RepackSubsets)
 */
import type { EndpointAddress, EndpointSubset } from "@atoll/api/builtin/core/v1.types";
import type { Endpoint } from "@atoll/api/builtin/discovery.k8s.io/v1.types";
import type { Service } from "@atoll/client/builtin";
import type { Desired, Group } from "../endpointslice/endpoints.ts";
import { isHeadless } from "../endpointslice/endpoints.ts";

/** Label: who writes Endpoints. */
export const managedLabel = "endpoints.kubernetes.io/managed-by";
/** That is us, under upstream's name. */
export const manager = "endpoint-controller";
/** Annotation: not all addresses are told. */
export const capacityAnnotation = "endpoints.kubernetes.io/over-capacity";
const headlessLabel = "service.kubernetes.io/headless";
/** Addresses that Endpoints hold. Source: maxCapacity */
const mostAddresses = 1000;

/** The subsets, and whether some addresses found no room. */
export interface Told {
  readonly subsets: readonly EndpointSubset[];
  readonly truncated: boolean;
}

/** What Endpoints say of a Service: of one address family alone, the first. */
export function subsetsOf(service: Service, { groups, addressTypes }: Desired): Told {
  const own = groups.filter(({ addressType }) => addressType === addressTypes[0]);
  const all = own.flatMap(({ endpoints }) => endpoints.filter((endpoint) => isTold(service, endpoint)));
  // Ready ones first, so that they are the ones that stay.
  const kept = new Set(
    all.toSorted((a, b) => Number(b.conditions.ready) - Number(a.conditions.ready)).slice(0, mostAddresses),
  );
  const subsets = own.flatMap((group) => subsetOf(group, kept));
  return { subsets, truncated: all.length > mostAddresses };
}

/** Slices tell of Pods that are on their way out, Endpoints do not. */
function isTold({ spec }: Service, { conditions }: Endpoint): boolean {
  return spec.publishNotReadyAddresses === true || conditions.terminating !== true;
}

function subsetOf({ ports, endpoints }: Group, kept: ReadonlySet<Endpoint>): readonly EndpointSubset[] {
  const told = endpoints.filter((endpoint) => kept.has(endpoint));
  if (told.length === 0) return [];
  const part = (ready: boolean) =>
    told
      .filter(({ conditions }) => conditions.ready === ready)
      .map(addressOf)
      .sort(byAddress);
  const [addresses, notReadyAddresses] = [part(true), part(false)];
  const shown = ports.map(({ name, port = 0, protocol, appProtocol }) => ({
    ...(name === undefined || name === "" ? {} : { name }),
    port,
    ...(protocol === undefined ? {} : { protocol }),
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }));
  return [
    {
      ...(addresses.length > 0 && { addresses }),
      ...(notReadyAddresses.length > 0 && { notReadyAddresses }),
      ...(shown.length > 0 && { ports: shown }),
    },
  ];
}

function addressOf({ addresses, hostname, nodeName, targetRef }: Endpoint): EndpointAddress {
  return {
    ip: addresses?.[0] ?? "",
    ...(hostname !== undefined && { hostname }),
    ...(nodeName !== undefined && { nodeName }),
    ...(targetRef !== undefined && { targetRef }),
  };
}

const byAddress = (a: EndpointAddress, b: EndpointAddress): number => (a.ip < b.ip ? -1 : 1);

/** The Service's labels, and who writes. */
export function labelsOf(service: Service): Record<string, string> {
  const { [headlessLabel]: _, ...own } = service.metadata.labels ?? {};
  return { ...own, ...(isHeadless(service) && { [headlessLabel]: "" }), [managedLabel]: manager };
}
