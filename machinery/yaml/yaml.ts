/**
 * YAML from a client, as upstream's server reads it: the first document, YAML 1.1 scalars, anchors and merge keys,
 * the last of several equal keys.
 *
 * The `yaml` package parses; what its nodes mean is decided here, where expansion can be counted. It is slow, some
 * 0.6 µs a byte, and takes 40 ms to load: import this module when YAML comes, and parse large bodies off the event loop.
 */
import { type Alias, isAlias, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument, type YAMLMap } from "yaml";
import { DepthExceeded, JsonError, type ParsedJson, parseJson } from "../json/json.ts";
import { scalarValue, YamlValueError } from "./scalars.ts";

/** Text that is no YAML, or no data that JSON could hold. The message holds none of it: it may be a Secret. */
export class YamlError extends Error {
  override readonly name = "YamlError";
}

/** Bounds of what is taken. */
export interface YamlLimits {
  /** Levels of nesting; 1,000 unless told. */
  readonly maxDepth?: number;
  /** Characters; 3 MiB unless told. JSON is YAML, but is not bounded by this. */
  readonly maxLength?: number;
  /** Nodes that aliases may add; 100,000 unless told. */
  readonly maxAliased?: number;
}

type Plain = Record<string, unknown>;

const mostDuplicates = 100;

/** Makes data of nodes. */
class Reader {
  readonly duplicates: string[] = [];
  readonly #limits: Required<YamlLimits>;
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, ParsedNode>();
  /** Nodes being expanded through aliases. */
  readonly #open = new Set<ParsedNode>();
  #aliased = 0;
  #depth = 0;

  constructor(limits: Required<YamlLimits>, lines: LineCounter) {
    this.#limits = limits;
    this.#lines = lines;
  }

  value(node: ParsedNode | null): unknown {
    if (node === null) return null;
    if (this.#open.size > 0 && ++this.#aliased > this.#limits.maxAliased) {
      throw new YamlError("yaml: document contains excessive aliasing");
    }
    if (isAlias(node)) return this.#alias(node);
    if (node.anchor !== undefined && this.#open.size === 0) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node);
    if (++this.#depth > this.#limits.maxDepth) throw new DepthExceeded(this.#limits.maxDepth);
    const made = isSeq(node) ? node.items.map((item) => this.value(item as ParsedNode)) : this.#map(node as YAMLMap);
    this.#depth--;
    return made;
  }

  #scalar(node: ParsedNode & { value: unknown; type?: string | undefined }): unknown {
    const text = typeof node.value === "string" ? node.value : "";
    return scalarValue(text, node.type === "PLAIN", node.tag);
  }

  #target(alias: Alias): ParsedNode {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) throw new YamlError("yaml: unknown anchor");
    if (this.#open.has(target)) throw new YamlError("yaml: an anchor's value contains itself");
    return target;
  }

  #alias(alias: Alias): unknown {
    const target = this.#target(alias);
    this.#open.add(target);
    const made = this.value(target);
    this.#open.delete(target);
    return made;
  }

  #map(node: YAMLMap): Plain {
    const map: Plain = {};
    for (const { key, value } of node.items as { key: ParsedNode; value: ParsedNode | null }[]) {
      if (isScalar(key) && key.value === "<<" && key.type === "PLAIN") this.#merge(map, value);
      else this.#set(map, this.#key(key), value);
    }
    return map;
  }

  #set(map: Plain, key: string, value: ParsedNode | null): void {
    if (Object.hasOwn(map, key) && this.duplicates.length < mostDuplicates) {
      const line = this.#lines.linePos(value?.range[0] ?? 0).line;
      this.duplicates.push(`line ${line}: key ${JSON.stringify(key)} already set in map`);
    }
    define(map, key, this.value(value));
  }

  #key(node: ParsedNode): string {
    const key = this.value(node);
    if (typeof key === "string") return key;
    if (typeof key === "number" || typeof key === "bigint" || typeof key === "boolean") return String(key);
    throw new YamlError("yaml: a key is neither text, number nor boolean");
  }

  /** `<<: *other`, or a list of them of which earlier ones win. Keys that come later in the map win over both. */
  #merge(map: Plain, node: ParsedNode | null): void {
    const merged = this.value(node);
    const sources: readonly unknown[] = Array.isArray(merged) ? merged.toReversed() : [merged];
    for (const source of sources) {
      if (typeof source !== "object" || source === null || Array.isArray(source)) {
        throw new YamlError("yaml: map merge requires map or sequence of maps as the value");
      }
      for (const [key, value] of Object.entries(source)) define(map, key, value);
    }
  }
}

/** Sets a key as JSON.parse does: `__proto__` is a key like others. */
function define(map: Plain, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Nesting that is refused before the parser sees it: the parser recurses. Quotes are not looked at: it errs early. */
function openedDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth);
    else if ((code === 0x5d || code === 0x7d) && depth > 0) depth--;
  }
  return deepest;
}

/** Hundreds of lists opened on one line: `- - - -`. */
const listsInLists = /(?:[-?][ \t]+){256}/;

function checkShape(text: string, { maxDepth, maxLength }: Required<YamlLimits>): void {
  if (text.length > maxLength) throw new YamlError(`yaml: longer than ${maxLength} characters`);
  if (openedDepth(text) > maxDepth || listsInLists.test(text)) throw new DepthExceeded(maxDepth);
}

function parseNodes(text: string, limits: Required<YamlLimits>): ParsedJson {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    schema: "failsafe",
    version: "1.1",
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
    lineCounter: lines,
  });
  const error = document.errors.find(({ code }) => code !== "MULTIPLE_DOCS");
  if (error !== undefined) {
    // The composer reports its own overflow as an error of the document.
    if (/call stack/.test(error.message)) throw new DepthExceeded(limits.maxDepth);
    throw new YamlError(
      `yaml: line ${lines.linePos(error.pos[0]).line}: ${error.code.toLowerCase().replaceAll("_", " ")}`,
    );
  }
  const reader = new Reader(limits, lines);
  return { value: reader.value(document.contents as ParsedNode | null), duplicates: reader.duplicates };
}

/** JSON that came as YAML, as kubectl sends its apply patches. */
function parseAsJson(text: string, maxDepth: number): ParsedJson | undefined {
  try {
    return parseJson(text, { maxDepth });
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

/**
 * Parses the first document of a YAML text.
 * @returns integers beyond 2^53 as BigInt; duplicates as `line 3: key "data" already set in map`
 * @throws {YamlError}
 * @throws {DepthExceeded}
 */
export function parseYaml(text: string, limits: YamlLimits = {}): ParsedJson {
  const bounds = { maxDepth: 1_000, maxLength: 3 * 2 ** 20, maxAliased: 100_000, ...limits };
  const json = /^\s*\{/.test(text) ? parseAsJson(text, bounds.maxDepth) : undefined;
  if (json !== undefined) return json;
  checkShape(text, bounds);
  try {
    return parseNodes(text, bounds);
  } catch (cause) {
    if (cause instanceof YamlValueError) throw new YamlError(`yaml: ${cause.message}`, { cause });
    if (cause instanceof RangeError) throw new DepthExceeded(bounds.maxDepth);
    throw cause;
  }
}
