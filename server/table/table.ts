/**
 * Objects as rows, for `kubectl get`, and objects cut down to their metadata.
 * Source: k8s.io/kubernetes/pkg/printers, k8s.io/apiserver/pkg/endpoints/handlers/response.go
 */
import { nameColumn } from "@atoll/api/cells";
import type { Column, Kind, TableShape } from "@atoll/api/kind";
import type { ApiObject } from "@atoll/machinery/object";

/** What of the object a row carries. */
export type IncludeObject = "None" | "Metadata" | "Object";

/** Name and creation time: the table of kinds that have none of their own. */
const plainTable: TableShape<ApiObject> = {
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
    // Upstream's plain table of nothing has no list.
    rows: shape === plainTable && objects.length === 0 ? null : objects.map((object) => row(object, shape, request)),
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

function carried(object: ApiObject, { include, kind, metaVersion }: TableRequest): unknown {
  if (include === "None") return null;
  return include === "Object" ? object : partialOf(object, kind, metaVersion);
}

/** An object's metadata alone. */
export function partialOf(object: ApiObject, kind: Kind, metaVersion: string): Record<string, unknown> {
  const hidden = kind.strategy.fieldAnnotations;
  const metadata = hidden === undefined ? object.metadata : without(object.metadata, hidden);
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${metaVersion}`, metadata };
}

function without(metadata: ApiObject["metadata"], hidden: readonly string[]): ApiObject["metadata"] {
  const { annotations, ...rest } = metadata;
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !hidden.includes(key));
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
}
