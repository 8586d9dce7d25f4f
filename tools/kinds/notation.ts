/** Writes facts in the notation that api/schemas.ts reads; it is described there. */
import type { FieldFacts, TypeFacts } from "./facts.ts";
import type { ApiPackage } from "./packages.ts";

function fieldLine(field: FieldFacts): string {
  const merge = field.patchMergeKey === undefined ? "" : `(${field.patchMergeKey})`;
  const keys = field.listKeys.length === 0 ? "" : `(${field.listKeys.join(",")})`;
  const words = [
    field.name,
    field.type,
    field.zero,
    field.tag.includes(0) ? "" : `tag=${field.tag.join(".")}`,
    field.required ? "required" : "",
    field.nullable ? "null" : "",
    field.listType === undefined ? "" : `list=${field.listType}${keys}`,
    field.mapType === undefined ? "" : `map=${field.mapType}`,
    field.patchStrategy === undefined ? "" : `patch=${field.patchStrategy}${merge}`,
    field.fallback === undefined ? "" : `default=${field.fallback}`,
  ];
  return `  ${words.filter((word) => word !== "").join(" ")}`;
}

function typeBlock(type: TypeFacts): string {
  if (type.values !== undefined) return `${type.name} enum=${JSON.stringify(type.values)}`;
  if (type.choices !== undefined) return `${type.name} oneOf=${type.choices.join("|")}`;
  const head = type.mapType === undefined ? type.name : `${type.name} map=${type.mapType}`;
  return [head, ...(type.fields ?? []).map(fieldLine)].join("\n");
}

/** The text of a fact file. */
export function writeFacts(prefix: string, from: ApiPackage, types: readonly TypeFacts[]): string {
  return `// Made by tools/kinds/generate.ts from ${from.path} 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "${prefix}";

/** The types of ${from.file}, in the notation of api/schemas.ts. */
export const facts = \`
${types.map(typeBlock).join("\n\n").replaceAll("`", "\\`").replaceAll("${", "\\${")}
\`;
`;
}
