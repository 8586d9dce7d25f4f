/**
 * Loops: what macros such as all, map and filter come down to.
 * Source: cel-go interpreter/interpretable.go (evalFold)
 */
import { accumulator, type Fold } from "./ast.ts";
import { ArrayList, EntryMap } from "./containers.ts";
import { listCost, readCost } from "./cost.ts";
import { type Frame, noSuchOverload, type Step } from "./frame.ts";
import { typeNameOf } from "./runtime-type.ts";
import { CelError, ListValue, MapValue, type Value } from "./values.ts";

/** The parts of a loop. */
export interface FoldSteps {
  readonly range: Step;
  readonly init: Step;
  readonly condition: Step;
  readonly step: Step;
  readonly result: Step;
  /** What the accumulator grows as, when a macro collects. */
  readonly growing: "list" | "map" | undefined;
  readonly accuSlot: number;
  readonly slot: number;
  readonly slot2: number | undefined;
}

/** A list that a loop is adding to. Once the loop is over, nothing changes it. */
class GrowingList extends ArrayList {
  readonly #items: Value[];

  constructor(items: Value[]) {
    super(items);
    this.#items = items;
  }

  push(item: Value): void {
    this.#items.push(item);
  }
}

/** Whether the loop collects into a fresh list or map. */
export function isGrowing(expr: Fold): FoldSteps["growing"] {
  if (expr.accuVar !== accumulator) return undefined;
  if (expr.accuInit.kind === "list" && expr.accuInit.elements.length === 0) return "list";
  return expr.accuInit.kind === "map" && expr.accuInit.entries.length === 0 ? "map" : undefined;
}

/** Adds one item to the list being collected. Costs are those of `accumulator + [item]`. */
export function planGrowth(accu: Step, item: Step, isConstant: boolean): Step {
  const cost = isConstant ? 1 : listCost + 1;
  return (frame) => {
    frame.charge(readCost);
    const list = accu(frame);
    if (list instanceof CelError) return list;
    const value = item(frame);
    frame.charge(cost);
    if (value instanceof CelError) return value;
    if (!(list instanceof GrowingList)) return noSuchOverload();
    list.push(value);
    return list;
  };
}

function startOf(steps: FoldSteps, frame: Frame): Value {
  if (steps.growing === "list") return new GrowingList([]);
  return steps.growing === "map" ? new EntryMap() : steps.init(frame);
}

/** One iteration; false ends the loop. */
function iterate(steps: FoldSteps, frame: Frame): boolean {
  if (steps.condition(frame) === false) return false;
  frame.slots[steps.accuSlot] = steps.step(frame);
  frame.iterate();
  return true;
}

function overList(steps: FoldSteps, frame: Frame, list: ListValue): void {
  const { slot, slot2 } = steps;
  for (let i = 0; i < list.size; i++) {
    if (slot2 === undefined) frame.slots[slot] = list.at(i);
    else {
      frame.slots[slot] = BigInt(i);
      frame.slots[slot2] = list.at(i);
    }
    if (!iterate(steps, frame)) return;
  }
}

function overMap(steps: FoldSteps, frame: Frame, map: MapValue): void {
  const { slot, slot2 } = steps;
  for (const key of map.keys()) {
    frame.slots[slot] = key;
    if (slot2 !== undefined) frame.slots[slot2] = map.get(key);
    if (!iterate(steps, frame)) return;
  }
}

/** A type as Go's reference implementation names it. */
function goTypeOf(value: Value): string {
  const name = (typeNameOf(value).split(".").at(-1) ?? "").replace("_type", "");
  return `types.${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function noRange(steps: FoldSteps, value: Value): CelError {
  const type = goTypeOf(value);
  if (steps.slot2 === undefined) return new CelError(`got '${type}', expected iterable type`);
  return new CelError(`unsupported comprehension range type: ${type}`);
}

/** Runs a loop. */
export function planFold(steps: FoldSteps): Step {
  return (frame) => {
    const range = steps.range(frame);
    if (range instanceof CelError) return range;
    // A loop inside a loop runs many times: each run starts afresh.
    frame.slots[steps.accuSlot] = startOf(steps, frame);
    if (range instanceof ListValue) overList(steps, frame, range);
    else if (range instanceof MapValue) overMap(steps, frame, range);
    else return noRange(steps, range);
    return steps.result(frame);
  };
}
