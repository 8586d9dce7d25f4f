/**
 * Objects as rows, for `kubectl get`, and objects cut down to their metadata.
 * Source: k8s.io/kubernetes/pkg/printers, k8s.io/apiserver/pkg/endpoints/handlers/response.go
 */
import type { Column, Kind, TableShape } from "@atoll/api/kind";
import { parseTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";

/** What of the object a row carries. */
export type IncludeObject = "None" | "Metadata" | "Object";

const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name of the object, unique among those of its kind in its namespace.",
  priority: 0,
};

/** Name and creation time: the table of kinds that have none of their own. */
export const plainTable: TableShape<ApiObject> = {
  columns: [
    nameColumn,
    { name: "Created At", type: "date", description: "When the object was created, in UTC.", priority: 0 },
  ],
  cells: (object) => [object.metadata.name ?? "", object.metadata.creationTimestamp ?? "<unknown>"],
};

export interface TableRequest {
  readonly kind: Kind;
  readonly metaVersion: "v1" | "v1beta1";
  readonly include: IncludeObject;
  readonly nowMs: number;
}

/** A Table of some objects. `columns: false` leaves them out, as every event of a watch but the first does. */
export function tableOf(
  objects: readonly ApiObject[],
  request: TableRequest,
  options: { metadata: Record<string, unknown>; columns: boolean },
): Record<string, unknown> {
  const shape = request.kind.strategy.table ?? plainTable;
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${request.metaVersion}`,
    metadata: options.metadata,
    columnDefinitions: options.columns ? shape.columns.map(columnDefinition) : null,
    rows: objects.map((object) => row(object, shape, request)),
  };
}

function columnDefinition({ name, type, format, description, priority }: Column): Record<string, unknown> {
  return { name, type, format: format ?? "", description, priority };
}

function row(object: ApiObject, shape: TableShape<ApiObject>, request: TableRequest): Record<string, unknown> {
  const conditions = shape.conditions?.(object) ?? [];
  return {
    cells: shape.cells(object, request.nowMs),
    ...(conditions.length === 0 ? {} : { conditions }),
    object: carried(object, request),
  };
}

function carried(object: ApiObject, { include, metaVersion }: TableRequest): unknown {
  if (include === "None") return null;
  return include === "Object" ? object : partialOf(object, metaVersion);
}

/** An object's metadata alone. */
export function partialOf(object: ApiObject, metaVersion: string): Record<string, unknown> {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${metaVersion}`, metadata: object.metadata };
}

/**
 * How long ago, in kubectl's short form: 45s, 5m10s, 3h, 2d5h, 400d, 3y20d.
 * Source: k8s.io/apimachinery/pkg/util/duration (HumanDuration)
 */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return withRest(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return withRest(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return withRest(days, "d", hours % 24, "h");
  const years = Math.floor(days / 365);
  if (years < 2) return `${days}d`;
  return years < 8 ? withRest(years, "y", days % 365, "d") : `${years}y`;
}

function withRest(whole: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`;
}

/** An Age cell: how long ago a time was, `<unknown>` when there is none. */
export function age(time: string | undefined | null, nowMs: number): string {
  if (time === undefined || time === null) return "<unknown>";
  const then = parseTime(time);
  return Number.isNaN(then) ? "<invalid>" : humanDuration(nowMs - then);
}
