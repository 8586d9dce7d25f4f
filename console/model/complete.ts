/** What can be written at a cursor, as the server describes its kinds. */
import type { Cursor } from "./cursor.ts";
import { type KindBook, type OpenSchema, typeOf } from "./openapi.ts";

/** One way to go on. */
export interface Offer {
  readonly label: string;
  /** Its type, and whether it must be there. */
  readonly detail: string;
  readonly description: string;
  /** What is written; a value follows at once where `goesOn`. */
  readonly text: string;
  readonly goesOn: boolean;
  readonly isRequired: boolean;
}

const offerOf = (label: string, rest: Partial<Offer> = {}): Offer => ({
  label,
  detail: "",
  description: "",
  text: label,
  goesOn: false,
  isRequired: false,
  ...rest,
});

/** @throws {CallFailed} the server does not say */
export async function offersAt(cursor: Cursor, book: KindBook): Promise<readonly Offer[]> {
  const { apiVersion, kind, path, writes, beside } = cursor;
  if (writes === "value" && path.length === 1) {
    if (path[0] === "apiVersion") return (await book.apiVersions()).map((each) => offerOf(each));
    if (path[0] === "kind") return (await book.kinds(apiVersion)).map((each) => offerOf(each));
  }
  const schema = await book.at(apiVersion, kind, path);
  if (schema === undefined) return path.length === 0 && writes === "key" ? headOf(beside) : [];
  if (writes === "value" || schema.properties === undefined) return valuesOf(schema);
  const { properties, required = [] } = schema;
  return Promise.all(
    Object.keys(properties)
      .filter((name) => !beside.includes(name))
      .map(async (name) => {
        const field = (await book.at(apiVersion, kind, [...path, name])) ?? {};
        return keyOf(name, field, required.includes(name), cursor.column);
      }),
  );
}

/** Of an object whose kind is not told yet. */
const headOf = (beside: readonly string[]): readonly Offer[] =>
  ["apiVersion", "kind"]
    .filter((name) => !beside.includes(name))
    .map((name) => offerOf(name, { detail: "string, required", text: `${name}: `, goesOn: true, isRequired: true }));

function keyOf(name: string, schema: OpenSchema, isRequired: boolean, column: number | undefined): Offer {
  const type = typeOf(schema);
  return offerOf(name, {
    detail: isRequired ? `${type}, required` : type,
    description: schema.description ?? "",
    text: `${name}:${opening(schema, column)}`,
    goesOn: valuesOf(schema).length > 0,
    isRequired,
  });
}

/** What stands between a key and its value: in block style what is a map or a list begins on a line of its own. */
function opening(schema: OpenSchema, column: number | undefined): string {
  if (column === undefined) return " ";
  const margin = " ".repeat(column + 2);
  if (schema.type === "array") return `\n${margin}- `;
  const isMap = schema.properties !== undefined || typeof schema.additionalProperties === "object";
  return isMap ? `\n${margin}` : " ";
}

function valuesOf(schema: OpenSchema): readonly Offer[] {
  const values = schema.type === "boolean" ? [true, false] : (schema.enum ?? []);
  return values.map((value) =>
    offerOf(String(value), {
      detail: value === schema.default ? "when nothing is said" : "",
      // What is text and would be read as something else is quoted.
      text:
        typeof value === "string" && /^(|true|false|null|[\d.]+)$/.test(value) ? JSON.stringify(value) : String(value),
    }),
  );
}
