/**
 * What an environment declares: the type of a variable, how big its data can get, and how JSON becomes values.
 * Source: k8s.io/apiserver/pkg/cel (DeclType)
 */
import type { CelType } from "./types.ts";
import type { Value } from "./values.ts";

/** The type of a variable or of a part of it. */
export interface Declaration {
  readonly type: CelType;
  /**
   * The most elements a value can have: bytes of a string, items of a list, entries of a map. 0 for scalars and
   * objects, Infinity when nothing bounds it.
   */
  readonly maxElements: number;
  /** Nothing is known of its size: maxElements says nothing. */
  readonly unsized?: boolean;
  /** The fewest bytes a value takes as JSON. */
  readonly minSerializedSize: number;
  /** Fields of an object, by the escaped name that expressions use. */
  readonly fields?: ReadonlyMap<string, Declaration>;
  /** Keys of a map. */
  readonly key?: Declaration;
  /** Values of a map, items of a list. */
  readonly element?: Declaration;
  /** Makes a value of JSON, at the surface only; CelError when it does not fit the schema. */
  readonly adapt: (json: unknown) => Value;
}
