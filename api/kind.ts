/**
 * A kind: the facts of its resource, its schema, and the Strategy in which it differs from other kinds.
 * Everything else about serving a kind is shared and lives in server/registry.
 */
import type { FieldErrors } from "@atoll/machinery/field";
import type { ApiObject } from "@atoll/machinery/object";
import type { Schema } from "@atoll/machinery/schema/schema";

/** The verbs of discovery. */
export type Verb = "create" | "delete" | "deletecollection" | "get" | "list" | "patch" | "update" | "watch";

/** A path below an object, as `pods/log`. */
export interface Subresource {
  readonly name: string;
  /** Kind of its bodies, when it is not the parent's: `{group: "autoscaling", version: "v1", kind: "Scale"}`. */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
  readonly verbs: readonly Verb[];
}

/** What discovery says about a resource. */
export interface ResourceFacts {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  readonly subresources: readonly Subresource[];
}

/** One column of `kubectl get`. Priority above 0 shows only with -o wide. */
export interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  readonly format?: string;
  readonly description: string;
  readonly priority: number;
}

/** How objects of a kind are shown as rows. Source: k8s.io/kubernetes/pkg/printers/internalversion */
export interface TableShape<T> {
  readonly columns: readonly Column[];
  /** One cell a column. `nowMs` is for ages. */
  cells(object: T, nowMs: number): readonly (string | number | boolean | null)[];
  /** Row conditions, as a finished pod's `Completed`. */
  conditions?(object: T): readonly { type: string; status: string; reason?: string; message?: string }[];
}

/** Who writes and when, for hooks that need it. */
export interface WriteContext {
  /** RFC 3339 with seconds, UTC: the request's moment. */
  readonly now: string;
  readonly user: {
    readonly name: string;
    readonly uid: string;
    readonly groups: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  /** Subresource being written, "" for the object itself. */
  readonly subresource: string;
}

/**
 * A kind's own rules. Hooks are pure but for the object they may change, and run in the order listed:
 *
 * create: decode → setDefaults → (mutating admission) → prepareForCreate → validate → (validating admission) → store
 * update: decode or patch → setDefaults → (mutating admission) → prepareForUpdate → validateUpdate → … → store
 *
 * `object` is decoded: it has the schema's types, kept zero values are there, unknown fields are gone.
 * Metadata common to all kinds is prepared and validated by the registry, before these hooks.
 * Source: k8s.io/apiserver/pkg/registry/rest (RESTCreateStrategy, RESTUpdateStrategy)
 */
export interface Strategy<T = ApiObject> {
  /** Fills what the user left out. May change the object; must be idempotent. */
  setDefaults?(object: T): void;
  /** Clears what users may not set (status), sets first values. May change the object. */
  prepareForCreate?(object: T, context: WriteContext): void;
  /** Rules within the object, on create. Must not change it. */
  validate?(object: T, errors: FieldErrors): void;
  /** Carries over what users may not change (status on the main resource). May change `object`, never `old`. */
  prepareForUpdate?(object: T, old: T, context: WriteContext): void;
  /** Rules of the new object and of the change. Must not change either. Calls validate() itself where upstream does. */
  validateUpdate?(object: T, old: T, errors: FieldErrors): void;
  /** An update is checked by the rules of a new object, too, which report metadata once more. */
  readonly revalidatesMetadata?: boolean;
  /** Messages for Warning headers. `old` is absent on create. */
  warnings?(object: T, old: T | undefined): readonly string[];

  /** As prepareForUpdate and validateUpdate, for the status subresource: by default all but status is taken from old. */
  readonly status?: {
    prepareForUpdate?(object: T, old: T, context: WriteContext): void;
    validateUpdate?(object: T, old: T, errors: FieldErrors): void;
  };
  /** The same for other subresources that write the object (ephemeralcontainers, resize, approval, finalize). */
  readonly writes?: Readonly<
    Record<
      string,
      {
        prepareForUpdate(object: T, old: T, context: WriteContext): void;
        validateUpdate(object: T, old: T, errors: FieldErrors): void;
      }
    >
  >;

  /** What is wrong with a name, empty when nothing. Default: DNS subdomain. `prefix` means a generateName. */
  nameErrors?(name: string, prefix: boolean): readonly string[];
  /** metadata.generation is 1 on create and rises when anything but metadata and status changes. */
  readonly generation?: boolean;
  /** Custom rule for when generation rises. */
  specChanged?(object: T, old: T): boolean;
  /** PUT on a missing name creates. Source: AllowCreateOnUpdate */
  readonly createOnUpdate?: boolean;
  /** PUT without resourceVersion is refused. Source: AllowUnconditionalUpdate is false */
  readonly needsResourceVersion?: boolean;
  /** Fields beyond metadata.name and metadata.namespace that selectors may name, and their values. */
  readonly fields?: Readonly<Record<string, (object: T) => string>>;
  /** Graceful deletion: the grace in seconds when the kind has any. `asked` is the caller's wish. */
  graceSeconds?(object: T, asked: number | undefined): number;
  /** `kubectl get` columns; Name and Age when absent. */
  readonly table?: TableShape<T>;
  /** Annotations that stand for fields of this version; answers with metadata alone leave them out. */
  readonly fieldAnnotations?: readonly string[];
  /** Propagation when the caller names none: background unless said otherwise. */
  readonly defaultPropagation?: "Background" | "Orphan";
  /** What keeps a deleted object beside metadata.finalizers: a Namespace's spec.finalizers. */
  holdsDeletion?(object: T): boolean;
  /** Called when deletion begins and the object stays for now; may change it (phase Terminating). */
  beginDeletion?(object: T, context: WriteContext): void;
  /** DELETE answers with the object even when it is gone at once. Source: ReturnDeletedObject */
  readonly returnsDeleted?: boolean;
  /**
   * Fields that nobody comes to own by a write through a path, by subresource ("" for the object), as `spec.replicas`.
   * Default: `status` on the object when it has a status subresource, `spec` on `status`. Source: GetResetFields
   */
  readonly resetFields?: Readonly<Record<string, readonly string[]>>;
  /** The `scale` subresource. */
  readonly scale?: {
    /** Whether it has a number of replicas to read; default: it has. */
    hasReplicas?(object: T): boolean;
    replicas(object: T): number;
    setReplicas(object: T, replicas: number): void;
    statusReplicas(object: T): number;
    /** The label selector in string form. */
    selector(object: T): string;
    /**
     * Where each version, as `apps/v1`, has the replicas, for who owns them; undefined for a version without scale.
     * Default: this version alone, `spec.replicas`.
     */
    readonly paths?: Readonly<Record<string, string | undefined>>;
  };
}

/** Where a value comes from that is to be read: what is wrong with it is told accordingly. */
export type Origin = "body" | "patch" | "apply";

/** A body that was read. */
export interface DecodedObject {
  readonly value: ApiObject;
  /** Messages about what was dropped, as `unknown field "spec.foo"`. */
  readonly unknown: readonly string[];
}

/** A kind as the server serves it. */
export interface Kind<T = ApiObject> extends ResourceFacts {
  readonly schema: Schema;
  readonly strategy: Strategy<T>;
  /**
   * How stored objects become this version and back, when the stored bytes are not served as they are: the version is
   * not the stored one, or stored objects are pruned and defaulted as they are read (custom resources). Conversions keep
   * metadata and may return the object they were given, changed. A converter that asks a webhook answers with a promise
   * and may gather the calls of one tick into one request.
   */
  readonly storedAs?: {
    /** When it is stored as a kind of another group (events.k8s.io Events as the core's). */
    readonly group?: string;
    readonly version: string;
    /**
     * Reading is a pure function of the stored bytes, and this is the stored version: an object that reading leaves as
     * it is may be served as its bytes.
     */
    readonly same?: boolean;
    toStored(object: ApiObject): ApiObject | Promise<ApiObject>;
    fromStored(object: ApiObject): ApiObject | Promise<ApiObject>;
  };
  /**
   * Defined by a CustomResourceDefinition: items of its lists carry kind and apiVersion, strategic merge patch is not
   * supported, and unknown fields are the schema's affair.
   */
  readonly custom?: boolean;
  /**
   * Reads a body in the kind's own way (custom resources), or what a patch or an apply made of an object.
   * @throws {StatusError} BadRequest, Invalid
   */
  decode?(value: Readonly<Record<string, unknown>>, origin: Origin): DecodedObject;
  /**
   * An object of this kind in another of its versions, for ownership recorded there; undefined for versions it has not.
   * Must not change the object.
   */
  shownIn?(object: ApiObject, apiVersion: string): { object: ApiObject; schema: Schema } | undefined;
  /** Told with every answer: the version is deprecated. */
  readonly warning?: string;
  /** Never stored: the answer is made from the request (TokenReview, SubjectAccessReview). */
  readonly virtual?: boolean;
}
