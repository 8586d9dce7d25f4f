/**
 * Field paths and the errors found at them, in the words kubectl users know.
 * Source: k8s.io/apimachinery/pkg/util/validation/field
 */
import { stringifyJson } from "./json/json.ts";
import type { StatusCause } from "./status.ts";

/**
 * A position in an object. Paths are made on the way down and spelled only when an error needs one,
 * so a valid object pays for no strings.
 */
export class Path {
  readonly #parent: Path | undefined;
  readonly #step: string | number;
  readonly #key: boolean;

  private constructor(parent: Path | undefined, step: string | number, key: boolean) {
    this.#parent = parent;
    this.#step = step;
    this.#key = key;
  }

  /** The object itself; its spelling is empty. */
  static readonly root: Path = new Path(undefined, "", false);

  /** A path of the given field names, from the object. */
  static of(...names: readonly string[]): Path {
    return names.reduce<Path>((path, name) => path.child(name), Path.root);
  }

  /** `.name` */
  child(name: string): Path {
    return new Path(this, name, false);
  }

  /** `[i]`, 0-based */
  index(i: number): Path {
    return new Path(this, i, false);
  }

  /** `[key]` of a map */
  key(key: string): Path {
    return new Path(this, key, true);
  }

  toString(): string {
    const before = this.#parent === undefined ? "" : this.#parent.toString();
    if (this.#parent === undefined) return "";
    if (typeof this.#step === "number" || this.#key) return `${before}[${this.#step}]`;
    return before === "" ? this.#step : `${before}.${this.#step}`;
  }
}

/** Kinds of field errors: the Kubernetes cause and the words that open the message. */
const words = {
  FieldValueRequired: "Required value",
  FieldValueInvalid: "Invalid value",
  FieldValueTypeInvalid: "Invalid value",
  FieldValueDuplicate: "Duplicate value",
  FieldValueForbidden: "Forbidden",
  FieldValueNotSupported: "Unsupported value",
  FieldValueTooLong: "Too long",
  FieldValueTooMany: "Too many",
  FieldValueNotFound: "Not found",
  InternalError: "Internal error",
} as const;

/** The causes that field validation reports. */
export type FieldReason = keyof typeof words;

const shownWithValue: ReadonlySet<FieldReason> = new Set([
  "FieldValueInvalid",
  "FieldValueTypeInvalid",
  "FieldValueDuplicate",
  "FieldValueNotSupported",
  "FieldValueNotFound",
]);

const tooLongToShow = 512;

/** As a value: the message does not show it. */
export const omitted: unique symbol = Symbol("omitted");

function spell(value: unknown): string {
  const text = stringifyJson(value ?? null);
  return text.length > tooLongToShow ? `${text.slice(0, tooLongToShow)}…` : text;
}

/** One error at one field. */
export interface FieldError extends StatusCause {
  readonly reason: FieldReason;
  readonly field: string;
}

/** Collects the errors of one validation, in the order found. */
export class FieldErrors {
  readonly list: FieldError[] = [];

  /** Adds an error; `value` is shown for the reasons that quote it. */
  add(reason: FieldReason, path: Path | string, value: unknown, detail: string): void {
    const shown = shownWithValue.has(reason) && value !== omitted;
    const opening = shown ? `${words[reason]}: ${spell(value)}` : words[reason];
    const message = detail === "" ? opening : `${opening}: ${detail}`;
    this.list.push({ reason, message, field: path.toString() });
  }

  required(path: Path, detail = ""): void {
    this.add("FieldValueRequired", path, undefined, detail);
  }

  invalid(path: Path, value: unknown, detail: string): void {
    this.add("FieldValueInvalid", path, value, detail);
  }

  duplicate(path: Path, value: unknown): void {
    this.add("FieldValueDuplicate", path, value, "");
  }

  forbidden(path: Path, detail: string): void {
    this.add("FieldValueForbidden", path, undefined, detail);
  }

  /** `supported` is listed sorted, as Kubernetes lists it. */
  notSupported(path: Path, value: unknown, supported: readonly string[]): void {
    const choices = [...supported].sort().map((choice) => JSON.stringify(choice));
    this.add("FieldValueNotSupported", path, value, `supported values: ${choices.join(", ")}`);
  }

  tooLong(path: Path, maxLength: number): void {
    this.add(
      "FieldValueTooLong",
      path,
      undefined,
      `may not be more than ${maxLength} ${maxLength === 1 ? "byte" : "bytes"}`,
    );
  }

  tooMany(path: Path, count: number, max: number): void {
    this.add(
      "FieldValueTooMany",
      path,
      undefined,
      `${count}: must have at most ${max} ${max === 1 ? "item" : "items"}`,
    );
  }

  notFound(path: Path, value: unknown): void {
    this.add("FieldValueNotFound", path, value, "");
  }

  get ok(): boolean {
    return this.list.length === 0;
  }
}
