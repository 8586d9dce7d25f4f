/**
 * managedFields: the record of who owns which fields of an object, kept up on every write, and server-side apply, which
 * goes by it. This is the one door; the other files of this folder are behind it.
 *
 *     create, update, patch ── recordUpdate ──► new managedFields
 *     apply ─────────────────► apply ─────────► merged object with new managedFields, or conflicts
 *
 * Source: k8s.io/apimachinery/pkg/util/managedfields/internal (fieldmanager.go and the managers it stacks)
 */
import { deepEqual } from "../equal.ts";
import type { ApiObject, ManagedFieldsEntry } from "../object.ts";
import type { Schema } from "../schema/schema.ts";
import { StatusError } from "../status.ts";
import { type Convert, Conflicts, type Rules, type Versioned, applyTo, reconcile, update } from "./apply.ts";
import { allowedByLastApplied, syncLastApplied } from "./client-apply.ts";
import { conflictError } from "./conflict.ts";
import { BadValue } from "./items.ts";
import {
  type Manager,
  type Managers,
  capUpdaters,
  managerId,
  readManagers,
  setFields,
  stripUnowned,
  writeManagers,
} from "./managers.ts";
import { checkForm } from "./owned.ts";
import { type Plain, isEmpty, isPlain, refuseDeep, without } from "./plain.ts";
import { type FieldFilter, union } from "./fieldset.ts";
import { type FieldType, typeOfKind } from "./types.ts";
import { zeroObject } from "./zero.ts";

export { type FieldFilter, excluding, fieldPaths } from "./fieldset.ts";

/** What ownership of one path's objects goes by. */
export interface OwnershipOptions {
  /** `apps/v1`: the version in which objects are given and recorded. */
  readonly apiVersion: string;
  readonly kind: string;
  /** Of whole objects in that version. */
  readonly schema: Schema;
  /** "" for the object itself. */
  readonly subresource?: string;
  /** Takes out the fields that a write through this path never changes, as `excluding(fieldPaths("status"))`. */
  readonly reset?: FieldFilter | undefined;
  /**
   * Shows an object in another version, for entries that were recorded in it. Without it, and for versions it does not
   * know (undefined), such entries are dropped.
   */
  readonly convert?: (object: ApiObject, apiVersion: string) => { object: ApiObject; schema: Schema } | undefined;
}

/** A write that is no apply. */
export interface UpdateRecord {
  /** The stored object, undefined for a create. Not changed. */
  readonly live: Readonly<ApiObject> | undefined;
  /** The new object, with the managedFields the client sent, if any. Not changed. */
  readonly updated: Readonly<ApiObject>;
  /** The managedFields as the client sent them, for callers whose decoding loses an empty list. */
  readonly sent?: unknown;
  /** Who writes; "" is recorded as `unknown`. */
  readonly manager: string;
  /** RFC 3339 with seconds. */
  readonly now: string;
}

/** An apply. */
export interface ApplyRequest {
  /** The stored object, undefined when there is none yet. Not changed. */
  readonly live: Readonly<ApiObject> | undefined;
  /** The configuration as sent, not defaulted and not pruned. Not changed. */
  readonly applied: Readonly<Plain>;
  readonly manager: string;
  readonly force: boolean;
  /** RFC 3339 with seconds. */
  readonly now: string;
}

/**
 * Ownership of the objects of one kind, version and subresource. Make it once and keep it: it remembers what it learnt
 * of the schema.
 */
export class Ownership {
  readonly #options: OwnershipOptions;
  readonly #type: FieldType;
  readonly #types = new WeakMap<Schema, FieldType>();
  readonly #zero: Plain;
  readonly #rules: Rules;

  constructor(options: OwnershipOptions) {
    this.#options = options;
    this.#type = typeOfKind(options.schema);
    this.#zero = { ...zeroObject(options.schema), apiVersion: options.apiVersion, kind: options.kind };
    this.#rules = { convert: this.#converter(), filter: options.reset };
  }

  /**
   * The managedFields of an object after a create, an update or a patch.
   *
   * A client that sends managedFields sets them (not through a subresource); `[]` and `[{}]` forget them, and an update
   * of an object that has none starts none. Garbage sent counts as nothing sent.
   * @returns undefined for none; entries share structure with those before
   */
  recordUpdate(record: UpdateRecord): ManagedFieldsEntry[] | undefined {
    const managers = this.#managersFor(record);
    if (managers.size === 0 && record.live !== undefined) return undefined;
    try {
      return writeManagers(this.#updated(managers, record));
    } catch (error) {
      // An object that has not the form of its type: better no record than a wrong one, as upstream.
      if (error instanceof BadValue) return undefined;
      throw error;
    }
  }

  /** The owners to start from: those sent, or else those stored; none when what is stored is garbage. */
  #managersFor({ live, updated, sent = updated.metadata.managedFields }: UpdateRecord): Managers {
    const stored = live?.metadata.managedFields;
    if ((this.#options.subresource ?? "") === "" && sent !== stored) {
      if (isReset(sent)) return new Map();
      if (sent !== undefined && !deepEqual(sent, stored)) {
        const managers = readManagers(sent);
        if (managers !== undefined && managers.size > 0) return managers;
      }
    }
    return readManagers(stored) ?? new Map<string, Manager>();
  }

  #updated(before: Managers, { live, updated, manager, now }: UpdateRecord): Managers {
    const { apiVersion, subresource = "" } = this.#options;
    const who = { name: manager === "" ? "unknown" : manager, operation: "Update", apiVersion, subresource } as const;
    const by = managerId(who);
    const change = { before: this.#shown(live), after: this.#shown(updated), by };
    const managers = reconcile(before, change.before, this.#rules);
    const taken = stripUnowned(update(managers, change, this.#rules));
    if (!isEmpty(taken)) {
      const previous = managers.get(by);
      const fields = previous === undefined ? taken : union(previous.fields, taken);
      managers.set(by, { ...who, time: now, fields });
    }
    capUpdaters(managers);
    return managers;
  }

  /**
   * Applies a configuration: merges it into the live object, takes out what its applier set before and no longer does,
   * and records who owns what.
   * @returns the object to go on with, with its managedFields; not defaulted, and with nulls where fields were taken
   *   out. It shares structure with live and applied: do not change it.
   * @throws {StatusError} BadRequest for another version or kind and for managedFields sent, Conflict for fields that
   *   others own, Unknown (500) for a configuration that has not the form of its type
   */
  apply(request: ApplyRequest): ApiObject {
    this.#checkApplied(request);
    const live = this.#shown(request.live);
    const stored = readManagers(request.live?.metadata.managedFields);
    if (stored === undefined) throw new StatusError("Unknown", "failed to decode managed fields", { code: 500 });
    const before = stored.size > 0 ? stored : this.#beforeFirstApply(request);
    try {
      return this.#applied({ request, live, before });
    } catch (error) {
      if (error instanceof Conflicts) throw conflictError(error);
      if (error instanceof BadValue) throw this.#badForm(request, error, "failed to merge config");
      throw error;
    }
  }

  #applied(given: { request: ApplyRequest; live: Versioned; before: Managers }): ApiObject {
    const { request, live } = given;
    try {
      return this.#tryApply(given, request.force);
    } catch (error) {
      // Only kubectl takes over what it set by client-side apply.
      if (!(error instanceof Conflicts) || request.manager !== "kubectl") throw error;
      const rest = allowedByLastApplied(error, live);
      if (rest !== undefined) throw rest;
      return this.#tryApply(given, true);
    }
  }

  #tryApply(
    { request, live, before }: { request: ApplyRequest; live: Versioned; before: Managers },
    force: boolean,
  ): ApiObject {
    const { apiVersion, subresource = "" } = this.#options;
    const { manager: name, now } = request;
    const who = { name: name === "" ? "unknown" : name, operation: "Apply", apiVersion, subresource } as const;
    const id = managerId(who);
    const managers = reconcile(before, live, this.#rules);
    const time = managers.get(id)?.time;
    const applied = { ...live, object: request.applied };
    const manager: Manager = { ...who, time, fields: {} };
    const object = applyTo(managers, { live, applied, id, manager, force }, this.#rules);
    const own = managers.get(id);
    if (own !== undefined) {
      setFields(managers, id, { ...own, time: object === undefined ? time : now, fields: stripUnowned(own.fields) });
    }
    const result = object ?? live.object;
    return withManagedFields(name === "kubectl" ? syncLastApplied(result, request.applied) : result, managers);
  }

  /** Whoever set the fields of an object that has no record is one owner, so that appliers conflict with it. */
  #beforeFirstApply({ live, now }: ApplyRequest): Managers {
    if (live === undefined) return new Map();
    const record = { live: undefined, updated: live, manager: "before-first-apply", now };
    try {
      return this.#updated(new Map(), record);
    } catch (error) {
      if (error instanceof BadValue) return new Map();
      throw error;
    }
  }

  #checkApplied(request: ApplyRequest): void {
    const { apiVersion, kind } = this.#options;
    const { applied } = request;
    if (applied["apiVersion"] !== apiVersion || applied["kind"] !== kind) {
      const given = `${spellText(applied["apiVersion"])}, Kind=${spellText(applied["kind"])}`;
      throw new StatusError("BadRequest", `invalid object type: ${given}`);
    }
    const metadata = applied["metadata"];
    if (isPlain(metadata) && Array.isArray(metadata["managedFields"])) {
      throw new StatusError("BadRequest", "metadata.managedFields must be nil");
    }
    refuseDeep(applied);
    try {
      checkForm(this.#type, applied);
    } catch (error) {
      if (error instanceof BadValue) throw this.#badForm(request, error, "failed to create typed patch object");
      throw error;
    }
  }

  #badForm({ applied }: ApplyRequest, cause: BadValue, what: string): StatusError {
    const { apiVersion, kind } = this.#options;
    const { namespace = "", name = "" } = isPlain(applied["metadata"]) ? applied["metadata"] : {};
    const message = `${what} (${spellText(namespace)}/${spellText(name)}; ${apiVersion}, Kind=${kind}): ${cause.message}`;
    return new StatusError("Unknown", message, { code: 500, cause });
  }

  /** An object without its managedFields, which own no fields themselves; the kind's zero object for none. */
  #shown(object: Readonly<ApiObject> | undefined): Versioned {
    const { apiVersion } = this.#options;
    if (object === undefined) return { object: this.#zero, type: this.#type, apiVersion };
    return { object: withoutManagedFields(object), type: this.#type, apiVersion };
  }

  #converter(): Convert {
    const { convert } = this.#options;
    if (convert === undefined) return () => undefined;
    return (from, apiVersion) => {
      const shown = convert(from.object as unknown as ApiObject, apiVersion);
      if (shown === undefined) return undefined;
      return { object: shown.object, type: this.#typeOf(shown.schema), apiVersion };
    };
  }

  #typeOf(schema: Schema): FieldType {
    if (schema === this.#options.schema) return this.#type;
    const known = this.#types.get(schema) ?? typeOfKind(schema);
    this.#types.set(schema, known);
    return known;
  }
}

const spellText = (value: unknown): string => (typeof value === "string" ? value : "");

/** Whether managedFields as sent ask for the record to be forgotten. */
function isReset(sent: unknown): boolean {
  if (!Array.isArray(sent)) return false;
  return sent.length === 0 || (sent.length === 1 && isPlain(sent[0]) && isEmpty(sent[0]));
}

function withoutManagedFields(object: Readonly<ApiObject>): Plain {
  if (object.metadata.managedFields === undefined) return object;
  return { ...object, metadata: without(object.metadata as Plain, "managedFields") };
}

function withManagedFields(object: Plain, managers: Managers): ApiObject {
  const managedFields = writeManagers(managers);
  const metadata = isPlain(object["metadata"]) ? object["metadata"] : {};
  const whole = { ...object, metadata: { ...metadata, ...(managedFields === undefined ? {} : { managedFields }) } };
  return whole as unknown as ApiObject;
}

/**
 * The entries of a write that changed nothing but times, with the times they had: such a write is none.
 * @param managedFields of the new object
 * @param live the stored object
 * @param updated the new object as it would be stored; its managedFields are not looked at
 * @returns the entries to store: those of live when nothing changed, else those given
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/fieldmanager/equality.go, called from registry/store.go on update
 */
export function keepTimes(
  managedFields: ManagedFieldsEntry[] | undefined,
  live: Readonly<ApiObject>,
  updated: Readonly<ApiObject>,
): ManagedFieldsEntry[] | undefined {
  const before = live.metadata.managedFields;
  if (before === undefined || managedFields === undefined || before.length !== managedFields.length)
    return managedFields;
  const timeless = (entry: ManagedFieldsEntry): Plain => without(entry as Plain, "time");
  if (!managedFields.every((entry, i) => deepEqual(timeless(entry), timeless(before[i] ?? {})))) return managedFields;
  return deepEqual(withoutManagedFields(live), withoutManagedFields(updated)) ? before : managedFields;
}
