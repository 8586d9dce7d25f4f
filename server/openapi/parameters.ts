/**
 * Parameters of operations. Those in the query are the fields of upstream's options types.
 * Source: k8s.io/apiserver/pkg/endpoints/installer.go (AddObjectParams)
 */
import { builtinSchema } from "@atoll/api/schemas";
import type { Schema } from "@atoll/machinery/schema/schema";
import type { Definitions } from "./definitions.ts";
import type { Dialect, Document } from "./dialect.ts";

/** A parameter, before it is written in a dialect. */
export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly type: string;
  readonly description: string | undefined;
}

/** Fields that are no parameters: structs, and what the URL says already. */
function isParameter(name: string, schema: Schema): boolean {
  return name !== "kind" && name !== "apiVersion" && schema.properties === undefined;
}

/** The fields of an options type as query parameters, but for those named. */
export function queryOf(
  definitions: Definitions,
  options: Schema,
  without: readonly string[] = [],
): readonly Parameter[] {
  const described = definitions.described(options);
  return Object.entries(options.properties ?? {})
    .filter(([name, schema]) => isParameter(name, schema) && !without.includes(name))
    .map(([name, schema]) => ({
      name,
      in: "query",
      type: (schema.items ?? schema).type ?? "string",
      description: described[name],
    }));
}

/** The options of each action, but for those that the list of a watch has and a deletion has not. */
export function optionsOf(definitions: Definitions, action: string): readonly Parameter[] {
  const meta = (type: string, without?: readonly string[]): readonly Parameter[] =>
    queryOf(definitions, builtinSchema("meta/v1", type), without);
  if (action === "list") return meta("ListOptions");
  if (action === "post") return meta("CreateOptions");
  if (action === "put") return meta("UpdateOptions");
  if (action === "patch") return meta("PatchOptions");
  if (action === "delete") return meta("DeleteOptions");
  if (action !== "deletecollection") return [];
  const deletion = meta("DeleteOptions");
  const list = meta("ListOptions", ["watch", "allowWatchBookmarks"]);
  return [...deletion, ...list.filter(({ name }) => !deletion.some((other) => other.name === name))];
}

/** `pretty`, which every answer with a body takes. */
export const pretty: Parameter = {
  name: "pretty",
  in: "query",
  type: "string",
  description: "Indents the answer when it is `true`.",
};

/** A part of the path. */
export function pathParameter(name: string, description: string): Parameter {
  return { name, in: "path", type: "string", description };
}

/** A parameter in a dialect. */
export function writeParameter({ version }: Dialect, parameter: Parameter): Document {
  const { name, type, description } = parameter;
  return {
    ...(description === undefined ? {} : { description }),
    in: parameter.in,
    name,
    ...(parameter.in === "path" ? { required: true } : {}),
    ...(version === 2 ? { type, uniqueItems: true } : { schema: { type, uniqueItems: true } }),
  };
}
