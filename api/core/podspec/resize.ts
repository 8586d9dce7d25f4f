/**
 * Changing the resources of a pod that exists, through its `resize` subresource.
 * Source: pkg/apis/core/validation (ValidatePodResize), pkg/registry/core/pod (dropNonResizeUpdates)
 */
import { deepEqual } from "@atoll/machinery/equal";
import type { Container, Pod, ResourceRequirements } from "../../builtin/core/v1.types.ts";
import { mirrorKey } from "./annotations.ts";
import type { Place } from "./place.ts";
import { qosClassOf } from "./qos.ts";

/** Keeps all but resources and resize policies as they were; when containers come or go, validation will tell. */
export function keepAllButResources(pod: Pod, old: Pod): void {
  const { spec } = pod;
  const containers = resized(spec.containers ?? [], old.spec.containers ?? []);
  const initContainers = resized(spec.initContainers ?? [], old.spec.initContainers ?? []);
  pod.status = structuredClone(old.status);
  if (containers === undefined || initContainers === undefined) return;
  const { resources } = spec;
  pod.spec = { ...structuredClone(old.spec), containers };
  if (old.spec.initContainers !== undefined) pod.spec.initContainers = initContainers;
  if (resources !== undefined && old.spec.resources !== undefined) pod.spec.resources = resources;
}

function resized(now: readonly Container[], old: readonly Container[]): Container[] | undefined {
  if (now.length !== old.length) return undefined;
  return now.map((container, i) => {
    const before = old[i];
    if (before?.name !== container.name) return container;
    const { resizePolicy: _, ...kept } = structuredClone(before);
    const { resources, resizePolicy } = container;
    return { ...kept, resources, ...(resizePolicy === undefined ? {} : { resizePolicy }) };
  });
}

/** `root` is the pod's own place. */
export function checkResize(pod: Pod, old: Pod, root: Place): void {
  if (old.metadata.annotations?.[mirrorKey] !== undefined) return root.forbidden("", "static pods cannot be resized");
  if (old.spec.os?.name === "windows") return root.forbidden("", "windows pods cannot be resized");
  const at = root.child("spec");
  const qos = qosClassOf(pod.spec);
  if ((old.status.qosClass ?? qosClassOf(old.spec)) !== qos) {
    at.invalid("", qos, "Pod QOS Class may not change as a result of resizing");
  }
  const running = old.status.containerStatuses?.find(({ state }) => state.running !== undefined);
  if (running !== undefined && running.resources === undefined) {
    at.forbidden("", "Pod running on node without support for resize");
  }
  checkList(pod, old, { at, list: "containers" });
  checkList(pod, old, { at, list: "initContainers" });
}

function checkList(pod: Pod, old: Pod, { at, list }: { at: Place; list: "containers" | "initContainers" }): void {
  const now = pod.spec[list] ?? [];
  const before = old.spec[list] ?? [];
  if (now.length !== before.length) return at.forbidden(list, "only cpu and memory resources are mutable");
  for (const [i, container] of now.entries()) {
    const was = before[i];
    if (was === undefined) continue;
    if (list === "initContainers" && was.restartPolicy !== "Always") {
      if (!deepEqual(container, was)) at.forbidden("", "resources for non-sidecar init containers are immutable");
      continue;
    }
    checkKept(container.resources, was.resources, at.item(list, i).child("resources"));
    if (!onlyComputing(container, was)) at.forbidden("", "only cpu and memory resources are mutable");
  }
}

function checkKept(now: ResourceRequirements, before: ResourceRequirements, at: Place): void {
  for (const list of ["requests", "limits"] as const) {
    const removed = Object.keys(before[list] ?? {}).some((name) => now[list]?.[name] === undefined);
    if (removed) at.forbidden(list, `resource ${list} cannot be removed`);
  }
}

function onlyComputing(now: Container, before: Container): boolean {
  const { resources, ...rest } = now;
  const { resources: old, ...others } = before;
  return deepEqual(rest, others) && deepEqual(fixedPart(resources), fixedPart(old));
}

/** All that a resize may not change. */
function fixedPart({ limits = {}, requests = {}, claims = [] }: ResourceRequirements): unknown {
  const fixed = (list: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(list).filter(([name]) => name !== "cpu" && name !== "memory"));
  return { limits: fixed(limits), requests: fixed(requests), claims };
}
