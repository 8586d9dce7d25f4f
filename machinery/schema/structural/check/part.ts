/** What the checks of all kinds of values share. */
import type { Path } from "../../../field.ts";
import type { Schema } from "../../schema.ts";
import type { Correlated } from "../correlated.ts";
import type { Findings } from "./findings.ts";

/**
 * Checks one value. `was` is the pair with the value it replaces: what did not change is not held against it
 * (CRDValidationRatcheting).
 */
export type Check = (value: unknown, at: Path, out: Findings, was: Correlated | undefined) => void;

/** How a schema is read. */
export interface Reading {
  /**
   * Checking instances: int-or-string is a type, unknown formats mean nothing. Otherwise as defaults are checked, where
   * int-or-string says nothing about the type.
   */
  readonly instances: boolean;
}

/** The checks of schemas, compiled when first used. */
export interface Compiled {
  of(schema: Schema): Check;
}

/** The check of a field or item: its findings do not count when it did not change. */
export function letBe(check: Check): Check {
  return (value, at, out, was) => {
    const found = out.list.length;
    check(value, at, out, was);
    if (was !== undefined && out.list.length > found && was.equal) out.list.length = found;
  };
}

/** Too many items or fields. */
export function tooMany(at: Path, count: number, max: number, out: Findings): void {
  const text = `${at.toString()} in body should have at most ${max} items`;
  const detail =
    max < 0 ? `${count}: has too many items` : `${count}: must have at most ${max} ${max === 1 ? "item" : "items"}`;
  out.add({ reason: "FieldValueTooMany", at, value: undefined, detail, text });
}
