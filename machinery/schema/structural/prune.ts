/**
 * Takes fields that a schema does not know out of values.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning
 */
import { Path } from "../../field.ts";
import type { Schema } from "../schema.ts";
import { propertyOf } from "./correlated.ts";

/** Fields that every resource has. */
export const metaFields: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

/** What a prune is for. */
export interface PruneOptions {
  /** The value is a whole resource: apiVersion, kind and metadata stay. */
  readonly root: boolean;
  /** Told the path of each field taken out, as `spec.list[0].name`. */
  readonly onUnknown?: (path: string) => void;
}

/** Changes `value`. No schema (undefined) knows no field. */
export function prune(value: unknown, schema: Schema | undefined, { root, onUnknown }: PruneOptions): void {
  const at = onUnknown === undefined ? undefined : Path.root;
  new Pruner(onUnknown).prune(value, root ? asResource(schema) : schema, at);
}

/** The schema as that of a whole resource. */
export function asResource(schema: Schema | undefined): Schema {
  if (schema?.["x-kubernetes-embedded-resource"] === true) return schema;
  return { ...schema, "x-kubernetes-embedded-resource": true };
}

class Pruner {
  readonly #onUnknown: ((path: string) => void) | undefined;

  constructor(onUnknown: ((path: string) => void) | undefined) {
    this.#onUnknown = onUnknown;
  }

  /** `at` is only there when somebody wants to know. */
  prune(value: unknown, schema: Schema | undefined, at: Path | undefined): void {
    if (typeof value !== "object" || value === null) return;
    const preserves = schema?.["x-kubernetes-preserve-unknown-fields"] === true;
    if (Array.isArray(value)) this.#items(value, schema, at, preserves);
    else this.#fields(value as Record<string, unknown>, schema, at, preserves);
  }

  #items(value: readonly unknown[], schema: Schema | undefined, at: Path | undefined, preserves: boolean): void {
    const { items } = schema ?? {};
    // Items without a schema under preserved fields stay as they are.
    if (preserves && items === undefined) return;
    const below = preserves ? { ...items, "x-kubernetes-preserve-unknown-fields": true as const } : items;
    for (let i = 0; i < value.length; i++) this.prune(value[i], below, at?.index(i));
  }

  #fields(value: Record<string, unknown>, schema: Schema | undefined, at: Path | undefined, preserves: boolean): void {
    const resource = schema?.["x-kubernetes-embedded-resource"] === true;
    for (const name of Object.keys(value)) {
      if (resource && metaFields.has(name)) continue;
      const field = schema === undefined ? "unknown" : fieldOf(schema, name);
      if (field !== "unknown") this.prune(value[name], field, at?.child(name));
      else if (!preserves) {
        delete value[name];
        this.#tell(name, at);
      }
    }
  }

  #tell(name: string, at: Path | undefined): void {
    if (at === undefined || (at === Path.root && metaFields.has(name))) return;
    this.#onUnknown?.(at.child(name).toString());
  }
}

/** The schema of a field; undefined for additional properties without one, whose own fields are all unknown. */
function fieldOf(schema: Schema, name: string): Schema | "unknown" | undefined {
  const property = propertyOf(schema, name);
  if (property !== undefined) return property;
  const { additionalProperties } = schema;
  if (additionalProperties === undefined) return "unknown";
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}
