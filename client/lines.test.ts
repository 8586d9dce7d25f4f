import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { readLines, readText } from "./lines.ts";

async function* inPieces(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  for (const size of sizes) {
    if (at >= bytes.length) return;
    yield bytes.subarray(at, at + size);
    at += size;
  }
  if (at < bytes.length) yield bytes.subarray(at);
}

const texts = fc.array(
  fc.string({ unit: "grapheme", maxLength: 20 }).map((line) => line.replaceAll("\n", "")),
  { maxLength: 10 },
);
const sizes = fc.array(fc.integer({ min: 1, max: 7 }));

test("readLines() gives each whole line once, however the body is cut", async () => {
  await fc.assert(
    fc.asyncProperty(texts, sizes, fc.string({ maxLength: 5 }), async (lines, cuts, rest) => {
      const body = inPieces(lines.map((line) => `${line}\n`).join("") + rest.replaceAll("\n", ""), cuts);
      const found: string[] = [];
      for await (const some of readLines(body)) found.push(...some);
      assert.deepEqual(
        found,
        lines.filter((line) => line !== ""),
      );
    }),
  );
});

test("readText() gives the body, however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), sizes, async (text, cuts) => {
      assert.equal(await readText(inPieces(text, cuts)), text);
    }),
  );
});
