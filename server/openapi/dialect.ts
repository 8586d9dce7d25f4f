/** Where OpenAPI 2 and 3 differ for us. */

/** Any part of a document. */
export type Document = { readonly [key: string]: unknown };

/** A version of OpenAPI. */
export interface Dialect {
  readonly version: 2 | 3;
  /** A reference to a definition. */
  ref(name: string): Document;
  /** A reference that has other keywords beside it. */
  refWith(name: string, keywords: Document): Document;
}

/** OpenAPI 2: keywords may stand beside a reference; defaults are not told. */
export const openApi2: Dialect = {
  version: 2,
  ref: (name) => ({ $ref: `#/definitions/${name}` }),
  refWith: (name, { default: _, ...keywords }) => ({ ...keywords, $ref: `#/definitions/${name}` }),
};

/** OpenAPI 3.0: a reference stands alone, so it is wrapped. */
export const openApi3: Dialect = {
  version: 3,
  ref: (name) => ({ $ref: `#/components/schemas/${name}` }),
  refWith(name, keywords) {
    if (Object.keys(keywords).length === 0) return openApi3.ref(name);
    return { allOf: [openApi3.ref(name)], ...keywords };
  },
};
