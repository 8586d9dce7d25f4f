/**
 * How the slices there are become those there should be, with as few writes as may be. Pure.
 *
 * Within a group of like endpoints: endpoints stay where they are; new ones go first into slices that change anyway, then
 * into one that has room for the rest, then into new ones.
 * Source: k8s.io/endpointslice/reconciler.go (reconcileByPortMapping)
 */
import type { Endpoint } from "@atoll/api/builtin/discovery.k8s.io/v1.types";
import type { EndpointSlice, Service } from "@atoll/client/builtin";
import { Service as ServiceKind } from "@atoll/client/builtin";
import type { Given } from "@atoll/client/client";
import { deepEqual } from "@atoll/machinery/equal";
import type { OwnerReference } from "@atoll/machinery/object";
import { controllerReference } from "@atoll/runtime/children";
import type { Desired, Group } from "./endpoints.ts";
import { isHeadless } from "./endpoints.ts";

/** Label: which Service a slice belongs to. */
export const serviceLabel = "kubernetes.io/service-name";
/** Label: who writes a slice. */
export const managerLabel = "endpointslice.kubernetes.io/managed-by";
/** That is us, under the name that proxies and tools know. */
export const manager = "endpointslice-controller.k8s.io";
const headlessLabel = "service.kubernetes.io/headless";
/** Endpoints in a slice. Source: --max-endpoints-per-slice */
export const mostEndpoints = 100;

/** One write. */
export type Step =
  | { readonly do: "create"; readonly slice: Given<EndpointSlice> }
  | { readonly do: "update"; readonly slice: EndpointSlice }
  | { readonly do: "delete"; readonly slice: EndpointSlice };

/** To whom slices belong. */
export interface Owner {
  readonly name: string;
  readonly namespace: string | undefined;
  /** Of the slices. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly reference: OwnerReference;
}

/** What to write so that a Service's slices hold its endpoints. */
export function plan(service: Service, desired: Desired, slices: readonly EndpointSlice[]): readonly Step[] {
  const { name = "", namespace } = service.metadata;
  const reference = controllerReference(ServiceKind, service.metadata);
  return planSlices({ name, namespace, labels: labelsFor(service), reference }, desired, slices);
}

/** The same for whoever owns slices. */
export function planSlices(
  owner: Owner,
  desired: Omit<Desired, "nodeless">,
  slices: readonly EndpointSlice[],
): readonly Step[] {
  const left = new Set(slices.filter(({ metadata }) => metadata.deletionTimestamp === undefined));
  const steps: Step[] = [];
  for (const addressType of desired.addressTypes) {
    const groups = desired.groups.filter((group) => group.addressType === addressType);
    // A Service without endpoints keeps an empty slice, which says that somebody looked.
    const all = groups.length > 0 ? groups : [{ addressType, ports: [], endpoints: [] }];
    for (const group of all) steps.push(...planGroup(owner, group, left));
  }
  for (const slice of left) steps.push({ do: "delete", slice });
  return steps;
}

interface Draft {
  readonly slice: EndpointSlice | undefined;
  readonly endpoints: Endpoint[];
  changed: boolean;
}

function planGroup(owner: Owner, group: Group, left: Set<EndpointSlice>): readonly Step[] {
  const waiting = new Map(group.endpoints.map((endpoint) => [idOf(endpoint), endpoint]));
  const drafts: Draft[] = [];
  for (const slice of left) {
    if (slice.addressType !== group.addressType || !samePorts(slice, group)) continue;
    left.delete(slice);
    drafts.push(keep(slice, waiting));
  }
  place(waiting, drafts, group);
  // Of a group without endpoints one slice is enough.
  const surplus = group.endpoints.length === 0 ? drafts.splice(1) : [];
  const deletions = surplus.flatMap(({ slice }): Step[] => (slice === undefined ? [] : [{ do: "delete", slice }]));
  return [...drafts.flatMap((draft) => toSteps(owner, group, draft)), ...deletions];
}

function idOf({ targetRef, addresses }: Endpoint): string {
  return targetRef?.uid ?? String(addresses?.[0]);
}

function samePorts({ ports }: EndpointSlice, group: Group): boolean {
  const sorted = [...(ports ?? [])].sort((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1));
  return deepEqual(sorted, group.ports);
}

/** What of a slice stays; what stays is no longer waiting. */
function keep(slice: EndpointSlice, waiting: Map<string, Endpoint>): Draft {
  const before = slice.endpoints ?? [];
  const endpoints: Endpoint[] = [];
  let changed = false;
  for (const old of before) {
    const now = waiting.get(idOf(old));
    waiting.delete(idOf(old));
    if (now === undefined || !deepEqual(old, now)) changed = true;
    if (now !== undefined) endpoints.push(now);
  }
  return { slice, endpoints, changed };
}

function place(waiting: Map<string, Endpoint>, drafts: Draft[], { endpoints }: Group): void {
  const rest = [...waiting.values()];
  for (const draft of drafts) if (draft.changed) fill(draft, rest);
  const roomy = drafts.find(
    (draft) => !draft.changed && rest.length > 0 && draft.endpoints.length + rest.length <= mostEndpoints,
  );
  if (roomy !== undefined) fill(roomy, rest);
  while (rest.length > 0 || (endpoints.length === 0 && drafts.length === 0)) {
    const draft: Draft = { slice: undefined, endpoints: [], changed: true };
    fill(draft, rest);
    drafts.push(draft);
  }
}

function fill(draft: Draft, rest: Endpoint[]): void {
  const taken = rest.splice(0, Math.max(0, mostEndpoints - draft.endpoints.length));
  if (taken.length === 0) return;
  draft.endpoints.push(...taken);
  draft.changed = true;
}

function toSteps(owner: Owner, group: Group, { slice, endpoints, changed }: Draft): Step[] {
  const { labels, annotations } = owner;
  if (slice === undefined) return [{ do: "create", slice: freshSlice(owner, { ...group, endpoints }) }];
  const isEmptied = endpoints.length === 0 && group.endpoints.length > 0;
  if (isEmptied) return [{ do: "delete", slice }];
  // Annotations are the owner's to say, or anybody's.
  const sameNotes = annotations === undefined || deepEqual(slice.metadata.annotations ?? {}, annotations);
  const isTold = sameNotes && deepEqual(slice.metadata.labels ?? {}, labels);
  if (!changed && isTold) return [];
  return [{ do: "update", slice: { ...slice, metadata: { ...slice.metadata, ...toldBy(owner) }, endpoints } }];
}

function toldBy({ labels, annotations }: Owner) {
  return { labels: { ...labels }, ...(annotations !== undefined && { annotations: { ...annotations } }) };
}

/** The Service's labels, and those by which a slice is found. */
function labelsFor(service: Service): Record<string, string> {
  const { [headlessLabel]: _, ...own } = service.metadata.labels ?? {};
  const headless = isHeadless(service) ? { [headlessLabel]: "" } : {};
  return { ...own, ...headless, [serviceLabel]: service.metadata.name ?? "", [managerLabel]: manager };
}

function freshSlice(owner: Owner, { addressType, ports, endpoints }: Group): Given<EndpointSlice> {
  const { name, namespace, reference } = owner;
  return {
    metadata: {
      generateName: `${name}-`,
      ...(namespace !== undefined && { namespace }),
      ...toldBy(owner),
      ownerReferences: [reference],
    },
    addressType,
    ports: [...ports],
    endpoints: [...endpoints],
  };
}
