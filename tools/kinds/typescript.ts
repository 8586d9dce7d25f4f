/** Writes the TypeScript types of a package's objects. */
import type { FieldFacts, TypeFacts, TypeText } from "./facts.ts";
import type { ApiPackage } from "./packages.ts";

/** Shapes that machinery/object.ts declares. */
const shared: readonly string[] = ["ManagedFieldsEntry", "ObjectMeta", "OwnerReference"];

const spelled: ReadonlyMap<TypeText, string> = new Map([
  ["string", "string"],
  ["bool", "boolean"],
  ["int32", "number"],
  ["int64", "number"],
  ["double", "number"],
  ["bytes", "string"],
  ["any", "unknown"],
  ["Time", "string"],
  ["MicroTime", "string"],
  ["Quantity", "string"],
  ["IntOrString", "number | string"],
  ["FieldsV1", "Record<string, unknown>"],
  ["RawExtension", "unknown"],
  ["JSON", "unknown"],
]);

const zeroIsNull = /^(\[\]|map\[\]|(bytes|Time|MicroTime|FieldsV1)$)/;

/** Fields that every kind has, and always. */
const typeMeta: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

/** Import name of another package's types: `core/v1` is `core`, `autoscaling/v2` is `autoscaling`. */
function importName(file: string): string {
  return file.replace(/\/.*/, "").replace(/\..*/, "");
}

class Writer {
  readonly #from: ApiPackage;
  readonly #imports = new Set<string>();
  readonly #objectImports = new Set<string>();

  constructor(from: ApiPackage) {
    this.#from = from;
  }

  type(text: TypeText): string {
    const known = spelled.get(text);
    if (known !== undefined) return known;
    if (text.startsWith("[]")) return this.#list(this.type(text.slice(2)));
    if (text.startsWith("map[]")) return `Record<string, ${this.type(text.slice(5))}>`;
    const dot = text.lastIndexOf(".");
    if (dot < 0) return text;
    const file = text.slice(0, dot);
    const name = text.slice(dot + 1);
    if (file === "meta/v1" && shared.includes(name)) {
      this.#objectImports.add(name);
      return name;
    }
    this.#imports.add(file);
    return `${importName(file)}.${name}`;
  }

  #list(item: string): string {
    return item.includes("|") ? `(${item})[]` : `${item}[]`;
  }

  /** A kept field is always there after decoding, if only as null. */
  field(field: FieldFacts, isKind: boolean): string {
    const present = field.zero === "keep" || (isKind && typeMeta.has(field.name));
    const type = this.type(field.type);
    const nullable = field.zero === "keep" && type !== "unknown" && (field.nullable || zeroIsNull.test(field.type));
    const name = /^\w+$/.test(field.name) ? field.name : JSON.stringify(field.name);
    return `  ${name}${present ? "" : "?"}: ${type}${nullable ? " | null" : ""};`;
  }

  declaration(type: TypeFacts): string {
    if (type.values !== undefined) {
      const values = type.values.map((value) => JSON.stringify(value)).join(", ");
      return `/** One of ${values}. */\nexport type ${type.name} = string;`;
    }
    if (type.choices !== undefined) {
      return `export type ${type.name} = ${type.choices.map((choice) => this.type(choice)).join(" | ")};`;
    }
    const fields = type.fields ?? [];
    if (fields.length === 0) return `export type ${type.name} = Record<string, never>;`;
    const isKind = fields.filter((field) => typeMeta.has(field.name)).length === typeMeta.size;
    return `export type ${type.name} = {\n${fields.map((field) => this.field(field, isKind)).join("\n")}\n};`;
  }

  header(): string {
    const up = "../".repeat(this.#from.file.split("/").length - 1);
    const lines = [...this.#imports]
      .sort()
      .map((file) => `import type * as ${importName(file)} from "${up}${file}.types.ts";`);
    if (this.#objectImports.size > 0) {
      const names = [...this.#objectImports].sort().join(", ");
      lines.unshift(`import type { ${names} } from "@atoll/machinery/object";`);
    }
    return lines.length === 0 ? "" : `${lines.join("\n")}\n\n`;
  }
}

/** The text of a file of types. */
export function writeTypes(from: ApiPackage, types: readonly TypeFacts[]): string {
  const writer = new Writer(from);
  const meta = from.file === "meta/v1";
  const own = types.filter((type) => !meta || !shared.includes(type.name));
  const body = own.map((type) => writer.declaration(type)).join("\n\n");
  const names = shared.join(", ");
  const again = meta ? `import type { ${names} } from "@atoll/machinery/object";\n\nexport type { ${names} };\n\n` : "";
  return `// Made by tools/kinds/generate.ts from ${from.path} 0.36. Do not edit.
${writer.header()}${again}${body}
`;
}
