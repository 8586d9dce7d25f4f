/**
 * Kinds of Atoll's own. They are served as custom resources, on an Atoll server and on any other Kubernetes alike, so a
 * kind is a few facts and two schemas; rules between fields are CEL in the schema.
 */
import type { ApiObject, ObjectMeta } from "@atoll/machinery/object";
import { type Static, Type, type Typed } from "@atoll/machinery/schema/type";

/** One column of `kubectl get`. Source: CustomResourceColumnDefinition */
export interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "boolean" | "date";
  readonly jsonPath: string;
  /** Above 0: only with -o wide. */
  readonly priority?: number;
}

/** What names a kind, and how it is shown. */
export interface OwnFacts {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly namespaced: boolean;
  readonly description: string;
  readonly columns: readonly PrinterColumn[];
  /** A word for this kind and its like, as in `kubectl get atoll`, which it is without one. */
  readonly category?: string;
  /** Of its definition. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of an object's name, when it is to serve as a label. */
  readonly longestName?: number;
  /** Further versions, of the same schema. */
  readonly alsoServed?: readonly string[];
}

/** An object of a kind with the given spec and status. */
export interface OwnObject<Spec, Status> extends ApiObject {
  metadata: ObjectMeta;
  spec: Spec;
  status?: Status;
}

/** A kind of our own. To a client it is a resource of T. */
export interface OwnKind<T extends ApiObject = ApiObject> extends OwnFacts {
  readonly schema: { readonly spec: Typed; readonly status: Typed };
  /** Carries T; there is none. */
  readonly strategy?: { setDefaults?(object: T): void };
}

/** The type of a kind's objects. */
export type ObjectOf<K> = K extends OwnKind<infer T> ? T : never;

/** Declares a kind. */
export function defineKind<Spec extends Typed, Status extends Typed>(
  facts: OwnFacts,
  schema: { readonly spec: Spec; readonly status: Status },
): OwnKind<OwnObject<Static<Spec>, Static<Status>>> {
  return { ...facts, schema };
}

/** Conditions as every Kubernetes kind has them. Source: metav1.Condition */
export const conditions = Type.optional(
  Type.list(
    Type.object({
      type: Type.string({ description: "What the condition is about." }),
      status: Type.oneOf(["True", "False", "Unknown"], { description: "Whether it holds." }),
      reason: Type.string({ description: "One word for why." }),
      message: Type.string({ description: "A sentence for people." }),
      lastTransitionTime: Type.time({ description: "When the status changed last." }),
      observedGeneration: Type.optional(Type.integer({ description: "The generation that was judged." })),
    }),
    {
      description: "Conditions of the object.",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
    },
  ),
);

/** One condition. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}
