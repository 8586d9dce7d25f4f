/**
 * Ownership of `spec.replicas` between a resource and its `scale` subresource, whose objects are of another kind.
 *
 *     entries of the resource ── toScale ──► entries of the Scale ── write ──► toParent ──► entries of the resource
 *
 * Source: k8s.io/apimachinery/pkg/util/managedfields/scalehandler.go
 */
import type { ManagedFieldsEntry } from "../object.ts";
import { difference, fieldPaths, has, pathSet } from "./fieldset.ts";
import { type Managers, managerId, readManagers, setFields, writeManagers } from "./managers.ts";
import type { Step } from "./element.ts";

/** Where each version of the resource, as `apps/v1`, has its replicas: `spec.replicas`; undefined for no scale. */
export type ReplicasPaths = Readonly<Record<string, string | undefined>>;

const scaleVersion = "autoscaling/v1";
const scalePath: readonly Step[] = ["f:spec", "f:replicas"];

function stepsOf(paths: ReplicasPaths, apiVersion: string): readonly Step[] | undefined {
  const path = Object.hasOwn(paths, apiVersion) ? paths[apiVersion] : undefined;
  return path?.split(".").map((name) => `f:${name}`);
}

/** The entries of a Scale: those of the resource that own replicas, and own nothing else there. */
export function toScale(
  entries: readonly ManagedFieldsEntry[] | undefined,
  paths: ReplicasPaths,
): ManagedFieldsEntry[] | undefined {
  const scale: Managers = new Map();
  for (const [id, manager] of readManagers(entries) ?? []) {
    const steps = stepsOf(paths, manager.apiVersion);
    if (steps === undefined || !has(manager.fields, steps)) continue;
    // Appliers and updaters stay who they are, whatever their version is called here.
    scale.set(id, { ...manager, apiVersion: scaleVersion, fields: pathSet(...scalePath) });
  }
  return writeManagers(scale);
}

/** A write of a Scale, to be carried over to its resource. */
export interface ScaleWrite {
  /** Of the resource, before the write. */
  readonly parent: readonly ManagedFieldsEntry[] | undefined;
  /** Of the Scale, after the write. */
  readonly scale: readonly ManagedFieldsEntry[] | undefined;
  /** The resource's version in the write. */
  readonly apiVersion: string;
  readonly paths: ReplicasPaths;
}

/** The resource's entries after a write of its Scale: who lost replicas there loses them here, who got them has them. */
export function toParent({ parent, scale, apiVersion, paths }: ScaleWrite): ManagedFieldsEntry[] | undefined {
  const result: Managers = new Map();
  const owners = readManagers(scale) ?? new Map();
  for (const [id, manager] of readManagers(parent) ?? []) {
    if (!Object.hasOwn(paths, manager.apiVersion)) continue;
    const steps = stepsOf(paths, manager.apiVersion);
    const inScale = managerId({ ...manager, apiVersion: scaleVersion });
    if (steps === undefined || !has(manager.fields, steps)) result.set(id, manager);
    else if (owners.delete(inScale)) result.set(id, manager);
    else setFields(result, id, { ...manager, fields: difference(manager.fields, pathSet(...steps)) });
  }
  for (const manager of owners.values()) {
    if (!has(manager.fields, scalePath)) continue;
    // Upstream keeps no time for who comes to own replicas this way.
    const fields = fieldPaths(paths[apiVersion] ?? "spec.replicas");
    const owner = { ...manager, apiVersion, time: undefined, fields };
    result.set(managerId(owner), owner);
  }
  return writeManagers(result);
}
