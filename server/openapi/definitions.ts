/** The definitions of a document: kinds, their lists, and every type these refer to. */
import type { Kind } from "@atoll/api/kind";
import { builtinSchema, hasBuiltinSchema } from "@atoll/api/schemas";
import { formatApiVersion } from "@atoll/machinery/object";
import type { Schema } from "@atoll/machinery/schema/schema";
import { customTexts, inVersion2, isOpaque, withEmbedded } from "./custom.ts";
import type { Descriptions } from "./descriptions.ts";
import type { Dialect, Document } from "./dialect.ts";
import { definitionName } from "./names.ts";
import { SchemaWriter } from "./schemas.ts";

const metaNames = "io.k8s.apimachinery.pkg.apis.meta.v1";
/** The body of PATCH: any object. */
const patchName = `${metaNames}.Patch`;
/** Types that belong to every group. */
const shared: readonly string[] = ["DeleteOptions", "WatchEvent"];
/** Types of meta/v1 that are answers of their own, of the core's group. */
const ofCore: readonly string[] = ["APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "Status"];

/** Collects the definitions that a document's paths need. */
export class Definitions {
  readonly #dialect: Dialect;
  readonly #descriptions: Descriptions;
  readonly #writer: SchemaWriter;
  /** Definitions of custom kinds, which are no types of upstream's. */
  readonly #custom = new Map<string, Document>();
  readonly #kinds: Map<string, Document[]> = new Map();
  #patch = false;

  /** @param kinds every kind served: their names stand in x-kubernetes-group-version-kind */
  constructor(dialect: Dialect, descriptions: Descriptions, kinds: readonly Kind[]) {
    this.#dialect = dialect;
    this.#descriptions = descriptions;
    this.#writer = new SchemaWriter(dialect, descriptions);
    for (const name of ofCore) this.#isKind(`${metaNames}.${name}`, { group: "", version: "v1", kind: name });
    for (const kind of kinds) this.#isKind(definitionName(kind), kind);
    const places = new Map(kinds.map(({ group, version }) => [formatApiVersion(group, version), { group, version }]));
    for (const kind of shared) {
      for (const place of places.values()) this.#isKind(`${metaNames}.${kind}`, { ...place, kind });
    }
  }

  /** A kind. */
  kind(kind: Kind): Document {
    const name = definitionName(kind);
    if (kind.schema["x-atoll-name"] !== undefined) return this.#writer.refer(kind.schema);
    if (!this.#custom.has(name)) this.#custom.set(name, this.#customKind(kind));
    return this.#dialect.ref(name);
  }

  /** The list of a kind. */
  list(kind: Kind): Document {
    const name = `${definitionName(kind)}List`;
    const listKind = `${kind.kind}List`;
    this.#isKind(name, { group: kind.group, version: kind.version, kind: listKind });
    const apiVersion = formatApiVersion(kind.group, kind.version);
    if (hasBuiltinSchema(apiVersion, listKind)) return this.#writer.refer(builtinSchema(apiVersion, listKind));
    if (!this.#custom.has(name)) this.#custom.set(name, this.#customList(kind));
    return this.#dialect.ref(name);
  }

  /** A kind that is the body of a subresource, as autoscaling/v1 Scale. */
  body(apiVersion: string, kind: string): Document {
    const schema = builtinSchema(apiVersion, kind);
    const [group = "", version = ""] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
    this.#isKind(schema["x-atoll-name"] ?? "", { group, version, kind });
    return this.#writer.refer(schema);
  }

  /** A type of meta/v1, as Status. */
  meta(type: string): Document {
    if (type !== "Patch") return this.#writer.refer(builtinSchema("meta/v1", type));
    this.#patch = true;
    return this.#dialect.ref(patchName);
  }

  /** What fields of a type of upstream's mean. */
  described(schema: Schema): Readonly<Record<string, string>> {
    return this.#descriptions[schema["x-atoll-name"] ?? ""]?.fields ?? {};
  }

  /** Every definition that was asked for, and those they refer to, by name. */
  all(): Document {
    const made = new Map<string, Document>(this.#custom);
    if (this.#patch) made.set(patchName, { type: "object" });
    // Writing one refers to others: the map grows while it is walked.
    for (const [name, schema] of this.#writer.referred) made.set(name, this.#writer.definition(name, schema));
    return Object.fromEntries(
      [...made].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, document]) => [name, this.#told(name, document)]),
    );
  }

  #told(name: string, document: Document): Document {
    const kinds = this.#kinds.get(name);
    return kinds === undefined ? document : { ...document, "x-kubernetes-group-version-kind": kinds };
  }

  #isKind(name: string, { group, version, kind }: { group: string; version: string; kind: string }): void {
    const known = this.#kinds.get(name) ?? [];
    if (known.some((each) => each["group"] === group && each["version"] === version && each["kind"] === kind)) return;
    this.#kinds.set(name, [...known, { group, kind, version }]);
  }

  #typeMeta(): Record<string, Document> {
    const fields = this.described(builtinSchema("v1", "Pod"));
    const text = (field: string): Document => {
      const description = fields[field];
      return { ...(description === undefined ? {} : { description }), type: "string" };
    };
    return { apiVersion: text("apiVersion"), kind: text("kind") };
  }

  #customKind(kind: Kind): Document {
    if (isOpaque(this.#dialect, kind.schema)) return { type: "object" };
    const shown = this.#dialect.version === 2 ? inVersion2(kind.schema) : kind.schema;
    const metadata = { description: customTexts.metadata, ...this.meta("ObjectMeta") };
    const written = withEmbedded(this.#writer.write({ ...shown, type: "object" }), this.#dialect, metadata);
    const properties = { ...(written["properties"] as Document | undefined), ...this.#typeMeta(), metadata };
    return { ...written, properties, ...selectable(kind) };
  }

  #customList(kind: Kind): Document {
    const items = { description: customTexts.items(kind.plural), type: "array", items: this.kind(kind) };
    const metadata = { description: customTexts.listMetadata, ...this.meta("ListMeta") };
    return {
      description: `${kind.kind}List is a list of ${kind.kind}`,
      type: "object",
      required: ["items"],
      properties: { ...this.#typeMeta(), items, metadata },
      ...selectable(kind),
    };
  }
}

/** The fields that selectors may name. Source: buildSelectableFields */
function selectable({ strategy }: Kind): Document {
  const fields = Object.keys(strategy.fields ?? {});
  if (fields.length === 0) return {};
  return { "x-kubernetes-selectable-fields": fields.map((fieldPath) => ({ fieldPath })) };
}
