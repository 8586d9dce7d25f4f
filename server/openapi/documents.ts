/**
 * /openapi/v3, the documents it leads to, and /openapi/v2, made of the kinds that are served.
 * Source: k8s.io/kube-openapi/pkg/handler3, pkg/builder, pkg/builder3
 */
import { createHash } from "node:crypto";
import type { Kind } from "@atoll/api/kind";
import { Definitions } from "./definitions.ts";
import type { Descriptions } from "./descriptions.ts";
import { type Dialect, type Document, openApi2, openApi3 } from "./dialect.ts";
import { rootOf } from "./names.ts";
import { PathWriter } from "./operations.ts";

/** What the documents are made of. */
export interface OpenApiSource {
  readonly kinds: readonly Kind[];
  readonly descriptions: Descriptions;
  /** Of this server, as `v1.36.0+atoll-0.1.0`: with it the built-in schemas change. */
  readonly release: string;
}

const bearer = {
  BearerToken: { description: "Bearer Token authentication", in: "header", name: "authorization", type: "apiKey" },
} as const;

/** The kinds of one group and version, by the path of its document: `api/v1`, `apis/apps/v1`. */
export function kindsByPath(kinds: readonly Kind[]): ReadonlyMap<string, readonly Kind[]> {
  return Map.groupBy(kinds, ({ group, version }) => rootOf(group, version).slice(1));
}

/**
 * Names the content of a group's document without making it: what it is made of is hashed.
 * @returns 128 hexadecimal digits
 */
export function documentHash(kinds: readonly Kind[], { descriptions, release }: OpenApiSource): string {
  const hash = createHash("sha512")
    .update(release)
    .update(Object.keys(descriptions).length === 0 ? "bare" : "told");
  for (const kind of kinds) {
    const { group, version, plural, singular, namespaced, verbs, subresources } = kind;
    hash.update(JSON.stringify([group, version, kind.kind, plural, singular, namespaced, verbs, subresources]));
    // Those of built-in kinds hold themselves and cannot be written out; they change with the release only.
    if (kind.schema["x-atoll-name"] === undefined) hash.update(JSON.stringify(kind.schema));
  }
  return hash.digest("hex").toUpperCase();
}

/**
 * The document of /openapi/v3.
 * @param elsewhere where other servers' documents are, by name
 */
export function openApiIndex(source: OpenApiSource, elsewhere: Readonly<Record<string, string>> = {}): Document {
  const entries = [...kindsByPath(source.kinds)].map(([path, kinds]) => [
    path,
    { serverRelativeURL: `/openapi/v3/${path}?hash=${documentHash(kinds, source)}` },
  ]);
  const others = Object.entries(elsewhere).map(([path, url]) => [path, { serverRelativeURL: url }]);
  return { paths: Object.fromEntries([...entries, ...others]) };
}

/** Paths and definitions of some of the kinds. */
function parts(
  dialect: Dialect,
  kinds: readonly Kind[],
  source: OpenApiSource,
): { paths: Document; schemas: Document } {
  const definitions = new Definitions(dialect, source.descriptions, source.kinds);
  const writer = new PathWriter(dialect, definitions);
  const paths: Record<string, Document> = {};
  for (const kind of kinds) Object.assign(paths, writer.discovery(kind), writer.pathsOf(kind));
  const sorted = Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1));
  return { paths: Object.fromEntries(sorted), schemas: definitions.all() };
}

/** The document of one group and version, below /openapi/v3. */
export function openApiV3(kinds: readonly Kind[], source: OpenApiSource): Document {
  const { paths, schemas } = parts(openApi3, kinds, source);
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: source.release },
    paths,
    components: { schemas, securitySchemes: bearer },
  };
}

/**
 * The document of /openapi/v2: all groups. It is large, and made group by group; between two, `rest` is awaited so that
 * others may run.
 */
export async function openApiV2(source: OpenApiSource, rest: () => Promise<void>): Promise<Document> {
  const paths: Record<string, unknown> = {};
  const definitions: Record<string, unknown> = {};
  for (const kinds of kindsByPath(source.kinds).values()) {
    const made = parts(openApi2, kinds, source);
    Object.assign(paths, made.paths);
    merge(definitions, made.schemas);
    await rest();
  }
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version: source.release },
    paths,
    definitions,
    securityDefinitions: bearer,
    security: [{ BearerToken: [] }],
  };
}

/** A type that several groups refer to is a kind in one of them only, where its definition says so. */
function merge(into: Record<string, unknown>, schemas: Document): void {
  for (const [name, schema] of Object.entries(schemas)) {
    const known = into[name] as Document | undefined;
    if (known?.["x-kubernetes-group-version-kind"] === undefined) into[name] = schema;
  }
}
