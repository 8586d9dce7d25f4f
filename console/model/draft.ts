/** The beginning of an object of any kind: what the server's description says that it must have. */
import type { AnyObject } from "./object.ts";
import type { KindBook, OpenSchema } from "./openapi.ts";
import { item, type Step } from "./cursor.ts";
import { apiVersionOf, type Resource } from "./resources.ts";

const deepest = 6;
/** Beside spec, where a kind has no spec. */
const bodies = ["data", "stringData", "rules", "subjects", "roleRef"];

/** An object of a kind with nothing but its name, which is left to write. */
export function bare(resource: Resource, namespace: string): AnyObject {
  const metadata = { name: "", ...(resource.namespaced ? { namespace: namespace || "default" } : {}) };
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: metadata as AnyObject["metadata"] };
}

/** An object of a kind with what it must have. @throws {CallFailed} the server does not say */
export async function drafts(resource: Resource, namespace: string, book: KindBook): Promise<AnyObject> {
  const start = bare(resource, namespace);
  const at = async (path: readonly Step[]) => await book.at(apiVersionOf(resource), resource.kind, path);
  const { properties = {}, required = [] } = (await at([])) ?? {};
  const told = new Set(["apiVersion", "kind", "metadata", "status"]);
  const names = Object.keys(properties).filter(
    (name) => !told.has(name) && (required.includes(name) || name === "spec" || bodies.includes(name)),
  );
  const fields = await Promise.all(names.map(async (name) => [name, await draftAt([name], at)] as const));
  return { ...start, ...Object.fromEntries(fields) };
}

async function draftAt(
  path: readonly Step[],
  at: (path: readonly Step[]) => Promise<OpenSchema | undefined>,
): Promise<unknown> {
  const schema = (await at(path)) ?? {};
  if (schema.default !== undefined && typeof schema.default !== "object") return schema.default;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.type === "array") return path.length < deepest ? [await draftAt([...path, item], at)] : [];
  if (schema.properties === undefined) return plainOf(schema);
  const names = path.length < deepest ? (schema.required ?? []) : [];
  const fields = await Promise.all(names.map(async (name) => [name, await draftAt([...path, name], at)] as const));
  return Object.fromEntries(fields);
}

function plainOf({ type, additionalProperties }: OpenSchema): unknown {
  if (type === "boolean") return false;
  if (type === "integer" || type === "number") return 0;
  return type === "object" || additionalProperties !== undefined ? {} : "";
}
