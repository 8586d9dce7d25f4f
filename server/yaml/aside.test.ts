import assert from "node:assert/strict";
import { test } from "node:test";
import { DepthExceeded } from "@atoll/machinery/json/json";
import { parseYamlAside, YamlRefused } from "./aside.ts";

const many = Array.from({ length: 20_000 }, (_, i) => `key${i}: ${i}`).join("\n");

test("parseYamlAside() reads small and large texts alike", async () => {
  const tail = "\nbig: 9007199254740993\n__proto__: {x: 1}\nsame: 1\nsame: 2\n";
  for (const head of ["", many]) {
    const { value, duplicates } = await parseYamlAside(head + tail, 100);
    const read = value as Record<string, unknown>;
    assert.equal(read["big"], 9007199254740993n);
    assert.ok(Object.hasOwn(read, "__proto__"));
    assert.equal(duplicates.length, 1);
    assert.match(duplicates[0] ?? "", /^line \d+: key "same" already set in map$/);
  }
});

test("parseYamlAside() reads JSON without the YAML parser", async () => {
  assert.deepEqual(await parseYamlAside('{"a":{"b":9007199254740993}}', 10), {
    value: { a: { b: 9007199254740993n } },
    duplicates: [],
  });
  assert.deepEqual((await parseYamlAside("{a: yes}", 10)).value, { a: true });
});

test("parseYamlAside() refuses small and large texts alike", async () => {
  for (const head of ["", many]) {
    await assert.rejects(parseYamlAside(`${head}\na: hunter2: c`, 100), (error) => {
      return error instanceof YamlRefused && !error.message.includes("hunter2");
    });
    await assert.rejects(parseYamlAside(`${head}\na: {b: {c: {d: 1}}}`, 3), DepthExceeded);
  }
});

test("a large text leaves the event loop to others", async () => {
  const parsed = parseYamlAside(`${many}\n`.repeat(3), 100);
  let turns = 0;
  let done = false;
  void parsed.finally(() => (done = true)).catch(() => undefined);
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  await parsed;
  assert.ok(turns > 100, `${turns} turns`);
});
