/**
 * The one schema value that everything is made from: validation, defaulting, pruning, patch merging,
 * server-side apply, OpenAPI, CRDs and `kubectl explain`.
 *
 * It is JSON Schema as Kubernetes uses it (OpenAPI v3 with the `x-kubernetes-` extensions). Schemas form a
 * graph, not a tree: shared types are shared by reference, and a few are recursive (JSONSchemaProps).
 * Built-in kinds carry two more facts, taken from upstream's Go types: the type's name, and what upstream's
 * encoder does with a zero value.
 */

/** JSON types of OpenAPI v3. */
export type SchemaType = "object" | "array" | "string" | "integer" | "number" | "boolean";

/**
 * What the encoder does with a field that holds its type's zero value ("" 0 false [] {} null):
 * - `omit`: leaves it out (a plain field with omitempty)
 * - `keep`: writes it, and writes it even when it was never given (a plain field without omitempty): strings as "",
 *   numbers 0, booleans false, structs as {} with their own kept fields, lists and maps as null
 * - `set`: writes what was set, whatever it is, null excepted (a pointer with omitempty); null means not given
 * A struct field with omitempty that is no pointer is written even when empty: that is `keep`, too.
 * A field of metav1.Time by value (creationTimestamp) is `omit`: null means not given.
 */
export type ZeroRule = "omit" | "keep" | "set";

/** One rule of `x-kubernetes-validations`. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

export interface Schema {
  readonly type?: SchemaType;
  /**
   * OpenAPI's formats and, for built-in kinds, upstream's scalar types:
   * int32, int64, double, byte, date-time, micro-time, quantity, int-or-string, duration
   */
  readonly format?: string;
  readonly description?: string;
  readonly title?: string;
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly example?: unknown;

  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly maxProperties?: number;

  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;

  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;

  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;

  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly externalDocs?: { readonly url?: string; readonly description?: string };

  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
  /** Strategic merge patch: how a list or map of a built-in kind is merged ("merge", "replace", "merge,retainKeys"). */
  readonly "x-kubernetes-patch-strategy"?: string;
  readonly "x-kubernetes-patch-merge-key"?: string;

  /** Name of a shared type of the built-in kinds, as `io.k8s.api.core.v1.Container`; OpenAPI refers to it. */
  readonly "x-atoll-name"?: string;
  /** For a property of a built-in kind's type. Absent in CRD schemas and means `set`. */
  readonly "x-atoll-zero"?: ZeroRule;
  /** Protobuf field numbers of a built-in type's properties: `2`, or `2.1` inside an inlined message. */
  readonly "x-atoll-tags"?: Readonly<Record<string, string>>;
  /** Own kinds: a field that may be set once. */
  readonly "x-immutable"?: boolean;
}
