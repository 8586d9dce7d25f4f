/**
 * Whether the volumes of a Pod's claims can be had at a place, and what is to be done that they are.
 * Source: k8s.io/kubernetes/pkg/scheduler/framework/plugins/volumebinding (binder.go), volumerestrictions
 */
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "@atoll/client/builtin";
import { disks } from "@atoll/api/volumes/disks";
import { bestVolume, bindCompleted, selectedNode } from "@atoll/api/volumes/matching";
import { matchesTerm } from "./filter.ts";
import type { Place } from "./places.ts";
import type { Filter, Refusal, VolumeView, World } from "./world.ts";
import { fine } from "./world.ts";

const final = (reason: string): readonly Refusal[] => [{ reason, isFinal: true }];
const refusals = {
  gone: final("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"),
  affinity: final("node(s) didn't match PersistentVolume's node affinity"),
  unbound: final("node(s) didn't find available persistent volumes to bind"),
  shared: [
    {
      reason: "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
      isFinal: false,
    },
  ],
} satisfies Record<string, readonly Refusal[]>;

interface Use {
  readonly name: string;
  readonly isEphemeral: boolean;
}

/** The claims that a Pod uses. */
function usesOf({ metadata, spec }: Pod): readonly Use[] {
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }): readonly Use[] => {
    if (persistentVolumeClaim !== undefined) return [{ name: persistentVolumeClaim.claimName, isEphemeral: false }];
    return ephemeral === undefined ? [] : [{ name: `${metadata.name}-${name}`, isEphemeral: true }];
  });
}

/** A claim whose volume is chosen or made only now that its Pod is put somewhere. */
interface Waiting {
  readonly claim: PersistentVolumeClaim;
  readonly storageClass: StorageClass;
}

interface Claims {
  readonly bound: readonly PersistentVolumeClaim[];
  readonly waiting: readonly Waiting[];
}

function isBound({ metadata, spec }: PersistentVolumeClaim): boolean {
  return (spec.volumeName ?? "") !== "" && metadata.annotations?.[bindCompleted] !== undefined;
}

/** Why a claim keeps its Pod from going anywhere; undefined: it does not. */
function lackOf({ name, isEphemeral }: Use, claim: PersistentVolumeClaim | undefined): string | undefined {
  if (claim === undefined && isEphemeral)
    return `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`;
  if (claim === undefined) return `persistentvolumeclaim "${name}" not found`;
  if (claim.status?.phase === "Lost")
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ""}"`;
  return claim.metadata.deletionTimestamp === undefined
    ? undefined
    : `persistentvolumeclaim "${name}" is being deleted`;
}

/** @returns a text: why the Pod cannot go anywhere */
function claimsOf(pod: Pod, view: VolumeView): Claims | string {
  const [bound, waiting]: [PersistentVolumeClaim[], Waiting[]] = [[], []];
  for (const use of usesOf(pod)) {
    const claim = view.claim(pod.metadata.namespace ?? "", use.name);
    const lack = lackOf(use, claim);
    if (claim === undefined || lack !== undefined) return lack ?? "";
    const storageClass = view.storageClass(claim.spec.storageClassName ?? "");
    const isLate = storageClass?.volumeBindingMode === "WaitForFirstConsumer" && (claim.spec.volumeName ?? "") === "";
    if (isBound(claim)) bound.push(claim);
    else if (storageClass !== undefined && isLate) waiting.push({ claim, storageClass });
    else return "pod has unbound immediate PersistentVolumeClaims";
  }
  return { bound, waiting };
}

function fitsNode({ spec }: PersistentVolume, { node }: Place): boolean {
  const required = spec?.nodeAffinity?.required;
  return required === undefined || (required.nodeSelectorTerms ?? []).some((term) => matchesTerm(term, node));
}

const keyOf = ({ metadata }: PersistentVolumeClaim): string => `${metadata.namespace}/${metadata.name}`;

/** What is to be done before a Pod is bound. */
export interface VolumePlan {
  readonly bind: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[];
  readonly provision: readonly PersistentVolumeClaim[];
}

/** What its claims need at a place. @returns undefined when they cannot have it */
function planFor(waiting: readonly Waiting[], place: Place, view: VolumeView): VolumePlan | undefined {
  const bind: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = [];
  const provision: PersistentVolumeClaim[] = [];
  const taken = new Set<string>();
  for (const { claim, storageClass } of waiting) {
    const selected = claim.metadata.annotations?.[selectedNode];
    if (selected !== undefined && selected !== place.name) return undefined;
    const volume = selected === undefined ? volumeFor(claim, { place, view, taken }) : undefined;
    if (volume !== undefined) {
      taken.add(volume.metadata.name ?? "");
      bind.push({ claim, volume });
    } else if (canProvision(storageClass, place)) provision.push(claim);
    else return undefined;
  }
  return { bind, provision };
}

function canProvision({ provisioner, parameters, allowedTopologies }: StorageClass, { node }: Place): boolean {
  if (provisioner === "" || provisioner === "kubernetes.io/no-provisioner") return false;
  const datastore = provisioner === disks.provisioner ? parameters?.[disks.datastoreParameter] : undefined;
  if (datastore !== undefined && node.metadata.labels?.[disks.seenLabel(datastore)] === undefined) return false;
  const terms = allowedTopologies ?? [];
  return (
    terms.length === 0 ||
    terms.some(({ matchLabelExpressions }) =>
      (matchLabelExpressions ?? []).every(({ key, values }) =>
        (values ?? []).includes(node.metadata.labels?.[key] ?? ""),
      ),
    )
  );
}

/** The smallest free volume that is as the claim wants it, and is not promised to another. */
function volumeFor(
  claim: PersistentVolumeClaim,
  { place, view, taken }: { place: Place; view: VolumeView; taken: ReadonlySet<string> },
): PersistentVolume | undefined {
  const isOpen = (volume: PersistentVolume) => {
    const name = volume.metadata.name ?? "";
    const promised = view.promised(name);
    return !taken.has(name) && (promised === undefined || promised === keyOf(claim)) && fitsNode(volume, place);
  };
  return bestVolume(claim, [...view.volumes()].filter(isOpen));
}

/** The filter of where volumes are or can be. */
export const volumeBinding: Filter = {
  wakes: ["node", "volume"],
  prepare(pod, { volumes }) {
    if (usesOf(pod).length === 0) return undefined;
    const claims = claimsOf(pod, volumes);
    if (typeof claims === "string") return claims;
    return (place) => {
      for (const { spec } of claims.bound) {
        const volume = volumes.volume(spec.volumeName ?? "");
        if (volume === undefined) return refusals.gone;
        if (!fitsNode(volume, place)) return refusals.affinity;
      }
      return planFor(claims.waiting, place, volumes) === undefined ? refusals.unbound : fine;
    };
  },
};

/** The filter of volumes that one Pod alone may use. */
export const volumeRestrictions: Filter = {
  wakes: ["pod gone", "volume"],
  prepare(pod, { volumes, places }) {
    const { namespace = "" } = pod.metadata;
    const alone = usesOf(pod).filter(({ name }) =>
      volumes.claim(namespace, name)?.spec.accessModes?.includes("ReadWriteOncePod"),
    );
    if (alone.length === 0) return undefined;
    const names = new Set(alone.map(({ name }) => name));
    const isUsed = places.some(({ pods }) =>
      [...pods.values()].some(
        (other) => other.metadata.namespace === namespace && usesOf(other).some(({ name }) => names.has(name)),
      ),
    );
    return () => (isUsed ? refusals.shared : fine);
  },
};

/** What a Pod's volumes need at the place that was chosen; undefined: nothing. */
export function volumePlan(pod: Pod, place: Place, { volumes }: World): VolumePlan | undefined {
  const claims = claimsOf(pod, volumes);
  if (typeof claims === "string" || claims.waiting.length === 0) return undefined;
  return planFor(claims.waiting, place, volumes);
}
