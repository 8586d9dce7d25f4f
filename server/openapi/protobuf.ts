/**
 * The document of /openapi/v2 in protobuf. kubectl asks for it in no other form, and asks when it is given a List.
 * Source: google/gnostic, openapiv2/OpenAPIv2.proto (messages and numbers); k8s.io/kube-openapi/pkg/handler
 */
import type { Document } from "./dialect.ts";

/** Writes one field: nothing for a value that is its type's zero. */
type Field = (number: number, value: unknown) => readonly Buffer[];

/** Fields of a message by their names in JSON; keys that begin with `x-` are its extensions. */
interface Shape {
  readonly fields: Readonly<Record<string, readonly [number, Field]>>;
  readonly extensions?: number;
}

const [varintType, doubleType, bytesType] = [0, 1, 2];

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

const key = (number: number, type: number): Buffer => varint(number * 8 + type);

function bytes(number: number, content: Buffer): readonly Buffer[] {
  return [key(number, bytesType), varint(content.length), content];
}

const text: Field = (number, value) => (value === "" ? [] : bytes(number, Buffer.from(String(value))));
const flag: Field = (number, value) => (value === true ? [key(number, varintType), varint(1)] : []);
const count: Field = (number, value) => [key(number, varintType), varint(Number(value))];

const double: Field = (number, value) => {
  const content = Buffer.alloc(8);
  content.writeDoubleLE(Number(value));
  return [key(number, doubleType), content];
};

/** A value of any type, as YAML, of which JSON is a part. */
const any: Field = (number, value) => bytes(number, Buffer.concat(text(2, JSON.stringify(value))));

const many =
  (field: Field): Field =>
  (number, value) =>
    (Array.isArray(value) ? value : [value]).flatMap((each) => field(number, each));

const message =
  (shape: () => Shape): Field =>
  (number, value) =>
    bytes(number, encode(shape(), value as Document));

/** A message around another one: a choice, of which JSON says nothing. */
const within =
  (inner: number, field: Field): Field =>
  (number, value) =>
    bytes(number, Buffer.concat(field(inner, value)));

/** A map as a message of pairs. */
const named =
  (field: Field): Field =>
  (number, value) =>
    bytes(number, Buffer.concat(pairs(1, value, field)));

function pairs(number: number, value: unknown, field: Field): Buffer[] {
  return Object.entries(value as Document).flatMap(([name, each]) =>
    bytes(number, Buffer.concat([...text(1, name), ...field(2, each)])),
  );
}

function encode({ fields, extensions }: Shape, value: Document): Buffer {
  const parts: Buffer[] = [];
  for (const [name, each] of Object.entries(value)) {
    const known = fields[name];
    if (known !== undefined) parts.push(...known[1](known[0], each));
    else if (extensions !== undefined && name.startsWith("x-")) parts.push(...pairs(extensions, { [name]: each }, any));
  }
  return Buffer.concat(parts);
}

const texts = many(text);

const schema: Shape = {
  extensions: 31,
  fields: {
    $ref: [1, text],
    format: [2, text],
    title: [3, text],
    description: [4, text],
    default: [5, any],
    multipleOf: [6, double],
    maximum: [7, double],
    exclusiveMaximum: [8, flag],
    minimum: [9, double],
    exclusiveMinimum: [10, flag],
    maxLength: [11, count],
    minLength: [12, count],
    pattern: [13, text],
    maxItems: [14, count],
    minItems: [15, count],
    uniqueItems: [16, flag],
    maxProperties: [17, count],
    minProperties: [18, count],
    required: [19, texts],
    enum: [20, many(any)],
    additionalProperties: [
      21,
      (number, value) =>
        typeof value === "boolean" ? bytes(number, Buffer.concat(flag(2, value))) : within(1, aSchema)(number, value),
    ],
    type: [22, within(1, texts)],
    items: [
      23,
      within(
        1,
        many((number, value) => aSchema(number, value)),
      ),
    ],
    allOf: [24, many((number, value) => aSchema(number, value))],
    properties: [25, named((number, value) => aSchema(number, value))],
    example: [30, any],
  },
};

const aSchema: Field = message(() => schema);

const described = { required: [1, flag], in: [2, text], description: [3, text], name: [4, text] } as const;
const pathParameter: Shape = {
  extensions: 22,
  fields: { ...described, type: [5, text], format: [6, text], uniqueItems: [19, flag] },
};
const queryParameter: Shape = {
  extensions: 23,
  fields: { ...described, type: [6, text], format: [7, text], uniqueItems: [20, flag] },
};
const bodyParameter: Shape = {
  extensions: 6,
  fields: { description: [1, text], name: [2, text], in: [3, text], required: [4, flag], schema: [5, aSchema] },
};

/** Parameters are of several messages, by where they stand. */
const parameter: Field = (number, value) => {
  const { in: place } = value as { in?: string };
  if (place === "body")
    return within(
      1,
      within(
        1,
        message(() => bodyParameter),
      ),
    )(number, value);
  const ofPath = place === "path";
  const shape = message(() => (ofPath ? pathParameter : queryParameter));
  return within(1, within(2, within(ofPath ? 4 : 3, shape)))(number, value);
};

const response: Shape = {
  extensions: 5,
  fields: { description: [1, text], schema: [2, within(1, aSchema)] },
};

const security: Field = many((number, value) =>
  bytes(
    number,
    Buffer.concat(
      pairs(
        1,
        value,
        message(() => strings),
      ),
    ),
  ),
);
const strings: Shape = { fields: {} };

const operation: Shape = {
  extensions: 13,
  fields: {
    tags: [1, texts],
    summary: [2, text],
    description: [3, text],
    operationId: [5, text],
    produces: [6, texts],
    consumes: [7, texts],
    parameters: [8, many(parameter)],
    responses: [
      9,
      named(
        within(
          1,
          message(() => response),
        ),
      ),
    ],
    schemes: [10, texts],
    deprecated: [11, flag],
    security: [12, security],
  },
};

const anOperation: Field = message(() => operation);

const pathItem: Shape = {
  extensions: 10,
  fields: {
    get: [2, anOperation],
    put: [3, anOperation],
    post: [4, anOperation],
    delete: [5, anOperation],
    options: [6, anOperation],
    head: [7, anOperation],
    patch: [8, anOperation],
    parameters: [9, many(parameter)],
  },
};

const info: Shape = { extensions: 7, fields: { title: [1, text], version: [2, text], description: [3, text] } };
const apiKey: Shape = {
  extensions: 5,
  fields: { type: [1, text], name: [2, text], in: [3, text], description: [4, text] },
};

const document: Shape = {
  extensions: 16,
  fields: {
    swagger: [1, text],
    info: [2, message(() => info)],
    consumes: [6, texts],
    produces: [7, texts],
    paths: [
      8,
      (number, value) =>
        bytes(
          number,
          Buffer.concat(
            pairs(
              2,
              value,
              message(() => pathItem),
            ),
          ),
        ),
    ],
    definitions: [9, named(aSchema)],
    security: [12, security],
    securityDefinitions: [
      13,
      named(
        within(
          2,
          message(() => apiKey),
        ),
      ),
    ],
  },
};

/** The media type of the form, as clients ask for it and as it is told; old ones write `@` for the last dot but one. */
export const protobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/** A document of OpenAPI 2 in protobuf. Keywords that ours never have are left out. */
export function encodeOpenApi2(value: Document): Buffer {
  return encode(document, value);
}
