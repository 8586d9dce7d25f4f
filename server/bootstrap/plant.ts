/** Objects that a server makes for itself when it starts, beside others that do the same. */
import { randomUUID } from "node:crypto";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import type { Resource } from "../registry/resource.ts";

/**
 * Makes an object, unless another server of the cluster was quicker.
 * @param object without uid and time of creation
 * @param now RFC 3339, its time of creation
 * @returns whether it was made
 */
export async function plant(resource: Resource, object: ApiObject, now: string): Promise<boolean> {
  const metadata = { ...object.metadata, uid: randomUUID(), creationTimestamp: now };
  try {
    await resource.create({ ...object, metadata });
    return true;
  } catch (error) {
    if (error instanceof StatusError && error.reason === "AlreadyExists") return false;
    throw error;
  }
}

/** Whether an object is there, as the cache has it. */
export function isPlanted(resource: Resource, namespace: string, name: string): boolean {
  return resource.cache.get(resource.key(namespace, name)) !== undefined;
}
