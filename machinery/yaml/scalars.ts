/**
 * What a plain YAML scalar means to kubectl and upstream's server: YAML 1.1 as go-yaml 2 reads it.
 * `yes` is true, `0644` is 420, `1_000` is 1000; dates stay text.
 * Source: gopkg.in/yaml.v2 (resolve.go), sigs.k8s.io/yaml
 */

/** A scalar that cannot be JSON: infinities, NaN, a tag its text does not fit. */
export class YamlValueError extends Error {
  override readonly name = "YamlValueError";
}

function table(entries: readonly (readonly [string, unknown])[]): ReadonlyMap<string, unknown> {
  return new Map(entries.flatMap(([words, value]) => words.split(" ").map((word) => [word, value] as const)));
}

const words = table([
  ["y Y yes Yes YES true True TRUE on On ON", true],
  ["n N no No NO false False FALSE off Off OFF", false],
  [" ~ null Null NULL", null],
  [".nan .NaN .NAN", Number.NaN],
  [".inf .Inf .INF +.inf +.Inf +.INF", Number.POSITIVE_INFINITY],
  ["-.inf -.Inf -.INF", Number.NEGATIVE_INFINITY],
]);

const float = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/;
const integer = /^([-+]?)(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9]\d*))$/;
const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

/** An integer as JSON's parser would give it: a number while exact, BigInt within 64 bits, a double beyond. */
function whole(value: bigint): number | bigint {
  if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) return Number(value);
  return value >= minInt64 && value <= maxInt64 ? value : Number(value);
}

function readInteger(text: string): number | bigint | undefined {
  const match = integer.exec(text);
  if (match === null) return undefined;
  const [, sign, hex, binary, octal, decimal] = match;
  const prefixed = [hex && `0x${hex}`, binary && `0b${binary}`, octal && `0o${octal}`, decimal].find(Boolean) ?? "0";
  const value = BigInt(prefixed);
  return whole(sign === "-" ? -value : value);
}

function readNumber(text: string): number | bigint | undefined {
  if (!/^[-+.\d]/.test(text)) return undefined;
  const plain = text.startsWith(".") ? text : text.replaceAll("_", "");
  const exact = readInteger(plain);
  if (exact !== undefined) return exact;
  return float.test(plain) ? Number(plain) : undefined;
}

function resolve(text: string): unknown {
  const word = words.get(text);
  if (word !== undefined) return word;
  return readNumber(text) ?? text;
}

const typeOfTag: Readonly<Record<string, (value: unknown) => boolean>> = {
  "tag:yaml.org,2002:bool": (value) => typeof value === "boolean",
  "tag:yaml.org,2002:int": (value) => typeof value === "bigint" || Number.isInteger(value),
  "tag:yaml.org,2002:float": (value) => typeof value === "number" || typeof value === "bigint",
  "tag:yaml.org,2002:null": (value) => value === null,
};

/** Base64 text as the bytes' characters, read as UTF-8. */
function binary(text: string): string {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll(/\s/g, "")), (char) => char.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch (cause) {
    throw new YamlValueError("!!binary value contains invalid base64 data", { cause });
  }
}

/**
 * The value of a scalar.
 * @param plain it is not quoted
 * @param tag as `tag:yaml.org,2002:int`; undefined when it has none
 * @throws {YamlValueError}
 */
export function scalarValue(text: string, plain: boolean, tag: string | undefined): unknown {
  if (tag === "tag:yaml.org,2002:binary") return binary(text);
  const fits = typeOfTag[tag ?? ""];
  if (fits === undefined && (tag !== undefined || !plain)) return text;
  const value = resolve(text);
  if (fits !== undefined && !fits(value)) throw new YamlValueError(`a value does not fit its tag ${tag}`);
  if (typeof value === "number" && !Number.isFinite(value)) throw new YamlValueError("a number is not finite");
  return value;
}
