/**
 * Rules of what a version says beside its schema: subresources, columns, selectable fields, deprecation.
 * Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go
 */
import type { FieldErrors, Path } from "@atoll/machinery/field";
import { fieldPath } from "@atoll/machinery/schema/structural/fieldpath";
import type { RawSchema } from "@atoll/machinery/schema/structural/raw";
import type {
  CustomResourceColumnDefinition,
  CustomResourceSubresources,
  SelectableField,
} from "../builtin/apiextensions.k8s.io/v1.types.ts";
import type { Version } from "./definition.ts";

/** The rules of a version's status and scale subresources. */
export function validateSubresources(
  subresources: CustomResourceSubresources | undefined,
  at: Path,
  errors: FieldErrors,
): void {
  const { scale } = subresources ?? {};
  if (scale === undefined) return;
  const under = (names: string, roots: readonly string[]) => ({
    roots,
    detail: `should be a json path under ${names}`,
  });
  const path = (name: string) => `${at.toString()}.scale.${name}`;
  const spec = under(".spec", [".spec."]);
  const status = under(".status", [".status."]);
  checkScalePath(scale.specReplicasPath, path("specReplicasPath"), spec, errors);
  checkScalePath(scale.statusReplicasPath, path("statusReplicasPath"), status, errors);
  if ((scale.labelSelectorPath ?? "") === "") return;
  const either = under("either .spec or .status", [".spec.", ".status."]);
  checkScalePath(scale.labelSelectorPath ?? "", path("labelSelectorPath"), either, errors);
}

function checkScalePath(
  path: string,
  at: string,
  under: { readonly roots: readonly string[]; readonly detail: string },
  errors: FieldErrors,
): void {
  if (path === "") errors.add("FieldValueRequired", at, undefined, "");
  else if (!path.startsWith(".")) {
    errors.add("FieldValueInvalid", at, path, "must be a simple json path starting with .");
  } else if (!under.roots.some((root) => path.startsWith(root))) {
    errors.add("FieldValueInvalid", at, path, under.detail);
  }
}

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

/** The rules of one additional printer column. */
export function validateColumn(column: CustomResourceColumnDefinition, at: Path, errors: FieldErrors): void {
  const { name, type, format = "", jsonPath } = column;
  if (name === "") errors.required(at.child("name"));
  const types = `must be one of ${columnTypes.join(",")}`;
  if (type === "") errors.required(at.child("type"), types);
  else if (!columnTypes.includes(type)) errors.invalid(at.child("type"), type, types);
  if (format !== "" && !columnFormats.includes(format)) {
    errors.invalid(at.child("format"), format, `must be one of ${columnFormats.join(",")}`);
  }
  if (jsonPath === "") errors.required(at.child("JSONPath"));
  else if (!jsonPath.startsWith(".")) {
    errors.invalid(at.child("JSONPath"), jsonPath, "must be a simple json path starting with .");
  }
}

/** The most fields of a version that selectors may name. */
export const maxSelectableFields = 8;

const selectable: ReadonlySet<string> = new Set(["string", "boolean", "integer"]);

/** @param tooMany more than allowed are let be, as they were before */
export function validateSelectableFields(
  fields: readonly SelectableField[],
  { schema, tooMany }: { readonly schema: RawSchema; readonly tooMany: boolean },
  at: Path,
  errors: FieldErrors,
): void {
  const seen = new Set<string>();
  for (const [i, { jsonPath }] of fields.entries()) {
    const path = at.index(i).child("jsonPath");
    if (jsonPath === "") errors.required(path);
    else checkSelectable(jsonPath, { schema, seen }, path, errors);
  }
  if (seen.size > maxSelectableFields && !tooMany) errors.tooMany(at, seen.size, maxSelectableFields);
}

function checkSelectable(
  jsonPath: string,
  { schema, seen }: { readonly schema: RawSchema; readonly seen: Set<string> },
  at: Path,
  errors: FieldErrors,
): void {
  const found = fieldPath(jsonPath, schema, { brackets: false });
  if ("error" in found) {
    errors.invalid(at, jsonPath, `is an invalid path: ${found.error}`);
    return;
  }
  if (found.names[0] === "metadata") errors.invalid(at, jsonPath, "must not point to fields in metadata");
  if (!selectable.has(found.schema?.type ?? "")) {
    const detail =
      "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
    errors.invalid(at, jsonPath, detail);
  }
  const spelled = found.path.toString();
  if (seen.has(spelled)) errors.duplicate(at, jsonPath);
  seen.add(spelled);
}

/** The warning that clients of a deprecated version are shown. */
export function validateDeprecation(version: Version, at: Path, errors: FieldErrors): void {
  const { deprecated, deprecationWarning: warning } = version;
  if (warning === undefined) return;
  for (const wrong of deprecationErrors(deprecated, warning)) {
    errors.invalid(at.child("deprecationWarning"), warning, wrong);
  }
}

function deprecationErrors(deprecated: boolean, warning: string): string[] {
  if (!deprecated) return ["can only be set for deprecated versions"];
  const errors: string[] = [];
  const utf8 = new TextEncoder();
  if (utf8.encode(warning).length > 256) errors.push("must be <= 256 characters long");
  if (warning === "") errors.push("must not be an empty string");
  const odd = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(warning);
  if (odd !== null) {
    const index = utf8.encode(warning.slice(0, odd.index)).length;
    errors.push(`must only contain printable UTF-8 characters; non-printable character found at index ${index}`);
  }
  return errors;
}
