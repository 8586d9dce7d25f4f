/**
 * The scale of a custom kind: replicas and selector at the paths its definition names.
 * Source: k8s.io/apiextensions-apiserver/pkg/registry/customresource/{etcd,validator}.go
 */
import type { CustomResourceSubresourceScale } from "@atoll/api/builtin/apiextensions.k8s.io/v1.types";
import type { Strategy } from "@atoll/api/kind";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { StatusError } from "@atoll/machinery/status";

type JsonObject = Record<string, unknown>;

const mostReplicas = 2 ** 31 - 1;

/** Paths here have names and dots alone; the leading dot means nothing. */
function stepsOf(path: string): readonly string[] {
  return path.replace(/^\./, "").split(".");
}

/** What stands at a path: `wrong` when something on the way is no object. */
function at(object: JsonObject, path: string): { readonly value: unknown; readonly wrong: boolean } {
  let value: unknown = object;
  for (const step of stepsOf(path)) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return { value: undefined, wrong: true };
    if (!Object.hasOwn(value, step)) return { value: undefined, wrong: false };
    value = (value as JsonObject)[step];
  }
  return { value, wrong: false };
}

function numberAt(object: JsonObject, path: string): number {
  const { value } = at(object, path);
  if (value === undefined) return 0;
  if (typeof value === "number" && Number.isInteger(value)) return value;
  throw new StatusError("InternalError", `${path} is no whole number`);
}

function put(object: JsonObject, path: string, value: unknown): void {
  const steps = stepsOf(path);
  let parent = object;
  for (const step of steps.slice(0, -1)) {
    const next = Object.hasOwn(parent, step) ? parent[step] : undefined;
    if (typeof next !== "object" || next === null || Array.isArray(next)) parent[step] = {};
    parent = parent[step] as JsonObject;
  }
  parent[steps.at(-1) ?? ""] = value;
}

/** The Strategy's part for the scale subresource. */
export function customScale(paths: CustomResourceSubresourceScale): NonNullable<Strategy["scale"]> {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath = "" } = paths;
  return {
    hasReplicas: (object) => at(object, specReplicasPath).value !== undefined,
    replicas: (object) => numberAt(object, specReplicasPath),
    setReplicas: (object, replicas) => put(object, specReplicasPath, replicas),
    statusReplicas: (object) => numberAt(object, statusReplicasPath),
    selector: (object) => {
      const { value } = labelSelectorPath === "" ? { value: "" } : at(object, labelSelectorPath);
      return typeof value === "string" ? value : "";
    },
  };
}

/** Replicas wanted must be a number that can be. */
export function validateScaleSpec(
  paths: CustomResourceSubresourceScale,
  object: JsonObject,
  errors: FieldErrors,
): void {
  validateReplicas(paths.specReplicasPath, object, errors);
}

/** So must replicas that are, and the selector must be text. */
export function validateScaleStatus(
  { statusReplicasPath, labelSelectorPath }: CustomResourceSubresourceScale,
  object: JsonObject,
  errors: FieldErrors,
): void {
  validateReplicas(statusReplicasPath, object, errors);
  if (labelSelectorPath === undefined) return;
  const { value, wrong } = at(object, labelSelectorPath);
  if (wrong || (value !== undefined && typeof value !== "string")) {
    errors.invalid(Path.of(labelSelectorPath), "", `${labelSelectorPath} accessor error: the value found is no string`);
  }
}

function validateReplicas(path: string, object: JsonObject, errors: FieldErrors): void {
  const { value = 0, wrong } = at(object, path);
  const whole = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
  if (wrong || !whole) {
    errors.invalid(Path.of(path), 0, `${path} accessor error: the value found is no int64`);
  } else if (value < 0) errors.invalid(Path.of(path), value, "should be a non-negative integer");
  else if (value > mostReplicas) {
    errors.invalid(Path.of(path), value, `should be less than or equal to ${mostReplicas}`);
  }
}
