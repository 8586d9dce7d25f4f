/** Who set which fields: managedFields kept up on every write, and server-side apply. */
import type { Kind } from "@atoll/api/kind";
import { formatTime } from "@atoll/machinery/clock";
import { type ApiObject, formatApiVersion } from "@atoll/machinery/object";
import { excluding, fieldPaths, Ownership, type OwnershipOptions } from "@atoll/machinery/patch/managed";
import type { Call } from "../call.ts";
import type { WriteOptions } from "../verbs/options.ts";

/** The ownership record of one request's writes. */
export interface Owners {
  /** Sets the managedFields of a new object. */
  created(object: ApiObject): void;
  /** Sets the managedFields of a changed object. */
  updated(object: ApiObject, old: ApiObject): void;
  /**
   * Server-side apply: the merged object, to be decoded and defaulted.
   * @throws {StatusError} Conflict, BadRequest
   */
  applied(configuration: ApiObject, old: ApiObject | undefined): ApiObject;
}

/** The ownership rules of every kind and subresource, made when first needed. */
export class OwnershipRules {
  readonly #made = new WeakMap<Kind, Map<string, Ownership>>();

  of(kind: Kind, subresource: string): Ownership {
    let bySubresource = this.#made.get(kind);
    if (bySubresource === undefined) this.#made.set(kind, (bySubresource = new Map()));
    let ownership = bySubresource.get(subresource);
    if (ownership === undefined)
      bySubresource.set(subresource, (ownership = new Ownership(optionsOf(kind, subresource))));
    return ownership;
  }
}

function optionsOf(kind: Kind, subresource: string): OwnershipOptions {
  const paths = resetPaths(kind, subresource);
  return {
    apiVersion: formatApiVersion(kind.group, kind.version),
    kind: kind.kind,
    schema: kind.schema,
    subresource,
    ...(kind.shownIn === undefined ? {} : { convert: (object, apiVersion) => kind.shownIn?.(object, apiVersion) }),
    ...(paths.length === 0 ? {} : { reset: excluding(fieldPaths(...paths)) }),
  };
}

/** Fields that a write through a path never changes, so nobody owns them by it. Source: GetResetFields of each strategy */
function resetPaths({ strategy, subresources }: Kind, subresource: string): readonly string[] {
  const own = strategy.resetFields?.[subresource];
  if (own !== undefined) return own;
  if (subresource === "status") return ["spec"];
  return subresource === "" && subresources.some(({ name }) => name === "status") ? ["status"] : [];
}

const longestManager = 128;

/** The name of who writes: the one given, or the program's, from the User-Agent. Source: managerOrUserAgent */
function managerOf({ fieldManager }: WriteOptions, userAgent: string | undefined): string {
  if (fieldManager !== "") return fieldManager;
  const program = (userAgent ?? "").split("/", 1)[0] ?? "";
  return program.slice(0, longestManager).replace(/[\p{C}]/gu, "");
}

/** The ownership record for the writes of one request. */
export function ownersOf(call: Call, options: WriteOptions): Owners {
  const { kind } = call.served;
  const ownership = call.services.ownership.of(kind, call.info.subresource);
  const manager = managerOf(options, call.request.headers["user-agent"]);
  const now = formatTime(call.services.clock.nowMs());
  const record = (object: ApiObject, live: ApiObject | undefined) => {
    const managedFields = ownership.recordUpdate({ live, updated: object, manager, now });
    if (managedFields === undefined) delete object.metadata.managedFields;
    else object.metadata.managedFields = managedFields;
  };
  return {
    created: (object) => record(object, undefined),
    updated: record,
    applied: (configuration, live) =>
      ownership.apply({ live, applied: configuration, manager, force: options.force === true, now }),
  };
}
