/**
 * A place in an object that is being validated: where its errors go and how its fields are called. Paths of single
 * fields are made only for errors, so that what is valid costs next to nothing.
 */
import type { FieldErrors, Path } from "@atoll/machinery/field";
import { compareQuantities, parseQuantity, type Quantity } from "@atoll/machinery/quantity";

/** Methods that take a field name speak of that field of the place, or of the place itself when it is "". */
export class Place {
  readonly errors: FieldErrors;
  readonly path: Path;

  constructor(errors: FieldErrors, path: Path) {
    this.errors = errors;
    this.path = path;
  }

  /** `.name` */
  child(name: string): Place {
    return new Place(this.errors, this.path.child(name));
  }

  /** `.name[i]`, 0-based */
  item(name: string, i: number): Place {
    return new Place(this.errors, this.path.child(name).index(i));
  }

  /** `.name[key]` */
  entry(name: string, key: string): Place {
    return new Place(this.errors, this.path.child(name).key(key));
  }

  required(field: string, detail = ""): void {
    this.errors.required(this.#at(field), detail);
  }

  invalid(field: string, value: unknown, detail: string): void {
    this.errors.invalid(this.#at(field), value, detail);
  }

  forbidden(field: string, detail: string): void {
    this.errors.forbidden(this.#at(field), detail);
  }

  notSupported(field: string, value: unknown, supported: readonly string[]): void {
    this.errors.notSupported(this.#at(field), value, supported);
  }

  duplicate(field: string, value: unknown): void {
    this.errors.duplicate(this.#at(field), value);
  }

  notFound(field: string, value: unknown): void {
    this.errors.notFound(this.#at(field), value);
  }

  tooLong(field: string, maxBytes: number): void {
    this.errors.tooLong(this.#at(field), maxBytes);
  }

  /** An Invalid error for each of the sentences. */
  each(field: string, value: unknown, messages: readonly string[]): void {
    for (const message of messages) this.invalid(field, value, message);
  }

  /** Required when empty, not supported when not one of those listed. */
  oneOf(field: string, value: string | undefined, supported: readonly string[]): void {
    if (value === undefined || value === "") this.required(field);
    else if (!supported.includes(value)) this.notSupported(field, value, supported);
  }

  /** A number that is there is at least 0. */
  nonNegative(field: string, value: number | undefined): void {
    if (value !== undefined && value < 0) this.invalid(field, value, "must be greater than or equal to 0");
  }

  #at(field: string): Path {
    return field === "" ? this.path : this.path.child(field);
  }
}

/** A sentence about a place, as warnings have it. */
export function about(path: Path, text: string): string {
  return `${path.toString()}: ${text}`;
}

const zero = parseQuantity("0");
// Nearly all quantities look like this, and these are not negative.
const plain = /^\d{1,15}[a-zA-Z]{0,2}$/;

/** -1, 0 or 1. */
export function signOf(quantity: string): -1 | 0 | 1 {
  if (plain.test(quantity)) return /[1-9]/.test(quantity) ? 1 : 0;
  return compareQuantities(parseQuantity(quantity), zero);
}

/** Order of two quantities in text. */
export function compareAmounts(a: string, b: string): -1 | 0 | 1 {
  return a === b ? 0 : compareQuantities(parseQuantity(a), parseQuantity(b));
}

/** A whole number of ones. */
export function isWhole(quantity: Quantity): boolean {
  return quantity.scale >= 0 || quantity.value % 10n ** BigInt(-quantity.scale) === 0n;
}
