/** The server's own description of its kinds (OpenAPI 3), read as far as it is asked for, one group and version at a time. */
import type { Call } from "./call.ts";
import { item, type Step } from "./cursor.ts";

/** A schema, as far as completion reads it. */
export interface OpenSchema {
  readonly $ref?: string;
  readonly allOf?: readonly OpenSchema[];
  readonly oneOf?: readonly OpenSchema[];
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, OpenSchema>>;
  readonly required?: readonly string[];
  readonly items?: OpenSchema;
  readonly additionalProperties?: OpenSchema | boolean;
  readonly enum?: readonly (string | number | boolean)[];
  readonly default?: unknown;
  readonly "x-kubernetes-group-version-kind"?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
  readonly "x-kubernetes-int-or-string"?: boolean;
}

interface Document {
  readonly components?: { readonly schemas?: Readonly<Record<string, OpenSchema>> };
}

interface Index {
  readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>;
}

type Ask = <T>(path: string, call?: Call) => Promise<T>;

const refPrefix = "#/components/schemas/";
const noSchemas = {};

/** What is known of the server's kinds so far. */
export class KindBook {
  readonly #ask: Ask;
  #index: Promise<Index> | undefined;
  readonly #documents = new Map<string, Promise<Document>>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** `v1`, `apps/v1`: all that are served. @throws {CallFailed} */
  async apiVersions(): Promise<readonly string[]> {
    const { paths } = await this.#read();
    return Object.keys(paths).flatMap((path) => {
      const [, apiVersion] = /^apis?\/(v[^/]+|[^/]+\/[^/]+)$/.exec(path) ?? [];
      return apiVersion === undefined ? [] : [apiVersion];
    });
  }

  /** Kinds of a group and version that can be written. @throws {CallFailed} */
  async kinds(apiVersion: string): Promise<readonly string[]> {
    const schemas = await this.#schemas(apiVersion);
    const [version = "", group = ""] = apiVersion.split("/").toReversed();
    const found = Object.values(schemas).flatMap((schema) => {
      const [only, ...more] = schema["x-kubernetes-group-version-kind"] ?? [];
      const isOwn = more.length === 0 && only?.version === version && only.group === group;
      return isOwn && hasObjectMeta(schema) ? [only.kind] : [];
    });
    return [...new Set(found)].toSorted();
  }

  /** What a kind's schema says of a place; undefined when it says nothing. @throws {CallFailed} */
  async at(apiVersion: string, kind: string, path: readonly Step[]): Promise<OpenSchema | undefined> {
    const schemas = await this.#schemas(apiVersion);
    const [version = "", group = ""] = apiVersion.split("/").toReversed();
    const isKind = (schema: OpenSchema) =>
      schema["x-kubernetes-group-version-kind"]?.some(
        (each) => each.group === group && each.version === version && each.kind === kind,
      );
    const root = Object.values(schemas).find(isKind);
    return path.reduce((schema, step) => whole(below(schema, step), schemas), whole(root, schemas));
  }

  async #schemas(apiVersion: string): Promise<Readonly<Record<string, OpenSchema>>> {
    const { paths } = await this.#read();
    const path = `${apiVersion.includes("/") ? "apis" : "api"}/${apiVersion}`;
    const url = paths[path]?.serverRelativeURL;
    if (url === undefined) return noSchemas;
    const known = this.#documents.get(path) ?? this.#ask<Document>(url);
    this.#documents.set(path, known);
    known.catch(() => this.#documents.delete(path));
    return (await known).components?.schemas ?? noSchemas;
  }

  #read(): Promise<Index> {
    this.#index ??= this.#ask<Index>("/openapi/v3");
    this.#index.catch(() => {
      this.#index = undefined;
    });
    return this.#index;
  }
}

const hasObjectMeta = ({ properties }: OpenSchema): boolean =>
  JSON.stringify(properties?.["metadata"] ?? "").includes('.ObjectMeta"');

function below(schema: OpenSchema | undefined, step: Step): OpenSchema | undefined {
  if (schema === undefined) return undefined;
  if (step === item) return schema.items;
  const { properties, additionalProperties: others } = schema;
  return properties?.[step] ?? (typeof others === "object" ? others : undefined);
}

/** A schema with what it refers to; its own words and default come first. */
function whole(schema: OpenSchema | undefined, schemas: Readonly<Record<string, OpenSchema>>): OpenSchema | undefined {
  if (schema === undefined) return undefined;
  const { $ref, allOf, ...own } = schema;
  const target = $ref ?? (allOf?.length === 1 ? allOf[0]?.$ref : undefined);
  return target === undefined ? schema : { ...whole(schemas[target.slice(refPrefix.length)], schemas), ...own };
}

/** A schema's type in words: `string`, `list of object`, `map of string`. */
export function typeOf(schema: OpenSchema): string {
  if (schema["x-kubernetes-int-or-string"] === true || schema.oneOf !== undefined) return "string or number";
  if (schema.type === "array") return schema.items === undefined ? "list" : `list of ${typeOf(schema.items)}`;
  const { additionalProperties: values } = schema;
  if (typeof values === "object") return `map of ${typeOf(values)}`;
  return schema.type ?? "object";
}
