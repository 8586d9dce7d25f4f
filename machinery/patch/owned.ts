/**
 * The fields that a configuration sets: what an applier owns.
 * Source: sigs.k8s.io/structured-merge-diff/v6/typed (tofieldset.go, validate.go)
 */
import { type Step, spellStep } from "./element.ts";
import { type Field, type FieldSet, leaf, noFields, nodeOf, setOf } from "./fieldset.ts";
import { BadValue, itemsByStep, stepOfItem } from "./items.ts";
import { type Plain, isEmpty, isPlain } from "./plain.ts";
import {
  type FieldType,
  type ListType,
  type MapType,
  type Scalar,
  deduced,
  fieldsOf,
  itemsOf,
  shapeOf,
} from "./types.ts";

/**
 * The fields of an object. Declared objects count by what is in them; undeclared ones, empty ones and list items also
 * by themselves.
 * @throws {BadValue} for an item that cannot be told apart from others
 */
export function ownedFields(type: FieldType, object: Plain): FieldSet {
  return collect(type, object).below;
}

/** Whether a field counts by itself, and what is below it. */
interface Owned {
  readonly self: boolean;
  readonly below: FieldSet;
}

const itself: Owned = { self: true, below: noFields };

function collect(type: FieldType, value: unknown): Owned {
  const shape = shapeOf(type, value);
  if (shape === "map" && type.map !== undefined && !type.map.atomic)
    return { self: false, below: collectMap(type.map, value) };
  if (shape === "list" && type.list !== undefined && !type.list.atomic) {
    return { self: false, below: collectList(type.list, value) };
  }
  return itself;
}

function collectMap(map: MapType, value: unknown): FieldSet {
  const found: Field[] = [];
  const fields = fieldsOf(value) ?? {};
  for (const name of Object.keys(fields)) {
    const field = fields[name];
    if (field === undefined) continue;
    const { step, declared, type = deduced } = map.field(name);
    const owned = collect(type, field);
    const bare = field === null || (isPlain(field) && isEmpty(field));
    const node = nodeOf(owned.self || bare || !declared, owned.below);
    if (node !== undefined) found.push([step, node]);
  }
  return setOf(found);
}

function collectList(list: ListType, value: unknown): FieldSet {
  const found: Field[] = [];
  for (const [step, items] of itemsByStep(list, itemsOf(value) ?? [])) {
    const node = items.length === 1 ? nodeOf(true, collect(list.item, items[0]).below) : leaf;
    found.push([step, node ?? leaf]);
  }
  return setOf(found);
}

/**
 * Checks that an applied configuration has the form its type asks for.
 * @throws {BadValue} with every fault found, as `.spec.replicas: expected numeric (int or float), got string`
 */
export function checkForm(type: FieldType, object: Plain): void {
  const faults: string[] = [];
  checkValue(type, object, { parent: undefined, step: "", faults });
  if (faults.length === 0) return;
  throw new BadValue(
    faults.length === 1 ? faults.join("") : ["errors:", ...faults.map((fault) => `  ${fault}`)].join("\n"),
  );
}

/** Where in the configuration; spelled only for a fault. */
interface Place {
  readonly parent: Place | undefined;
  readonly step: Step;
  readonly faults: string[];
}

const at = (parent: Place, step: Step): Place => ({ parent, step, faults: parent.faults });

function spellPlace({ parent, step }: Place): string {
  return parent === undefined ? "" : spellPlace(parent) + spellStep(step);
}

function fault(place: Place, message: string): void {
  const path = spellPlace(place);
  place.faults.push(path === "" ? message : `${path}: ${message}`);
}

function checkValue(type: FieldType, value: unknown, place: Place): void {
  const shape = shapeOf(type, value);
  if (value === null) return;
  if (shape === "map" && type.map !== undefined) checkMap(type.map, value, place);
  else if (shape === "list" && type.list !== undefined) checkList(type.list, value, place);
  else if (type.scalar !== undefined) checkScalar(type.scalar, value, place);
}

function checkMap(map: MapType, value: unknown, place: Place): void {
  if (!isPlain(value)) return fault(place, `expected map, got &{${spell(value)}}`);
  for (const name of Object.keys(value)) {
    const { step, type } = map.field(name);
    const here = at(place, step);
    if (type === undefined) return fault(here, "field not declared in schema");
    checkValue(type, value[name], here);
  }
}

function checkList(list: ListType, value: unknown, place: Place): void {
  if (!Array.isArray(value)) return fault(place, `expected list, got &{${spell(value)}}`);
  const seen = new Set<Step>();
  for (const [i, item] of (value as unknown[]).entries()) {
    const step = list.atomic ? `i:${i}` : stepIn(list, item, { i, place });
    if (step === undefined) return;
    if (seen.has(step)) fault(place, `duplicate entries for key ${spellStep(step)}`);
    seen.add(step);
    checkValue(list.item, item, at(place, step));
  }
}

function stepIn(list: ListType, item: unknown, { i, place }: { i: number; place: Place }): Step | undefined {
  try {
    return stepOfItem(list, item);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    fault(place, `element ${i}: ${error.message}`);
    return undefined;
  }
}

const goTypes: Readonly<Record<string, string>> = { string: "string", boolean: "bool" };

function checkScalar(scalar: Scalar, value: unknown, place: Place): void {
  const type = typeof value === "bigint" ? "number" : typeof value;
  if (scalar === "numeric" && type !== "number") {
    const other = Array.isArray(value) ? "[]interface {}" : "map[string]interface {}";
    fault(place, `expected numeric (int or float), got ${goTypes[type] ?? other}`);
  }
  if (scalar === "string" && type !== "string") {
    fault(place, `expected string, got &value.valueUnstructured{Value:${spell(value)}}`);
  }
  if (scalar === "boolean" && type !== "boolean") fault(place, `expected boolean, got &{${spell(value)}}`);
  if (scalar === "untyped" && type === "object") fault(place, `expected any scalar, got &{${spell(value)}}`);
}

function spell(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? Number(inner) : inner));
}
