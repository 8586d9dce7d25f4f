/**
 * The schemas of the built-in kinds, made on demand from the fact files under api/builtin.
 *
 * A fact file is a table in text, because a server has to start in half a second: reading 130 kB of text is nearly
 * free, building eight thousand schema objects is not, and most types are never asked for. Its notation:
 *
 *     PodSpec                                                    a type, at the line's start
 *       containers []Container keep required list=map(name)      a field: name, type, zero rule, facts
 *       selector meta/v1.LabelSelector keep null                 a type of another file; null: its kept zero is null
 *     LabelSelector map=atomic                                   a struct that apply replaces whole
 *     Protocol enum=["SCTP","TCP","UDP"]                         a named string
 *     JSONSchemaPropsOrBool oneOf=JSONSchemaProps|bool           one of several
 *
 * Types: `[]T`, `map[]T` (keys are strings), the scalars below, names. Facts: `required` as OpenAPI says it,
 * `tag=NUMBER.NUMBER` in protobuf (a path where Go inlines a struct), `list=atomic|set|map(KEYS)`, `map=atomic|granular`, `patch=STRATEGY(MERGE KEY)`, `default=JSON`.
 * Blocks are separated by an empty line.
 */
import type { Schema, ZeroRule } from "@atoll/machinery/schema/schema";
import * as admissionregistration from "./builtin/admissionregistration.k8s.io/v1.ts";
import * as apiextensions from "./builtin/apiextensions.k8s.io/v1.ts";
import * as apiregistration from "./builtin/apiregistration.k8s.io/v1.ts";
import * as apps from "./builtin/apps/v1.ts";
import * as authentication from "./builtin/authentication.k8s.io/v1.ts";
import * as authorization from "./builtin/authorization.k8s.io/v1.ts";
import * as autoscalingV1 from "./builtin/autoscaling/v1.ts";
import * as autoscalingV2 from "./builtin/autoscaling/v2.ts";
import * as batch from "./builtin/batch/v1.ts";
import * as certificates from "./builtin/certificates.k8s.io/v1.ts";
import * as coordination from "./builtin/coordination.k8s.io/v1.ts";
import * as core from "./builtin/core/v1.ts";
import * as discovery from "./builtin/discovery.k8s.io/v1.ts";
import * as events from "./builtin/events.k8s.io/v1.ts";
import * as flowcontrol from "./builtin/flowcontrol.apiserver.k8s.io/v1.ts";
import * as meta from "./builtin/meta/v1.ts";
import * as networking from "./builtin/networking.k8s.io/v1.ts";
import * as node from "./builtin/node.k8s.io/v1.ts";
import * as policy from "./builtin/policy/v1.ts";
import * as rbac from "./builtin/rbac.authorization.k8s.io/v1.ts";
import * as resource from "./builtin/resource.k8s.io/v1.ts";
import * as scheduling from "./builtin/scheduling.k8s.io/v1.ts";
import * as storage from "./builtin/storage.k8s.io/v1.ts";

/** What a fact file exports. */
interface FactFile {
  readonly prefix: string;
  readonly facts: string;
}

type Draft = { -readonly [K in keyof Schema]: Schema[K] };

const files: Readonly<Record<string, FactFile>> = {
  "admissionregistration.k8s.io/v1": admissionregistration,
  "apiextensions.k8s.io/v1": apiextensions,
  "apiregistration.k8s.io/v1": apiregistration,
  "apps/v1": apps,
  "authentication.k8s.io/v1": authentication,
  "authorization.k8s.io/v1": authorization,
  "autoscaling/v1": autoscalingV1,
  "autoscaling/v2": autoscalingV2,
  "batch/v1": batch,
  "certificates.k8s.io/v1": certificates,
  "coordination.k8s.io/v1": coordination,
  "core/v1": core,
  "discovery.k8s.io/v1": discovery,
  "events.k8s.io/v1": events,
  "flowcontrol.apiserver.k8s.io/v1": flowcontrol,
  "meta/v1": meta,
  "networking.k8s.io/v1": networking,
  "node.k8s.io/v1": node,
  "policy/v1": policy,
  "rbac.authorization.k8s.io/v1": rbac,
  "resource.k8s.io/v1": resource,
  "scheduling.k8s.io/v1": scheduling,
  "storage.k8s.io/v1": storage,
};

const machinery = "io.k8s.apimachinery.pkg";

const scalars: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  ["string", { type: "string" }],
  ["bool", { type: "boolean" }],
  ["int32", { type: "integer", format: "int32" }],
  ["int64", { type: "integer", format: "int64" }],
  ["double", { type: "number", format: "double" }],
  ["bytes", { type: "string", format: "byte" }],
  ["any", { "x-kubernetes-preserve-unknown-fields": true }],
  ["Time", { type: "string", format: "date-time", "x-atoll-name": `${machinery}.apis.meta.v1.Time` }],
  ["MicroTime", { type: "string", format: "micro-time", "x-atoll-name": `${machinery}.apis.meta.v1.MicroTime` }],
  ["Quantity", { type: "string", format: "quantity", "x-atoll-name": `${machinery}.api.resource.Quantity` }],
  [
    "IntOrString",
    {
      format: "int-or-string",
      "x-kubernetes-int-or-string": true,
      "x-atoll-name": `${machinery}.util.intstr.IntOrString`,
    },
  ],
  [
    "FieldsV1",
    {
      type: "object",
      "x-kubernetes-preserve-unknown-fields": true,
      "x-atoll-name": `${machinery}.apis.meta.v1.FieldsV1`,
    },
  ],
  [
    "RawExtension",
    { "x-kubernetes-preserve-unknown-fields": true, "x-atoll-name": `${machinery}.runtime.RawExtension` },
  ],
  [
    "JSON",
    {
      "x-kubernetes-preserve-unknown-fields": true,
      "x-atoll-name": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON",
    },
  ],
]);

/** The facts of one field that are not its type, as schema keywords. */
function keywordsOf(words: readonly string[]): Draft {
  const keywords: Draft = {};
  for (const word of words) {
    const equals = word.indexOf("=");
    const key = equals < 0 ? word : word.slice(0, equals);
    const value = word.slice(equals + 1);
    const open = value.indexOf("(");
    const bare = open < 0 ? value : value.slice(0, open);
    const inner = open < 0 ? undefined : value.slice(open + 1, -1);
    if (key === "null") keywords.nullable = true;
    if (key === "default") keywords.default = JSON.parse(value);
    if (key === "map") keywords["x-kubernetes-map-type"] = bare as "atomic" | "granular";
    if (key === "list") keywords["x-kubernetes-list-type"] = bare as "atomic" | "set" | "map";
    if (key === "list" && inner !== undefined) keywords["x-kubernetes-list-map-keys"] = inner.split(",");
    if (key === "patch") keywords["x-kubernetes-patch-strategy"] = bare;
    if (key === "patch" && inner !== undefined) keywords["x-kubernetes-patch-merge-key"] = inner;
  }
  return keywords;
}

/** Makes schemas of fact files, each once. */
class SchemaBook {
  readonly #files: Readonly<Record<string, FactFile>>;
  /** Text of each type's block by `FILE.NAME`. */
  readonly #blocks = new Map<string, string>();
  readonly #types = new Map<string, Schema>();
  /** Fields with the same facts share one schema. */
  readonly #fields = new Map<string, Schema>();

  constructor(from: Readonly<Record<string, FactFile>>) {
    this.#files = from;
    for (const [file, { facts }] of Object.entries(from)) {
      for (const block of facts.trim().split("\n\n")) {
        this.#blocks.set(`${file}.${/^\S+/.exec(block)?.[0] ?? ""}`, block);
      }
    }
  }

  names(): string[] {
    return [...this.#blocks.keys()];
  }

  has(name: string): boolean {
    return this.#blocks.has(name);
  }

  /** @param name as OpenAPI has it, `io.k8s.api.core.v1.Pod` */
  byOpenApiName(name: string): Schema | undefined {
    const dot = name.lastIndexOf(".");
    const file = Object.keys(this.#files).find((key) => this.#files[key]?.prefix === name.slice(0, dot));
    const key = `${file}.${name.slice(dot + 1)}`;
    return this.#blocks.has(key) ? this.named(key) : undefined;
  }

  /** @param name `FILE.NAME` */
  named(name: string): Schema {
    const made = this.#types.get(name);
    if (made !== undefined) return made;
    const block = this.#blocks.get(name);
    if (block === undefined) throw new Error(`no built-in type ${name}`);
    const file = name.slice(0, name.lastIndexOf("."));
    const [head = "", ...lines] = block.split("\n");
    const schema: Draft = { "x-atoll-name": `${this.#files[file]?.prefix}.${name.slice(file.length + 1)}` };
    // Known before its fields are made: a type may hold itself.
    this.#types.set(name, schema);
    this.#fill(schema, head, lines, file);
    return schema;
  }

  #fill(schema: Draft, head: string, lines: readonly string[], file: string): void {
    const space = head.indexOf(" ");
    const fact = space < 0 ? "" : head.slice(space + 1);
    if (fact.startsWith("enum=")) {
      schema.type = "string";
      schema.enum = JSON.parse(fact.slice(5)) as string[];
      // Enums are plain strings in OpenAPI, with no definition of their own.
      delete schema["x-atoll-name"];
    } else if (fact.startsWith("oneOf=")) {
      schema.anyOf = fact
        .slice(6)
        .split("|")
        .map((type) => this.#type(type, file));
    } else {
      this.#fillStruct(schema, fact, lines, file);
    }
  }

  #fillStruct(schema: Draft, fact: string, lines: readonly string[], file: string): void {
    const fields = lines.map((line) => line.trimStart().split(" "));
    const required = fields.flatMap(([name = "", ...words]) => (words.includes("required") ? [name] : []));
    const properties: Record<string, Schema> = {};
    schema.type = "object";
    schema.properties = properties;
    if (required.length > 0) schema.required = required;
    if (fact !== "") Object.assign(schema, keywordsOf([fact]));
    const tags: Record<string, string> = {};
    for (const [name = "", type = "", ...words] of fields) {
      const tag = words.find((word) => word.startsWith("tag="));
      if (tag !== undefined) tags[name] = tag.slice(4);
      // Left out of what is shared, so that fields which differ in nothing else are one schema.
      properties[name] = this.#field(type, tag === undefined ? words : words.filter((word) => word !== tag), file);
    }
    schema["x-atoll-tags"] = tags;
  }

  #field(type: string, words: readonly string[], file: string): Schema {
    const key = `${file} ${type} ${words.join(" ")}`;
    const known = this.#fields.get(key);
    if (known !== undefined) return known;
    const made: Schema = {
      ...this.#type(type, file),
      "x-atoll-zero": words[0] as ZeroRule,
      ...keywordsOf(words.slice(1)),
    };
    this.#fields.set(key, made);
    return made;
  }

  #type(type: string, file: string): Schema {
    if (type.startsWith("[]")) return { type: "array", items: this.#type(type.slice(2), file) };
    if (type.startsWith("map[]")) return { type: "object", additionalProperties: this.#type(type.slice(5), file) };
    return scalars.get(type) ?? this.named(type.includes(".") ? type : `${file}.${type}`);
  }
}

const book = new SchemaBook(files);

/**
 * The schema of a built-in type. Shared types are the same value wherever they occur, but for the facts of the field
 * that holds them: such copies share `properties`.
 * @param apiVersion of the package that declares it: `v1`, `apps/v1`, and `meta/v1` for the types of all kinds
 * @throws {Error} there is no such type
 */
export function builtinSchema(apiVersion: string, type: string): Schema {
  return book.named(`${apiVersion === "v1" ? "core/v1" : apiVersion}.${type}`);
}

/** Whether builtinSchema() would find it. */
export function hasBuiltinSchema(apiVersion: string, type: string): boolean {
  return book.has(`${apiVersion === "v1" ? "core/v1" : apiVersion}.${type}`);
}

/** Every built-in type as `apiVersion` and name; the package of `v1` is `core/v1` here. */
export function builtinTypes(): readonly { readonly apiVersion: string; readonly name: string }[] {
  return book.names().map((key) => {
    const dot = key.lastIndexOf(".");
    return { apiVersion: key.slice(0, dot), name: key.slice(dot + 1) };
  });
}

/** The type that OpenAPI calls `io.k8s.api.core.v1.Pod`, without the facts of any field that holds it. */
export function builtinSchemaByName(name: string): Schema | undefined {
  return book.byOpenApiName(name);
}
