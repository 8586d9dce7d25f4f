/** Values of types that libraries bring, equal by a key. */
import type { CelType } from "./types.ts";
import { CelError, OpaqueValue, type Value } from "./values.ts";

/**
 * A value that stands for some data of a library's own. Two are equal when their keys are; comparing one with
 * anything else is an error, as it is upstream.
 */
export class Boxed<T> extends OpaqueValue {
  override readonly type: CelType & { readonly kind: "opaque" };
  readonly content: T;
  readonly #key: string | undefined;

  /** @param options.key what equality goes by; undefined: never comparable */
  constructor(type: CelType, content: T, options: { readonly key?: string; readonly size?: number } = {}) {
    super(options.size);
    if (type.kind !== "opaque") throw new TypeError("not an opaque type");
    this.type = type;
    this.content = content;
    this.#key = options.key;
  }

  override get typeName(): string {
    return this.type.name;
  }

  override equals(other: Value): boolean | CelError {
    const same = other instanceof Boxed && other.type.name === this.type.name;
    if (!same || this.#key === undefined) return new CelError("no such overload");
    return this.#key === other.#key;
  }
}

/** What a boxed argument holds. The type of the parameter says what that is. */
export const unbox = <T>(value: Value | undefined): T => (value as Boxed<T>).content;
