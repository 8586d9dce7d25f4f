import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Expr, LiteralValue } from "./ast.ts";
import { callOf, identOf, literalOf, operators } from "./ast.ts";
import { Compiler, declareDynamic, toJson } from "./index.ts";
import { compareNumbers, compareStrings } from "./equality.ts";
import { parse } from "./parser.ts";
import { countCodePoints, Issues } from "./source.ts";
import { parseDateTime, parseDuration, parseTimestamp, spellDuration, spellTimestamp } from "./time.ts";
import { Duration, Timestamp, Uint } from "./values.ts";

const compiler = new Compiler();

function evaluate(expression: string, self: unknown = null) {
  const { program, message } = {
    message: "",
    ...compiler.compile(expression, { variables: { self: declareDynamic() } }),
  };
  assert.ok(program, message);
  return program.evaluate({ self });
}

// ---- parse and print

const names = fc.constantFrom("a", "b", "self", "item", "_x", "w1");
const literals: fc.Arbitrary<LiteralValue> = fc.oneof(
  fc.constantFrom(null, true, false),
  fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => new Uint(value)),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }).filter((value) => !Object.is(value, -0)),
  fc.string({ unit: "grapheme" }),
  fc.uint8Array({ maxLength: 4 }),
);

const binary = Object.entries(operators).filter(([text]) => text !== "&&" && text !== "||");

const { expr: expressions } = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      names.map((name) => identOf(0, name)),
      literals.map((value) => literalOf(0, value)),
    ),
    fc
      .record({ name: fc.constantFrom(...binary.map(([, name]) => name)), a: tie("expr"), b: tie("expr") })
      .map(({ name, a, b }) => callOf(0, name, a, b)),
    fc.record({ a: tie("expr"), b: tie("expr"), c: tie("expr") }).map(({ a, b, c }) => callOf(0, "_?_:_", a, b, c)),
    fc.record({ name: fc.constantFrom("!_", "-_"), a: tie("expr") }).map(({ name, a }) => callOf(0, name, a)),
    fc.record({ a: tie("expr"), b: tie("expr") }).map(({ a, b }) => callOf(0, "_[_]", a, b)),
    fc
      .record({ operand: tie("expr"), field: names })
      .map(({ operand, field }): Expr => ({ kind: "select", offset: 0, operand, field, testOnly: false })),
    fc
      .record({
        target: fc.option(tie("expr"), { nil: undefined }),
        name: names,
        args: fc.array(tie("expr"), { maxLength: 3 }),
      })
      .map(({ target, name, args }): Expr => ({ kind: "call", offset: 0, target, name, args })),
    fc
      .array(fc.record({ value: tie("expr"), optional: fc.boolean() }), { maxLength: 3 })
      .map((elements): Expr => ({ kind: "list", offset: 0, elements })),
    fc
      .array(fc.record({ key: tie("expr"), value: tie("expr"), optional: fc.boolean() }), { maxLength: 3 })
      .map((entries): Expr => ({ kind: "map", offset: 0, entries: entries.map((entry) => ({ ...entry, offset: 0 })) })),
  ),
}));

function printLiteral(value: LiteralValue): string {
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Uint8Array)
    return `b"${Array.from(value, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}"`;
  if (typeof value === "number") return /[.e]/.test(String(value)) ? String(value) : `${value}.0`;
  if (typeof value !== "string") return String(value);
  const escaped = Array.from(value, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 0x20 || code > 0x7e || '"\\'.includes(char) ? `\\U${code.toString(16).padStart(8, "0")}` : char;
  });
  return `"${escaped.join("")}"`;
}

const symbols = new Map<string, string>(binary.map(([text, name]) => [name, text]));

function printCall(name: string, target: Expr | undefined, args: readonly Expr[]): string {
  const [a = "", b = "", c = ""] = args.map((arg) => print(arg));
  if (name === "_?_:_") return `(${a} ? ${b} : ${c})`;
  if (name === "_[_]") return `${a}[${b}]`;
  if (name === "!_" || name === "-_") return `(${name.charAt(0)}(${a}))`;
  const symbol = symbols.get(name);
  if (symbol !== undefined) return `(${a} ${symbol} ${b})`;
  return `${target === undefined ? "" : `${print(target)}.`}${name}(${args.map((arg) => print(arg)).join(", ")})`;
}

/** Text of an expression; parentheses around everything that needs them and more. */
function print(expr: Expr): string {
  switch (expr.kind) {
    case "literal":
      return `(${printLiteral(expr.value)})`;
    case "ident":
      return expr.name;
    case "select":
      return `${print(expr.operand)}.${expr.field}`;
    case "call":
      return printCall(expr.name, expr.target, expr.args);
    case "list":
      return `[${expr.elements.map(({ value, optional }) => `${optional ? "?" : ""}${print(value)}`).join(", ")}]`;
    case "map":
      return `{${expr.entries.map(({ key, value, optional }) => `${optional ? "?" : ""}${print(key)}: ${print(value)}`).join(", ")}}`;
    default:
      throw new Error(`no spelling for ${expr.kind}`);
  }
}

const withoutOffsets = (expr: Expr): unknown =>
  JSON.parse(
    JSON.stringify(expr, (key, value: unknown) => {
      if (key === "offset") return undefined;
      return typeof value === "bigint" ? `${value}n` : value;
    }),
  );

test("an expression that is printed parses to itself", () => {
  fc.assert(
    fc.property(expressions, (expr) => {
      const issues = new Issues(print(expr));
      const parsed = parse(issues, new Map());
      assert.ok(parsed, JSON.stringify(issues.sorted()));
      assert.deepEqual(withoutOffsets(parsed), withoutOffsets(expr));
    }),
    { numRuns: 500 },
  );
});

// ---- arithmetic

const ints = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -20n, max: 20n }));

const exact: Readonly<Record<string, (a: bigint, b: bigint) => bigint | undefined>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => (b === 0n ? undefined : a / b),
  "%": (a, b) => (b === 0n ? undefined : a % b),
};

test("int arithmetic is exact within 64 bits and an error outside", () => {
  fc.assert(
    fc.property(ints, ints, fc.constantFrom(...Object.keys(exact)), (a, b, operator) => {
      const wanted = exact[operator]?.(a, b);
      const outcome = evaluate(`self.a ${operator} self.b`, { a, b });
      if (wanted === undefined) assert.match(outcome.error?.message ?? "", /by zero$/);
      else if (BigInt.asIntN(64, wanted) !== wanted) assert.equal(outcome.error?.message, "integer overflow");
      else assert.equal(outcome.value, wanted);
    }),
  );
});

test("uint arithmetic is exact within 64 bits and an error outside", () => {
  const uints = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(uints, uints, fc.constantFrom("+", "-", "*"), (a, b, operator) => {
      const wanted = exact[operator]?.(a, b) ?? 0n;
      const outcome = evaluate(`${a}u ${operator} ${b}u`);
      if (wanted < 0n || wanted >= 2n ** 64n) assert.equal(outcome.error?.message, "unsigned integer overflow");
      else assert.deepEqual(outcome.value, new Uint(wanted));
    }),
  );
});

test("numbers of different kinds compare by what they amount to", () => {
  fc.assert(
    fc.property(ints, fc.double({ noNaN: true }), (a, b) => {
      const order = compareNumbers(a, b);
      assert.equal(evaluate("self.a < self.b", { a, b: b + 0.5 === b ? 0.5 : b }).error, undefined);
      assert.equal(compareNumbers(b, a), order === 0 ? 0 : -order);
    }),
  );
});

test("strings compare by code points", () => {
  const points = (text: string): number[] => Array.from(text, (char) => char.codePointAt(0) ?? 0);
  const wanted = (a: number[], b: number[]): number => {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const difference = (a[i] ?? 0) - (b[i] ?? 0);
      if (difference !== 0) return Math.sign(difference);
    }
    return Math.sign(a.length - b.length);
  };
  const any = fc.string({ unit: fc.constantFrom("a", "b", "\ue000", "\uffff", "😀", "𐀀") });
  fc.assert(
    fc.property(any, any, (a, b) => {
      assert.equal(Math.sign(compareStrings(a, b)), wanted(points(a), points(b)));
      assert.equal(countCodePoints(a), points(a).length);
    }),
  );
});

// ---- times

test("a timestamp that is written is read back", () => {
  const nanos = fc.bigInt({ min: -62_135_596_800_000_000_000n, max: 253_402_300_799_999_999_999n });
  fc.assert(
    fc.property(nanos, fc.integer({ min: -14 * 60, max: 14 * 60 }), (value, offset) => {
      const text = spellTimestamp(new Timestamp(value));
      assert.equal(parseTimestamp(text)?.nanos, value);
      assert.equal(parseDateTime(text)?.nanos, value);
      const zoned = spellTimestamp(new Timestamp(value, offset));
      if (/^\d{4}-/.test(zoned)) assert.equal(parseTimestamp(zoned)?.nanos ?? value, value);
    }),
  );
});

test("a duration that is written is read back", () => {
  fc.assert(
    fc.property(ints, (nanos) => assert.equal(parseDuration(spellDuration(new Duration(nanos)))?.nanos, nanos)),
  );
});

test("parts of a timestamp are those of the calendar", () => {
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true, min: new Date(-62e12), max: new Date(253e12) }), (date) => {
      const at = `timestamp('${date.toISOString()}')`;
      const parts = ["getFullYear", "getMonth", "getDate", "getDayOfWeek", "getHours", "getMinutes", "getSeconds"];
      const wanted = [
        date.getUTCFullYear(),
        date.getUTCMonth(),
        date.getUTCDate(),
        date.getUTCDay(),
        date.getUTCHours(),
        date.getUTCMinutes(),
        date.getUTCSeconds(),
      ];
      const { value } = evaluate(`[${parts.map((part) => `${at}.${part}()`).join(", ")}]`);
      assert.deepEqual(toJson(value ?? null), wanted);
    }),
    { numRuns: 50 },
  );
});

// ---- whatever comes in

const fragments = fc.constantFrom(
  ..."self self.a .b ( ) [ ] { } , : ? && || ! - + * / % == < in has( all( .map(x, 'a' \"b\" 1 2u 3.5 null true r'\\' b'x' /**/ // \n\t @ # $ ` \\ é 😀 optional.none() .?c [?0] duration('1h') 0x 1e9 99999999999999999999".split(
    " ",
  ),
);

test("no text makes the compiler or a program throw", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fragments, { maxLength: 14 }).map((parts) => parts.join("")),
  );
  const data = fc.jsonValue();
  fc.assert(
    fc.property(texts, data, (text, self) => {
      const compiled = compiler.compile(text, { variables: { self: declareDynamic() } });
      if (compiled.program === undefined) assert.ok(compiled.message.length > 0);
      else {
        compiled.program.estimateCost();
        assert.ok(compiled.program.evaluate({ self }).cost >= 0);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("an evaluation costs no less than the estimate's minimum and no more than its maximum", () => {
  const data = fc.record({
    l: fc.array(fc.integer(), { maxLength: 5 }),
    s: fc.string({ maxLength: 9 }),
    b: fc.boolean(),
  });
  const texts = fc.constantFrom(
    "self.l.all(x, x > 0 || self.b)",
    "self.l.map(x, x + 1).size() > 2 && self.s.contains('a')",
    "self.b ? self.s + self.s : 'x'",
    "self.s.matches('^a+$') || self.l.exists(x, x in self.l)",
  );
  fc.assert(
    fc.property(texts, data, (text, self) => {
      const { program } = compiler.compile(text, { variables: { self: declareDynamic() } });
      assert.ok(program);
      const { max } = program.estimateCost();
      const { cost } = program.evaluate({ self });
      assert.ok(cost <= max, `${cost} > ${max}`);
    }),
  );
});
