/**
 * The annotation of client-side apply, kept for people who go back and forth between the two ways of `kubectl apply`:
 * server-side kubectl may take what the annotation shows was set by client-side kubectl, and keeps the annotation true.
 * Source: k8s.io/apimachinery/pkg/util/managedfields/internal (lastappliedmanager.go, lastappliedupdater.go)
 */
import type { Conflicts, Versioned } from "./apply.ts";
import { compareObjects } from "./compare.ts";
import { conflictsBut } from "./conflict.ts";
import { compareText } from "./element.ts";
import { type FieldSet, difference } from "./fieldset.ts";
import { BadValue } from "./items.ts";
import { checkForm, ownedFields } from "./owned.ts";
import { type Plain, isPlain, read, without } from "./plain.ts";

const annotation = "kubectl.kubernetes.io/last-applied-configuration";

/** Bytes of all annotations together. Source: apimachinery validation.TotalAnnotationSizeLimitB */
const maxAnnotationBytes = 256 * 1024;

/**
 * The conflicts that client-side apply does not explain.
 * @returns undefined when it explains all of them
 */
export function allowedByLastApplied(conflicts: Conflicts, live: Versioned): Conflicts | undefined {
  const allowed = lastAppliedFields(live);
  return allowed === undefined ? conflicts : conflictsBut(conflicts, allowed);
}

/** The fields that client-side apply set and that are still as it set them. Undefined when that cannot be told. */
function lastAppliedFields({ object, type, apiVersion }: Versioned): FieldSet | undefined {
  const given = annotationsOf(object)?.[annotation];
  if (typeof given !== "string" || given === "") return undefined;
  const last = parse(given);
  if (!isPlain(last) || last["apiVersion"] !== apiVersion) return undefined;
  try {
    checkForm(type, last);
    const { added, modified, removed } = compareObjects(type, last, object);
    return [modified, added, removed].reduce(difference, ownedFields(type, last));
  } catch (error) {
    if (error instanceof BadValue) return undefined;
    throw error;
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    // Whatever else is in the annotation explains nothing.
    return undefined;
  }
}

function annotationsOf(object: Plain): Plain | undefined {
  const metadata = object["metadata"];
  const annotations = isPlain(metadata) ? read(metadata, "annotations") : undefined;
  return isPlain(annotations) ? annotations : undefined;
}

/**
 * The object with the annotation saying what was applied, if it has the annotation at all and it does not get too large.
 * @returns the same object when nothing is to change
 */
export function syncLastApplied(object: Plain, applied: Plain): Plain {
  const annotations = annotationsOf(object);
  const metadata = object["metadata"];
  const current = annotations?.[annotation];
  if (annotations === undefined || !isPlain(metadata) || typeof current !== "string" || current === "") return object;
  const next = { ...annotations, [annotation]: `${sortedJson(withoutAnnotation(applied))}\n` };
  const fits = sizeOf(next) <= maxAnnotationBytes;
  return { ...object, metadata: { ...metadata, annotations: fits ? next : without(annotations, annotation) } };
}

/** JSON with sorted keys, as Go writes maps. */
function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(",")}]`;
  if (typeof value === "bigint") return value.toString();
  if (!isPlain(value)) return JSON.stringify(value) ?? "null";
  const keys = Object.keys(value).sort(compareText);
  return `{${keys.map((key) => `${JSON.stringify(key)}:${sortedJson(value[key])}`).join(",")}}`;
}

function withoutAnnotation(applied: Plain): Plain {
  const annotations = annotationsOf(applied);
  if (annotations === undefined) return applied;
  return { ...applied, metadata: { ...(applied["metadata"] as Plain), annotations: without(annotations, annotation) } };
}

function sizeOf(annotations: Plain): number {
  const encoder = new TextEncoder();
  return Object.entries(annotations).reduce(
    (size, [key, value]) => size + encoder.encode(key).length + encoder.encode(String(value)).length,
    0,
  );
}
