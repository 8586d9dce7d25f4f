/** ConfigMap. Source: k8s.io/kubernetes/pkg/registry/core/configmap, pkg/apis/core/validation (ValidateConfigMap) */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { configKeyErrors } from "@atoll/machinery/names";
import type { ConfigMap } from "../builtin/core/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";

/** All values together. Source: MaxSecretSize, 1 MiB */
const maxBytes = 1024 * 1024;
const data = Path.of("data");
const binaryData = Path.of("binaryData");

export const configMap: Strategy<ConfigMap> = {
  revalidatesMetadata: true,
  validate(object, errors) {
    checkKeys(object, errors);
    if (sizeOf(object) > maxBytes) errors.tooLong(Path.root, maxBytes);
  },
  validateUpdate(object, old, errors) {
    if (old.immutable === true) checkUnchanged(object, old, errors);
    configMap.validate?.(object, errors);
  },
  table: {
    columns: [nameColumn, column("Data", "How many keys it holds."), ageColumn],
    cells: ({ metadata, data: text = {}, binaryData: binary = {} }, nowMs) => [
      metadata.name ?? "",
      Object.keys(text).length + Object.keys(binary).length,
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function checkKeys({ data: text = {}, binaryData: binary = {} }: ConfigMap, errors: FieldErrors): void {
  for (const key of Object.keys(text)) {
    for (const message of configKeyErrors(key)) errors.invalid(data.key(key), key, message);
    if (Object.hasOwn(binary, key)) errors.invalid(data.key(key), key, "duplicate of key present in binaryData");
  }
  for (const key of Object.keys(binary)) {
    for (const message of configKeyErrors(key)) errors.invalid(binaryData.key(key), key, message);
  }
}

function sizeOf({ data: text = {}, binaryData: binary = {} }: ConfigMap): number {
  const texts = Object.values(text).reduce((sum, value) => sum + utf8Length(value), 0);
  return texts + Object.values(binary).reduce((sum, value) => sum + Math.floor((value.length * 3) / 4), 0);
}

// Most values are ASCII, and then their length is their size.
function utf8Length(value: string): number {
  return /^[\x00-\x7f]*$/.test(value) ? value.length : new TextEncoder().encode(value).length;
}

/** An immutable map may be relabelled, nothing else. */
function checkUnchanged(object: ConfigMap, old: ConfigMap, errors: FieldErrors): void {
  const why = "field is immutable when `immutable` is set";
  if (object.immutable !== true) errors.forbidden(Path.of("immutable"), why);
  if (!deepEqual(object.data ?? {}, old.data ?? {})) errors.forbidden(data, why);
  if (!deepEqual(object.binaryData ?? {}, old.binaryData ?? {})) errors.forbidden(binaryData, why);
}
