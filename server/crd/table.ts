/**
 * Objects of custom kinds as rows, by the columns of their definition.
 * Source: k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor/tableconvertor.go
 */
import { age, nameColumn } from "@atoll/api/cells";
import type { CustomResourceColumnDefinition } from "@atoll/api/builtin/apiextensions.k8s.io/v1.types";
import type { Column, TableShape } from "@atoll/api/kind";
import { JsonPath, JsonPathSyntaxError, printFound } from "@atoll/machinery/jsonpath";
import type { ApiObject } from "@atoll/machinery/object";

type Cell = string | number | boolean | null;

/** A column and how its cell is found. */
interface CustomColumn {
  readonly column: Column;
  readonly path: JsonPath;
}

/** Source: the description of creationTimestamp stands in for the column's own. */
const defaultColumns: readonly CustomResourceColumnDefinition[] = [
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "How long ago it was created." },
];

/** @param definitions as the CustomResourceDefinition has them; without any there is the age */
export function customTable(definitions: readonly CustomResourceColumnDefinition[] | undefined): TableShape<ApiObject> {
  const columns = columnsOf(definitions === undefined || definitions.length === 0 ? defaultColumns : definitions);
  return {
    columns: [nameColumn, ...columns.map(({ column }) => column)],
    cells: (object, nowMs) => [
      object.metadata.name ?? "",
      ...columns.map(({ column, path }) => cell(column.type, path.find(object), nowMs)),
    ],
  };
}

/** Columns up to the first whose path cannot be read. */
function columnsOf(definitions: readonly CustomResourceColumnDefinition[]): readonly CustomColumn[] {
  const columns: CustomColumn[] = [];
  for (const definition of definitions) {
    try {
      columns.push({ column: columnOf(definition), path: new JsonPath(definition.jsonPath) });
    } catch (error) {
      if (!(error instanceof JsonPathSyntaxError)) throw error;
      return columns;
    }
  }
  return columns;
}

function columnOf({
  name,
  type,
  format = "",
  description = "",
  priority = 0,
  jsonPath,
}: CustomResourceColumnDefinition) {
  return {
    name,
    type: type as Column["type"],
    format,
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority,
  };
}

function cell(type: Column["type"], found: readonly unknown[], nowMs: number): Cell {
  const [value] = found;
  if (found.length === 0) return null;
  switch (type) {
    case "string":
      return printFound(value);
    case "integer":
      return isNumber(value) ? Math.trunc(Number(value)) : null;
    case "number":
      return isNumber(value) ? Number(value) : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? age(value === "" || value === "null" ? undefined : value, nowMs) : null;
  }
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}
