/**
 * Turns Go declarations into facts: what a JSON codec, a patch and OpenAPI have to know of each type.
 * The rules are those of Go's encoding/json and of kube-openapi's generator.
 */
import type { GoField, GoFile, GoType } from "./golang.ts";
import type { ApiPackage } from "./packages.ts";

/** A type in the notation of api/schemas.ts: `[]`, `map[]`, scalars, `file.Name`. */
export type TypeText = string;

export interface FieldFacts {
  readonly name: string;
  readonly type: TypeText;
  /** Field numbers in protobuf, from the type inwards: an inlined struct is a message of its own there. */
  readonly tag: readonly number[];
  readonly zero: "omit" | "keep" | "set";
  /** Its kept zero value is null although its type's is not: a pointer without omitempty. */
  readonly nullable: boolean;
  readonly required: boolean;
  readonly listType: string | undefined;
  readonly listKeys: readonly string[];
  readonly mapType: string | undefined;
  readonly patchStrategy: string | undefined;
  readonly patchMergeKey: string | undefined;
  /** JSON text. */
  readonly fallback: string | undefined;
}

export interface TypeFacts {
  readonly name: string;
  readonly fields?: readonly FieldFacts[];
  /** For a named string: the values OpenAPI lists. */
  readonly values?: readonly string[];
  /** For a type that is one of several. */
  readonly choices?: readonly TypeText[];
  readonly mapType?: string | undefined;
}

/** Types whose JSON is not what their Go fields say. */
const special: ReadonlyMap<string, TypeText> = new Map([
  ["k8s.io/apimachinery/pkg/apis/meta/v1.Time", "Time"],
  ["k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime", "MicroTime"],
  ["k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1", "FieldsV1"],
  ["k8s.io/apimachinery/pkg/api/resource.Quantity", "Quantity"],
  ["k8s.io/apimachinery/pkg/util/intstr.IntOrString", "IntOrString"],
  ["k8s.io/apimachinery/pkg/runtime.RawExtension", "RawExtension"],
  ["k8s.io/apimachinery/pkg/types.UID", "string"],
  ["k8s.io/apimachinery/pkg/types.NodeName", "string"],
  ["k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON", "JSON"],
]);

const schemaProps = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaProps";

/** Types with an encoder of their own that lets them be one of several. */
const unions: ReadonlyMap<string, readonly string[]> = new Map([
  [`${schemaProps}OrArray`, ["JSONSchemaProps", "[]JSONSchemaProps"]],
  [`${schemaProps}OrBool`, ["JSONSchemaProps", "bool"]],
  [`${schemaProps}OrStringArray`, ["JSONSchemaProps", "[]string"]],
]);

const scalars: ReadonlyMap<string, TypeText> = new Map([
  ["string", "string"],
  ["bool", "bool"],
  ["int32", "int32"],
  ["int64", "int64"],
  ["float64", "double"],
  ["interface{}", "any"],
]);

/** The types of all packages, by `path.Name`. */
export class GoWorld {
  readonly #types = new Map<string, { type: GoType; file: GoFile; package: ApiPackage }>();
  readonly #enums = new Map<string, string[]>();

  add(from: ApiPackage, file: GoFile): void {
    for (const type of file.types) this.#types.set(`${from.path}.${type.name}`, { type, file, package: from });
    for (const { type, value } of file.constants) {
      const key = `${from.path}.${type}`;
      this.#enums.set(key, [...(this.#enums.get(key) ?? []), value]);
    }
  }

  /** Facts of the package's types that OpenAPI would know, by name. */
  factsOf(from: ApiPackage): readonly TypeFacts[] {
    const names = from.roots === undefined ? this.#all(from) : this.#reachable(from, from.roots);
    return [...names].sort().map((name) => this.#facts(from, name));
  }

  #all(from: ApiPackage): ReadonlySet<string> {
    const names = [...this.#types.values()].filter((entry) => entry.package === from).map((entry) => entry.type);
    return new Set(names.filter((type) => this.#named(`${from.path}.${type.name}`)).map((type) => type.name));
  }

  #reachable(from: ApiPackage, roots: readonly string[]): ReadonlySet<string> {
    const seen = new Set<string>();
    const todo = [...roots];
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      const facts = this.#facts(from, name);
      const types = [...(facts.choices ?? []), ...(facts.fields ?? []).map((field) => field.type)];
      for (const type of types) {
        const bare = type.replaceAll(/\[\]|map\[\]/g, "");
        if (this.#named(`${from.path}.${bare}`)) todo.push(bare);
      }
    }
    return seen;
  }

  /** Whether a type stands in the facts under its name: structs, unions and enums; other named types are spelled out. */
  #named(key: string): boolean {
    const known = this.#types.get(key);
    if (known === undefined || special.has(key)) return false;
    return unions.has(key) || this.#isEnum(key) || known.type.fields !== undefined;
  }

  #isEnum(key: string): boolean {
    return this.#types.get(key)?.type.markers.has("enum") === true && this.#enums.has(key);
  }

  #facts(from: ApiPackage, name: string): TypeFacts {
    const key = `${from.path}.${name}`;
    const known = this.#types.get(key);
    if (known === undefined) throw new Error(`${key} is not declared`);
    const choices = unions.get(key);
    if (choices !== undefined) return { name, choices };
    if (this.#isEnum(key)) return { name, values: [...new Set(this.#enums.get(key))].sort() };
    const fields = (known.type.fields ?? []).flatMap((field) => this.#fields(field, known.file, from));
    return { name, fields, mapType: known.type.markers.get("structType")?.[0] };
  }

  /** A field's facts; those of the embedded struct when it is inlined. */
  #fields(field: GoField, file: GoFile, from: ApiPackage): readonly FieldFacts[] {
    if (!field.inline) return [this.#field(field, file, from)];
    const key = this.#keyOf(field.type.replace("*", ""), file, from);
    const embedded = this.#types.get(key);
    if (embedded === undefined) throw new Error(`${key} is not declared`);
    return (embedded.type.fields ?? []).flatMap((inner) => {
      // Seen from another package, its local names are foreign.
      return this.#fields(inner, embedded.file, embedded.package).map((facts) => ({
        ...facts,
        tag: [field.number, ...facts.tag],
        type: embedded.package === from ? facts.type : this.#foreign(facts.type, embedded.package),
      }));
    });
  }

  #foreign(type: TypeText, home: ApiPackage): TypeText {
    const bare = type.replaceAll(/\[\]|map\[\]/g, "");
    return this.#named(`${home.path}.${bare}`) ? type.replace(bare, `${home.file}.${bare}`) : type;
  }

  #field(field: GoField, file: GoFile, from: ApiPackage): FieldFacts {
    const pointer = field.type.startsWith("*");
    const type = this.#typeText(field.type.replace("*", ""), file, from);
    const one = (marker: string): string | undefined => field.markers.get(marker)?.[0];
    const optional = field.markers.has("optional") || (!field.markers.has("required") && field.omitEmpty);
    return {
      name: field.json,
      type,
      tag: [field.number],
      zero: this.#zero(field, pointer, type, from),
      nullable: pointer && !field.omitEmpty,
      required: !optional,
      listType: one("listType"),
      listKeys: field.markers.get("listMapKey") ?? [],
      mapType: one("mapType") ?? one("structType"),
      patchStrategy: one("patchStrategy"),
      patchMergeKey: one("patchMergeKey"),
      fallback: this.#fallback(one("default"), from),
    };
  }

  #zero(field: GoField, pointer: boolean, type: TypeText, from: ApiPackage): FieldFacts["zero"] {
    if (!field.omitEmpty) return "keep";
    // Go's decoder tells a given empty list from none, and the autoscaler's defaults ask for that.
    if (pointer || type === "[]HPAScalingPolicy") return "set";
    // omitempty does nothing for a struct by value.
    return this.#isStruct(type, from) && !field.omitZero ? "keep" : "omit";
  }

  #isStruct(type: TypeText, from: ApiPackage): boolean {
    if (["Time", "MicroTime", "FieldsV1", "Quantity", "IntOrString", "RawExtension", "JSON"].includes(type))
      return true;
    if (scalars.has(type) || /^(\[\]|map\[\])|^(bytes|double|any)$/.test(type)) return false;
    const dot = type.lastIndexOf(".");
    const home = dot < 0 ? from : [...this.#types.values()].find((e) => e.package.file === type.slice(0, dot))?.package;
    const key = `${home?.path}.${type.slice(dot + 1)}`;
    return this.#types.get(key)?.type.fields !== undefined || unions.has(key);
  }

  /** A `+default` marker may name a constant. */
  #fallback(marker: string | undefined, from: ApiPackage): string | undefined {
    const name = /^ref\((\w+)\)$/.exec(marker ?? "")?.[1];
    if (name === undefined) return marker;
    for (const { file, package: home } of this.#types.values()) {
      const constant = home === from ? file.constants.find((each) => each.name === name) : undefined;
      if (constant !== undefined) return JSON.stringify(constant.value);
    }
    throw new Error(`constant ${name} of ${from.path} is not declared`);
  }

  #keyOf(type: string, file: GoFile, from: ApiPackage): string {
    const dot = type.indexOf(".");
    if (dot < 0) return `${from.path}.${type}`;
    const path = file.imports.get(type.slice(0, dot));
    if (path === undefined) throw new Error(`${type} in ${from.path}: package is not imported`);
    return `${path}.${type.slice(dot + 1)}`;
  }

  #typeText(type: string, file: GoFile, from: ApiPackage): TypeText {
    if (type === "[]byte") return "bytes";
    if (type.startsWith("[]")) return `[]${this.#typeText(type.slice(2), file, from)}`;
    const map = /^map\[[\w.]+\](.*)$/.exec(type)?.[1];
    if (map !== undefined) return `map[]${this.#typeText(map, file, from)}`;
    if (type.startsWith("*")) throw new Error(`${type} in ${from.path}: a pointer in a list or map is not supported`);
    return scalars.get(type) ?? this.#namedText(this.#keyOf(type, file, from), from);
  }

  #namedText(key: string, from: ApiPackage): TypeText {
    const fixed = special.get(key);
    if (fixed !== undefined) return fixed;
    const known = this.#types.get(key);
    if (known === undefined) throw new Error(`${key} is not declared`);
    if (!this.#named(key)) return this.#typeText(known.type.underlying ?? "", known.file, known.package);
    return known.package === from ? known.type.name : `${known.package.file}.${known.type.name}`;
  }
}
