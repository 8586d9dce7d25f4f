/**
 * References to a pod's own fields and resources, from its environment and its volumes.
 * Source: pkg/apis/core/validation (validateObjectFieldSelector, validateContainerResourceFieldSelector),
 * pkg/apis/core/pods (ConvertDownwardAPIFieldLabel)
 */
import { qualifiedNameErrors } from "@atoll/machinery/names";
import type { ObjectFieldSelector, ResourceFieldSelector } from "../../builtin/core/v1.types.ts";
import { type Place, signOf } from "./place.ts";

/** Fields that environment variables may take. */
export const envFields: readonly string[] = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];

/** Fields that files may take. */
export const volumeFields: readonly string[] = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];

/** All that upstream can convert; what is not here is an invalid path, not an unsupported one. */
const known: ReadonlySet<string> = new Set([
  ...envFields,
  ...volumeFields,
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
  "status.nominatedNodeName",
  "spec.host",
]);

const subscripted = /^(.*)\['(.*)'\]$/;

/** A field of the pod. */
export function checkFieldRef(ref: ObjectFieldSelector, allowed: readonly string[], at: Place): void {
  const { apiVersion, fieldPath } = ref;
  if (!apiVersion) return at.required("apiVersion");
  if (fieldPath === "") return at.required("fieldPath");
  if (apiVersion !== "v1") {
    return at.invalid("fieldPath", fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`);
  }
  const [, path, subscript = ""] = subscripted.exec(fieldPath) ?? [];
  if (path !== undefined) return checkSubscript(path, subscript, { fieldPath, at });
  if (!known.has(fieldPath)) {
    return at.invalid("fieldPath", fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`);
  }
  if (!allowed.includes(fieldPath)) at.notSupported("fieldPath", fieldPath, allowed);
}

function checkSubscript(path: string, subscript: string, { fieldPath, at }: { fieldPath: string; at: Place }): void {
  switch (path) {
    case "metadata.annotations":
      return at.each("", subscript, qualifiedNameErrors(subscript.toLowerCase()));
    case "metadata.labels":
      return at.each("", subscript, qualifiedNameErrors(subscript));
    default:
      return at.invalid(
        "fieldPath",
        fieldPath,
        `error converting fieldPath: field label does not support subscript: ${fieldPath}`,
      );
  }
}

const resources = ["cpu", "memory", "ephemeral-storage"];
const resourceFields = ["limits", "requests"].flatMap((list) => resources.map((name) => `${list}.${name}`));
const hugePages = /^(limits|requests)\.hugepages-/;
const cpuDivisors = ["1m", "1"];
const byteDivisors = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/** A resource of a container; a volume says of which. */
export function checkResourceFieldRef(ref: ResourceFieldSelector, at: Place, { volume }: { volume: boolean }): void {
  const { containerName, resource } = ref;
  if (volume && !containerName) at.required("containerName");
  else if (resource === "") at.required("resource");
  else if (!resourceFields.includes(resource) && !hugePages.test(resource)) {
    at.notSupported("resource", resource, resourceFields);
  }
  checkDivisor(ref, at);
}

function checkDivisor({ resource, divisor }: ResourceFieldSelector, at: Place): void {
  if (signOf(divisor) === 0 || !(resourceFields.includes(resource) || hugePages.test(resource))) return;
  const allowed = resource.endsWith(".cpu") ? cpuDivisors : byteDivisors;
  if (allowed.includes(divisor)) return;
  const name = resource.slice(resource.indexOf(".") + 1);
  const shown = name === "ephemeral-storage" ? "local ephemeral storage" : name.replace(/^hugepages-.*/, "hugepages");
  const list = resource.endsWith(".cpu") ? "1m and 1" : byteDivisors.join(", ");
  at.invalid("divisor", resource, `only divisor's values ${list} are supported with the ${shown} resource`);
}
