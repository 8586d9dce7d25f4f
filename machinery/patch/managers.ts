/**
 * Who owns which fields of an object, between managedFields and the arithmetic on field sets.
 * Source: k8s.io/apimachinery/pkg/util/managedfields/internal (managedfields.go, managedfieldsupdater.go,
 * capmanagers.go, stripmeta.go)
 */
import { parseTime } from "../clock.ts";
import type { ManagedFieldsEntry } from "../object.ts";
import { compareText } from "./element.ts";
import { BadFields, type FieldSet, difference, fieldPaths, readFields, union } from "./fieldset.ts";
import { isEmpty, isPlain } from "./plain.ts";

/** One owner: an entry of managedFields, taken apart. */
export interface Manager {
  readonly name: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339; undefined when the entry has none. */
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** The owners of an object by their ids. */
export type Managers = Map<string, Manager>;

/**
 * What makes an owner the same owner: an updater's version counts, an applier's does not.
 * Source: BuildManagerIdentifier
 */
export function managerId({ name, operation, apiVersion, subresource }: Omit<Manager, "time" | "fields">): string {
  return `${operation}\n${subresource}\n${operation === "Apply" ? "" : apiVersion}\n${name}`;
}

/**
 * Reads managedFields.
 * @param entries as given, maybe by a client
 * @returns undefined when they cannot be read
 */
export function readManagers(entries: unknown): Managers | undefined {
  const managers: Managers = new Map();
  if (entries === undefined || entries === null) return managers;
  if (!Array.isArray(entries)) return undefined;
  try {
    for (const entry of entries as unknown[]) {
      const manager = readManager(entry);
      managers.set(managerId(manager), manager);
    }
  } catch (error) {
    if (error instanceof BadFields) return undefined;
    throw error;
  }
  return managers;
}

function readManager(entry: unknown): Manager {
  if (!isPlain(entry)) throw new BadFields("an entry is not an object");
  const { operation, fieldsType, time } = entry;
  const apiVersion = textOf(entry["apiVersion"]);
  if (operation !== "Apply" && operation !== "Update") throw new BadFields("operation must be `Apply` or `Update`");
  if (apiVersion === "") throw new BadFields("apiVersion must not be empty");
  if (fieldsType !== "FieldsV1") throw new BadFields("invalid fieldsType in managed fields entry");
  return {
    name: textOf(entry["manager"]),
    operation,
    apiVersion,
    subresource: textOf(entry["subresource"]),
    time: typeof time === "string" ? time : undefined,
    fields: readFields(entry["fieldsV1"]),
  };
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/**
 * Writes managedFields: appliers first, then by time, name, version and subresource.
 * @returns undefined when nobody owns anything
 */
export function writeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  return [...managers.values()].sort(inOrder).map(writeManager);
}

function writeManager({ name, operation, apiVersion, subresource, time, fields }: Manager): ManagedFieldsEntry {
  return {
    ...(name === "" ? {} : { manager: name }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: "FieldsV1",
    fieldsV1: fields as Record<string, unknown>,
    ...(subresource === "" ? {} : { subresource }),
  };
}

function inOrder(a: Manager, b: Manager): number {
  return (
    compareText(a.operation, b.operation) ||
    secondsOf(a.time) - secondsOf(b.time) ||
    compareText(a.name, b.name) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

function secondsOf(time: string | undefined): number {
  const ms = time === undefined ? 0 : parseTime(time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

/** Fields nobody owns. Source: stripmeta.go */
const unowned = union(
  fieldPaths(
    "apiVersion",
    "kind",
    "metadata",
    "metadata.name",
    "metadata.namespace",
    "metadata.creationTimestamp",
    "metadata.selfLink",
    "metadata.uid",
    "metadata.clusterName",
  ),
  fieldPaths("metadata.generation", "metadata.managedFields", "metadata.resourceVersion"),
);

/** A set without the fields nobody owns. */
export function stripUnowned(fields: FieldSet): FieldSet {
  return difference(fields, unowned);
}

/** Replaces an owner's fields; an owner of nothing is no owner. */
export function setFields(managers: Managers, id: string, manager: Manager): void {
  if (isEmpty(manager.fields)) managers.delete(id);
  else managers.set(id, manager);
}

/** Updaters kept apart. Source: DefaultMaxUpdateManagers */
const maxUpdaters = 10;
const bucketName = "ancient-changes";

/**
 * Merges the longest idle updaters of each version into one, until there are few enough.
 * Two of one version become the bucket of that version; a lone one stays itself.
 */
export function capUpdaters(managers: Managers): void {
  const updaters = [...managers].filter(([, manager]) => manager.operation === "Update");
  let count = updaters.length;
  if (count <= maxUpdaters) return;
  updaters.sort(([idA, a], [idB, b]) => secondsOf(a.time) - secondsOf(b.time) || compareText(idA, idB));
  const firsts = new Map<string, string>();
  for (const [id, manager] of updaters) {
    if (count <= maxUpdaters) return;
    const first = firsts.get(manager.apiVersion);
    if (first === undefined) {
      firsts.set(manager.apiVersion, id);
      continue;
    }
    fillBucket(managers, first, { id, manager });
    count--;
  }
}

function fillBucket(managers: Managers, first: string, next: { id: string; manager: Manager }): void {
  const { apiVersion, time } = next.manager;
  const bucket = { name: bucketName, operation: "Update", apiVersion, subresource: "" } as const;
  const id = managerId(bucket);
  const before = managers.get(id) ?? managers.get(first);
  if (!managers.has(id)) managers.delete(first);
  managers.delete(next.id);
  // The time of what went in last, for it is the latest.
  managers.set(id, { ...bucket, time, fields: union(next.manager.fields, before?.fields ?? next.manager.fields) });
}
