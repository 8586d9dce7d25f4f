/**
 * What the agent has to do so that its cluster is as the hub wants it. Pure.
 */
import type { Work } from "@atoll/api/fleet/v1alpha1/work";
import type { ApiObject } from "@atoll/machinery/object";
import { type LabelSelectorObject, matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";

/** Names an object on the cluster. */
export interface Ref {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** What the agent has done, kept in the cluster. */
export interface Inventory {
  /** The order of the newest Work that was taken up; older ones are not gone back to. */
  readonly order: number;
  readonly objects: readonly Ref[];
}

/** An object wanted by a Work. */
export interface Item {
  readonly work: string;
  readonly source: string;
  readonly manifest: ApiObject;
}

/** What to do. */
export interface Plan {
  readonly apply: readonly Item[];
  readonly remove: readonly Ref[];
  /** What is recorded before anything is applied: all there is and all there will be. */
  readonly before: Inventory;
  /** What is recorded after. */
  readonly after: Inventory;
}

/** Names one object, as a text. */
export function idOf({ apiVersion, kind, namespace, name }: Ref): string {
  return `${apiVersion} ${kind} ${namespace}/${name}`;
}

/** The object that a manifest is of. */
export function refOf({ apiVersion, kind, metadata }: ApiObject): Ref {
  return { apiVersion, kind, namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
}

// What others need comes first. Source: Helm's install order, shortened
const first = ["Namespace", "CustomResourceDefinition", "ClusterRole", "Role"];
const rank = ({ kind }: { readonly kind: string }) => {
  const at = first.indexOf(kind);
  return at < 0 ? first.length : at;
};

/** Items that need not wait for each other, the groups in the order in which they are to be applied. */
export function stagesOf(apply: readonly Item[]): readonly (readonly Item[])[] {
  return [...Map.groupBy(apply, ({ manifest }) => rank(manifest)).values()];
}

/** A namespace of the cluster. */
export type NamespaceFacts = Pick<ApiObject, "metadata">;

/** @returns undefined when the hub shows an older state than what is here already, or nothing yet */
export function plan(
  works: readonly Work[],
  inventory: Inventory,
  namespaces: readonly NamespaceFacts[],
): Plan | undefined {
  const order = Math.max(0, ...works.map(({ spec }) => spec.order));
  if (order < inventory.order || (works.length === 0 && inventory.objects.length > 0)) return undefined;
  const items = works.flatMap(({ metadata, spec }) =>
    spec.objects.flatMap((object) => {
      const { source } = object;
      return spread(object, namespaces).map((manifest) => ({ work: metadata.name ?? "", source, manifest }));
    }),
  );
  const apply = items.toSorted((a, b) => rank(a.manifest) - rank(b.manifest));
  const wanted = new Map(apply.map(({ manifest }) => [idOf(refOf(manifest)), refOf(manifest)]));
  const remove = inventory.objects.filter((ref) => !wanted.has(idOf(ref))).toSorted((a, b) => rank(b) - rank(a));
  return {
    apply,
    remove,
    before: { order: inventory.order, objects: [...wanted.values(), ...remove] },
    after: { order, objects: [...wanted.values()] },
  };
}

/** The object itself, or one for each namespace that it is wanted in. */
function spread(
  { eachNamespace, manifest }: Work["spec"]["objects"][number],
  namespaces: readonly NamespaceFacts[],
): readonly ApiObject[] {
  if (eachNamespace === undefined) return [manifest];
  const selector = selectorOf(eachNamespace as LabelSelectorObject) ?? [];
  return namespaces
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined && matchesLabels(selector, metadata.labels))
    .map(({ metadata: { name = "" } }) => ({ ...manifest, metadata: { ...manifest.metadata, namespace: name } }));
}

/** Whether all that `wanted` says is so in `live`. What the server filled in does not count. */
export function isWithin(wanted: unknown, live: unknown): boolean {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(live) || live.length !== wanted.length) return wanted.length === 0 && live === undefined;
    return wanted.every((item, at) => isWithin(item, live[at]));
  }
  if (typeof wanted !== "object" || wanted === null) return wanted === live;
  if (typeof live !== "object" || live === null) return Object.keys(wanted).length === 0;
  return Object.entries(wanted).every(([key, value]) => isWithin(value, (live as Record<string, unknown>)[key]));
}

/** Who wrote an object last since the agent did, for people: `kubectl-edit`. Who writes its status alone changes nothing. */
export function lastOther(
  { metadata }: ApiObject,
  own: string,
): { readonly manager: string; readonly time: string } | undefined {
  const written = (metadata.managedFields ?? [])
    .filter(({ subresource = "" }) => subresource === "")
    .map(({ manager = "", time = "" }) => ({ manager, time }))
    .toSorted((a, b) => b.time.localeCompare(a.time));
  const ownTime = written.find(({ manager }) => manager === own)?.time ?? "";
  // Times are whole seconds.
  return written.find(({ manager, time }) => manager !== own && time >= ownTime);
}
