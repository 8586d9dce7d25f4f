/** Objects as YAML for people, and where in a text a field at fault stands. */
import { type Document, isMap, isNode, LineCounter, parseAllDocuments, stringify } from "yaml";
import type { AnyObject } from "./object.ts";

/** A place in a text, and what is wrong there. */
export interface Fault {
  /** From 0, in characters. */
  readonly from: number;
  readonly to: number;
  readonly message: string;
}

/** The objects of a text, or what is wrong with it. */
export interface Parsed {
  readonly objects: readonly AnyObject[];
  readonly documents: readonly Document[];
  readonly faults: readonly Fault[];
}

/** An object as people edit it: without the server's bookkeeping. */
export function toYaml(object: AnyObject): string {
  const { managedFields: _, ...metadata } = object.metadata as AnyObject["metadata"] & { managedFields?: unknown };
  const { apiVersion, kind, ...rest } = object;
  return stringify({ apiVersion, kind, ...rest, metadata }, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Reads a text of one or several documents. */
export function fromYaml(text: string): Parsed {
  const documents = parseAllDocuments(text, { lineCounter: new LineCounter(), maxAliasCount: 100 } as object);
  const list = Array.isArray(documents) ? (documents as Document[]) : [];
  const faults = list.flatMap(({ errors }) =>
    errors.map(({ pos: [from, to], message }) => ({ from, to, message: message.split("\n")[0] ?? message })),
  );
  if (faults.length > 0) return { objects: [], documents: list, faults };
  const whole = list.filter(({ contents }) => contents !== null);
  const other = whole.find(({ contents }) => !isMap(contents));
  if (other !== undefined) {
    return { objects: [], documents: whole, faults: [{ ...rangeOf(other, []), message: "This is no object." }] };
  }
  return { objects: whole.map((each) => each.toJS() as AnyObject), documents: whole, faults: [] };
}

/**
 * Fields that a message of the API server names: of strict decoding, and of an applied object that fits no schema.
 * Source: k8s.io/apimachinery/pkg/runtime (strict decoding errors), sigs.k8s.io/structured-merge-diff/typed
 */
const named =
  /(?:unknown|duplicate) field "([^"]+)"|(?<=[ (])\.([^\s:]+): (?:field not declared in schema|expected \w+, got [^,]+)/g;

/**
 * Where the fields of a refusal stand in the text that was refused.
 * @param causes of the Status; for strict decoding its message names the fields
 */
export function faultsOf(
  document: Document,
  message: string,
  causes: readonly { readonly field?: string; readonly message?: string }[],
): readonly Fault[] {
  const told = [...message.matchAll(named)].map(([text, strict = "", typed = ""]) => ({
    field: strict || typed,
    message: text,
  }));
  const all = [...causes, ...told].filter(({ field }) => field !== undefined && field !== "");
  if (all.length === 0) return [{ ...rangeOf(document, []), message }];
  return all.map((cause) => ({ ...rangeOf(document, partsOf(cause.field ?? "")), message: cause.message ?? message }));
}

/** `spec.containers[0].image`, `metadata.labels[app]` in parts. */
function partsOf(field: string): readonly (string | number)[] {
  return [...field.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, inner, name]) => {
    const part = inner ?? name ?? "";
    return inner !== undefined && /^\d+$/.test(inner) ? Number(inner) : part;
  });
}

/** The nearest part of the document that is there. */
function rangeOf(document: Document, parts: readonly (string | number)[]): { from: number; to: number } {
  for (let length = parts.length; length > 0; length--) {
    const node = document.getIn(parts.slice(0, length), true);
    if (isNode(node) && node.range) return { from: node.range[0], to: node.range[1] };
  }
  const start = document.range?.[0] ?? 0;
  return { from: start, to: start + 1 };
}
