/**
 * Reads what the generator needs from Go source: structs with their fields, named types, string constants.
 * It understands gofmt-ed API type files, one declaration a line, and nothing else of Go.
 */

/** One field of a struct. */
export interface GoField {
  /** Go name; "" when embedded. */
  readonly name: string;
  /** As written: `*metav1.Time`, `[]Container`, `map[string]string`. */
  readonly type: string;
  /** Name in JSON, "" when inlined. */
  readonly json: string;
  readonly omitEmpty: boolean;
  readonly omitZero: boolean;
  readonly inline: boolean;
  /** Field number in protobuf; 0 when it has none. */
  readonly number: number;
  /** Values of `+key=value` comments and struct tags; a bare `+key` has the value "". */
  readonly markers: ReadonlyMap<string, readonly string[]>;
}

/** A type declaration. `fields` is there for structs, `underlying` for the rest. */
export interface GoType {
  readonly name: string;
  readonly fields?: readonly GoField[];
  readonly underlying?: string;
  readonly markers: ReadonlyMap<string, readonly string[]>;
}

/** A file's declarations. */
export interface GoFile {
  /** Import path by the name used in the file. */
  readonly imports: ReadonlyMap<string, string>;
  readonly types: readonly GoType[];
  /** Typed string constants: name, type, value. */
  readonly constants: readonly { readonly name: string; readonly type: string; readonly value: string }[];
}

type Markers = Map<string, string[]>;

function markersOf(comments: readonly string[]): Markers {
  const markers: Markers = new Map();
  for (const comment of comments) {
    const match = /^\/\/\s*\+([A-Za-z][\w:]*)(?:=(.*))?$/.exec(comment.trim());
    if (match?.[1] === undefined) continue;
    const values = markers.get(match[1]) ?? [];
    values.push((match[2] ?? "").trim());
    markers.set(match[1], values);
  }
  return markers;
}

function tagsOf(literal: string): Map<string, string> {
  return new Map([...literal.matchAll(/([\w-]+):"([^"]*)"/g)].map((match) => [match[1] ?? "", match[2] ?? ""]));
}

const fieldLine = /^(?:(\w+)\s+)?([*\w.[\]{}]+)\s+`([^`]*)`/;

function fieldOf(line: string, comments: readonly string[]): GoField | undefined {
  const match = fieldLine.exec(line);
  const tags = tagsOf(match?.[3] ?? "");
  const tag = tags.get("json");
  if (match?.[2] === undefined || tag === undefined || tag === "-") return undefined;
  const [json = "", ...options] = tag.split(",");
  const markers = markersOf(comments);
  for (const key of ["patchStrategy", "patchMergeKey"]) {
    const value = tags.get(key);
    if (value !== undefined) markers.set(key, [value]);
  }
  return {
    name: match[1] ?? "",
    type: match[2],
    json,
    omitEmpty: options.includes("omitempty"),
    omitZero: options.includes("omitzero"),
    number: Number(tags.get("protobuf")?.split(",")[1] ?? 0),
    inline: options.includes("inline") || (match[1] === undefined && json === ""),
    markers,
  };
}

function importOf(line: string): readonly [string, string] | undefined {
  const match = /^(?:import\s+)?(?:(\w+)\s+)?"([^"]+)"$/.exec(line);
  const path = match?.[2];
  if (path === undefined) return undefined;
  return [match?.[1] ?? path.split("/").at(-1) ?? path, path];
}

/** Reads one file. */
export function readGo(source: string): GoFile {
  const imports = new Map<string, string>();
  const types: GoType[] = [];
  const constants: { name: string; type: string; value: string }[] = [];
  let comments: string[] = [];
  let above: string[] = [];
  let open: { name: string; fields: GoField[]; markers: Markers } | undefined;
  for (const raw of source.replaceAll(/\/\*[\s\S]*?\*\//g, "").split("\n")) {
    const line = raw.trim();
    if (line.startsWith("//")) {
      comments.push(line);
      continue;
    }
    if (line === "") {
      above = comments;
      comments = [];
      continue;
    }
    const imported = importOf(line);
    const constant = /^(?:const\s+)?(\w+)\s+(\w+)\s*=\s*"([^"]*)"/.exec(line);
    const struct = /^type (\w+) struct ?\{(\})?$/.exec(line);
    const named = /^type (\w+) (?!struct|interface)([*\w.[\]]+)$/.exec(line);
    if (open !== undefined) {
      const field = fieldOf(line, comments);
      if (field !== undefined) open.fields.push(field);
      if (raw === "}") {
        types.push(open);
        open = undefined;
      }
    } else if (imported !== undefined) imports.set(...imported);
    else if (struct?.[1] !== undefined) {
      // Markers of a type stand in the comment above it, or in the one above that.
      const made = { name: struct[1], fields: [], markers: markersOf([...above, ...comments]) };
      if (struct[2] === undefined) open = made;
      else types.push(made);
    } else if (named?.[1] !== undefined && named[2] !== undefined) {
      types.push({ name: named[1], underlying: named[2], markers: markersOf([...above, ...comments]) });
    } else if (constant?.[1] !== undefined) {
      constants.push({ name: constant[1], type: constant[2] ?? "", value: constant[3] ?? "" });
    }
    comments = [];
    above = [];
  }
  return { imports, types, constants };
}
