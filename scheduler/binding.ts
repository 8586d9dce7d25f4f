/**
 * Makes a decision true: first a Pod's volumes, then the Pod itself, are bound.
 * Source: k8s.io/kubernetes/pkg/scheduler/framework/plugins/volumebinding/binder.go (BindPodVolumes)
 */
import { boundByController, selectedNode } from "@atoll/api/volumes/matching";
import { PersistentVolume, PersistentVolumeClaim, Pod } from "@atoll/client/builtin";
import { keyOf } from "@atoll/client/resource";
import type { Surroundings } from "@atoll/runtime/controller";
import type { VolumePlan } from "./volumes.ts";

/** How long volumes may take. Source: DefaultBindTimeoutSeconds */
const patienceMs = 600_000;

/** The volumes of a Pod could not be bound; the message says why. */
export class VolumesUnbound extends Error {
  override readonly name = "VolumesUnbound";
}

/** What binding works with. */
export type Binder = Pick<Surroundings, "client" | "cache" | "clock" | "dead">;

/** Asks for a Pod's volumes, and waits until they are bound. @throws {VolumesUnbound} */
export async function bindVolumes(plan: VolumePlan, target: string, binder: Binder): Promise<void> {
  const { client, dead } = binder;
  const options = { signal: dead };
  for (const { metadata } of plan.provision) {
    const annotations = { [selectedNode]: target };
    const body = { metadata: { resourceVersion: metadata.resourceVersion, annotations } };
    await client.patch(PersistentVolumeClaim, { key: keyOf({ metadata }), patch: { type: "merge", body } }, options);
  }
  for (const { claim, volume } of plan.bind) {
    const { name, namespace, uid } = claim.metadata;
    const claimRef = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid };
    const annotations = { [boundByController]: "yes" };
    const metadata = { resourceVersion: volume.metadata.resourceVersion, annotations };
    const patch = { type: "merge", body: { metadata, spec: { claimRef } } } as const;
    await client.patch(PersistentVolume, { key: keyOf(volume), patch }, options);
  }
  const claims = [...plan.provision, ...plan.bind.map(({ claim }) => claim)];
  await untilBound(claims, { target, asked: new Set(plan.provision.map(keyOf)) }, binder);
}

interface Expected {
  readonly target: string;
  /** Claims that a provisioner was asked to make volumes for. */
  readonly asked: ReadonlySet<string>;
}

function untilBound(claims: readonly PersistentVolumeClaim[], expected: Expected, binder: Binder): Promise<void> {
  const { cache, clock, dead } = binder;
  const informer = cache.informer(PersistentVolumeClaim);
  /** Claims on which the cache has shown our own request. */
  const shown = new Set<string>();
  const isBound = (claim: PersistentVolumeClaim): boolean => {
    const key = keyOf(claim);
    const now = informer.get(key);
    if (now === undefined) throw new VolumesUnbound(`persistentvolumeclaim "${claim.metadata.name}" is gone`);
    const isSelected = now.metadata.annotations?.[selectedNode] === expected.target;
    if (isSelected) shown.add(key);
    if (expected.asked.has(key) && shown.has(key) && !isSelected)
      throw new VolumesUnbound(`no volume can be made on ${expected.target} for "${claim.metadata.name}"`);
    return now.status?.phase === "Bound";
  };
  return new Promise<void>((resolve, reject) => {
    const ends: (() => void)[] = [];
    const end = (error?: unknown) => {
      for (const each of ends.splice(0)) each();
      if (error === undefined) resolve();
      else reject(error instanceof Error ? error : new VolumesUnbound("volumes are not bound", { cause: error }));
    };
    const look = () => {
      try {
        if (claims.every(isBound)) end();
      } catch (error) {
        end(error);
      }
    };
    const timer = clock.after(patienceMs, () => end(new VolumesUnbound("timed out waiting for volumes")), {
      unref: true,
    });
    const abort = () => end(dead.reason);
    dead.addEventListener("abort", abort, { once: true });
    ends.push(
      () => timer.cancel(),
      () => dead.removeEventListener("abort", abort),
    );
    ends.push(informer.onChange(look));
    look();
  });
}

/** Binds a Pod to a node. */
export async function bindPod(pod: Pod, target: string, { client, dead }: Binder): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  const body = {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name, namespace, uid },
    target: { apiVersion: "v1", kind: "Node", name: target },
  };
  await client.createSubresource(Pod, { key: keyOf(pod), subresource: "binding", body }, { signal: dead });
}
