/**
 * Mirrors Endpoints that somebody wrote for a Service without a selector in EndpointSlices, for all who read only those.
 * Source: k8s.io/kubernetes/pkg/controller/endpointslicemirroring
 */
import type { EndpointAddress, EndpointSubset } from "@atoll/api/builtin/core/v1.types";
import type { Endpoint } from "@atoll/api/builtin/discovery.k8s.io/v1.types";
import { Endpoints, EndpointSlice, Service } from "@atoll/client/builtin";
import { isNamespaceTerminating } from "@atoll/client/errors";
import type { Key } from "@atoll/client/resource";
import { keyOf, toKey } from "@atoll/client/resource";
import { controllerReference } from "@atoll/runtime/children";
import { partOf, watching } from "@atoll/runtime/claims";
import type { Controller } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";
import { managedLabel } from "../endpoints/subsets.ts";
import { take } from "../endpointslice/controller.ts";
import type { Group } from "../endpointslice/endpoints.ts";
import { managerLabel, type Owner, planSlices, serviceLabel } from "../endpointslice/plan.ts";

const manager = "endpointslicemirroring-controller.k8s.io";
const skipLabel = "endpointslice.kubernetes.io/skip-mirror";
/** Annotation by which leaders were elected once. */
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
/** Annotations that say nothing of the endpoints. */
const unmirrored: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "endpoints.kubernetes.io/last-change-trigger-time",
]);
/** Addresses of a subset that are mirrored. Source: --mirroring-max-endpoints-per-subset */
const mostAddresses = 1000;

function* endpointsOf({ metadata }: EndpointSlice): Iterable<Key> {
  const name = metadata.labels?.[serviceLabel];
  if (name !== undefined) yield toKey(metadata.namespace, name);
}

/** Keeps mirrors. */
export const mirroringController: Controller = defineController({
  name: "endpointslicemirroring-controller",
  for: Endpoints,
  reads: [
    watching(Service, (service) => [keyOf(service)]),
    watching(EndpointSlice, endpointsOf, { labelSelector: `${managerLabel}=${manager}` }),
  ],
  writes: [
    partOf(
      EndpointSlice,
      `those managed by ${manager}`,
      ({ object }) => object.metadata.labels?.[managerLabel] === manager,
    ),
  ],
  concurrency: 5,
  async reconcile(key, { cache, client }) {
    const endpoints = cache.get(Endpoints, key);
    const isWanted = endpoints !== undefined && isMirrored(endpoints) && hasNoSelector(cache.get(Service, key));
    const slices = cache
      .list(EndpointSlice, { namespace: namespaceOf(key) })
      .filter((slice) => [...endpointsOf(slice)].includes(key));
    const addressTypes = ["IPv4", "IPv6"] as const;
    const groups = isWanted ? (endpoints.subsets ?? []).flatMap(groupsOf) : [];
    const told = addressTypes.filter((type) => groups.some(({ addressType }) => addressType === type));
    const owner = endpoints === undefined ? nobody : ownerOf(endpoints);
    for (const step of planSlices(owner, { groups, addressTypes: told }, slices)) {
      await take(step, client).catch((error: unknown) => {
        if (!isNamespaceTerminating(error)) throw error;
      });
    }
    return settled;
  },
});

const namespaceOf = (key: Key): string => key.slice(0, key.indexOf("/"));

/** Of slices that all go. */
const nobody: Owner = {
  name: "",
  namespace: undefined,
  labels: {},
  reference: { apiVersion: "v1", kind: "Endpoints", name: "", uid: "" },
};

function isMirrored({ metadata: { labels = {}, annotations = {}, deletionTimestamp } }: Endpoints): boolean {
  return deletionTimestamp === undefined && labels[skipLabel] !== "true" && annotations[leaderAnnotation] === undefined;
}

/** A Service with a selector has slices made from its Pods. */
function hasNoSelector(service: Service | undefined): boolean {
  return service !== undefined && Object.keys(service.spec.selector ?? {}).length === 0;
}

function ownerOf({ metadata }: Endpoints): Owner {
  const { name = "", namespace, labels = {}, annotations = {} } = metadata;
  const { [managedLabel]: _, ...own } = labels;
  return {
    name,
    namespace,
    labels: { ...own, [serviceLabel]: name, [managerLabel]: manager },
    annotations: Object.fromEntries(Object.entries(annotations).filter(([each]) => !unmirrored.has(each))),
    reference: controllerReference(Endpoints, metadata),
  };
}

/** Addresses of one family each, as slices have them. */
function groupsOf({ addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset): readonly Group[] {
  const all = [
    ...addresses.map((each) => endpointOf(each, true)),
    ...notReadyAddresses.map((each) => endpointOf(each, false)),
  ];
  const byFamily = Map.groupBy(all.slice(0, mostAddresses), ({ addresses: own }) =>
    own?.[0]?.includes(":") === true ? "IPv6" : "IPv4",
  );
  const told = ports
    .map(({ name = "", port, protocol = "TCP", appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...byFamily].map(([addressType, endpoints]) => ({ addressType, ports: told, endpoints }));
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname !== undefined && { hostname }),
    ...(nodeName !== undefined && { nodeName }),
    ...(targetRef !== undefined && { targetRef }),
  };
}
