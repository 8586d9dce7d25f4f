/** An object as people write it: every field may be left out, the server fills in the rest. */
export type Draft<T> = T extends readonly (infer Item)[]
  ? Draft<Item>[]
  : T extends object
    ? { [Field in keyof T]?: Draft<T[Field]> }
    : T;
