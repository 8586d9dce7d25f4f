import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import type { LogRecord } from "@atoll/crx/channel/stream";
import fc from "fast-check";
import { LogKeeper, type LogSource } from "./keeper.ts";
import { LineMaker, longestLine, parseLine, spellTime } from "./lines.ts";
import { type LogWish, readLog } from "./reader.ts";
import { tailText } from "./tail.ts";

const header = 12n;

/** Records as a guest sends them, from an offset on; ends, or breaks off, after the last. */
function source(texts: readonly string[], options: { from?: bigint; breakOff?: boolean } = {}) {
  const acknowledged: bigint[] = [];
  let end = 0n;
  const records = texts.map((text, index): LogRecord => {
    end += header + BigInt(Buffer.byteLength(text));
    const isError = text.startsWith("E");
    return {
      timeNs: BigInt(index) * 1_000_000_000n,
      source: isError ? "errors" : "output",
      bytes: Buffer.from(text),
      end,
    };
  });
  const log: LogSource = {
    acknowledge: (offset) => acknowledged.push(offset),
    async *[Symbol.asyncIterator]() {
      for (const record of records) {
        if (record.end <= (options.from ?? 0n)) continue;
        await Promise.resolve();
        yield record;
      }
      if (options.breakOff === true) throw new Error("the channel was cut");
    },
  };
  return { log, acknowledged, end };
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "atoll-logs-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function shown(folder: string, wish: LogWish = {}): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of readLog({ folder, run: 0 }, wish)) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

test("spellTime() has nine digits of a second", () => {
  assert.equal(spellTime(1_700_000_000_123_456_789n), "2023-11-14T22:13:20.123456789Z");
  assert.equal(spellTime(1_700_000_000_000_000_001n), "2023-11-14T22:13:20.000000001Z");
});

test("LineMaker: whatever the pieces, the lines are those of the whole", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 40 })), fc.array(fc.nat(20)), (lines, cuts) => {
      const clean = lines.map((line) => line.replaceAll("\n", ""));
      let rest = Buffer.from(clean.map((line) => `${line}\n`).join(""));
      const maker = new LineMaker("stdout");
      const out: Buffer[] = [];
      for (const cut of cuts) {
        maker.take(rest.subarray(0, cut), 0n, out);
        rest = rest.subarray(cut);
      }
      maker.take(rest, 0n, out);
      const made = Buffer.concat(out).toString("utf8").split("\n").slice(0, -1);
      const texts = made.map((line) => parseLine(Buffer.from(line))?.text.toString("utf8"));
      assert.deepEqual(texts, clean);
    }),
  );
});

test("a line that is too long is broken and put together again", async () => {
  await inFolder(async (folder) => {
    const long = "x".repeat(longestLine * 2 + 5);
    const keeper = await LogKeeper.open(folder, 0);
    await keeper.keep(source([`${long}\n`, "short\n"]).log);
    assert.equal(await shown(folder), `${long}\nshort\n`);
    const [first = ""] = (await readFile(join(folder, "0.log"), "utf8")).split("\n");
    assert.match(first.slice(0, 50), / stdout P xxx/);
  });
});

test("what was acknowledged is in the file, and nothing is doubled, wherever a keeper is killed", async () => {
  const texts = ["one\n", "two ", "E err", "and a half\nthree\n", "or\n", "last"];
  await inFolder(async (folder) => {
    for (let broken = 0; broken <= texts.length; broken++) {
      const own = join(folder, String(broken));
      await mkdir(own);
      const first = await LogKeeper.open(own, 0);
      await assert.rejects(first.keep(source(texts.slice(0, broken), { breakOff: true }).log), /cut/);
      const second = await LogKeeper.open(own, 0);
      const { log, acknowledged, end } = source(texts, { from: second.offset });
      await second.keep(log);
      const sorted = (text: string) => text.split("\n").sort();
      assert.deepEqual(
        sorted(await shown(own)),
        sorted("one\ntwo and a half\nthree\nE err\nor\nlast\n"),
        `killed after ${broken}`,
      );
      assert.equal(second.offset, end);
      assert.ok(acknowledged.every((offset) => offset <= end));
    }
  });
});

test("what was written without its mark is written again", async () => {
  await inFolder(async (folder) => {
    const keeper = await LogKeeper.open(folder, 0);
    await assert.rejects(keeper.keep(source(["one\n", "two\n"], { breakOff: true }).log));
    // As if the process had been killed between the two writes: the file is longer than the mark says.
    await truncate(join(folder, "0.log"), 4096);
    const next = await LogKeeper.open(folder, 0);
    await next.keep(source(["one\n", "two\n", "three\n"], { from: next.offset }).log);
    assert.equal(await shown(folder), "one\ntwo\nthree\n");
  });
});

test("a log is rotated and capped", async () => {
  await inFolder(async (folder) => {
    const keeper = await LogKeeper.open(folder, 0, { fileBytes: 1000, files: 3 });
    const lines = Array.from({ length: 200 }, (_, index) => `line ${index}\n`);
    const slow: LogSource = {
      acknowledge: () => undefined,
      async *[Symbol.asyncIterator]() {
        let end = 0n;
        for (const line of lines) {
          end += header + BigInt(line.length);
          yield { timeNs: 0n, source: "output", bytes: Buffer.from(line), end } satisfies LogRecord;
          await new Promise((resolve) => keeper.onWrite(() => resolve(undefined)));
        }
      },
    };
    await keeper.keep(slow);
    const names = (await readdir(folder)).sort();
    assert.deepEqual(names, ["0.log", "0.log.1", "0.log.2", "0.mark"]);
    const text = await shown(folder);
    assert.match(text, /line 199\n$/);
    assert.ok(text.length < 3000);
  });
});

test("readLog() shows the end, a part, since a moment, with times, one stream", async () => {
  await inFolder(async (folder) => {
    const keeper = await LogKeeper.open(folder, 0);
    await keeper.keep(source(["a\n", "b\n", "E c\n", "d\n"]).log);
    assert.equal(await shown(folder, { tailLines: 2 }), "E c\nd\n");
    assert.equal(await shown(folder, { tailLines: 0 }), "");
    assert.equal(await shown(folder, { tailLines: 100 }), "a\nb\nE c\nd\n");
    assert.equal(await shown(folder, { limitBytes: 3 }), "a\nb");
    assert.equal(await shown(folder, { sinceMs: 2000 }), "E c\nd\n");
    assert.equal(await shown(folder, { stream: "stderr" }), "E c\n");
    assert.equal(await shown(folder, { tailLines: 1, timestamps: true }), "1970-01-01T00:00:03.000000000Z d\n");
    assert.equal(await tailText(folder, 0), "a\nb\nE c\nd\n");
    assert.equal(await tailText(folder, 7), "");
  });
});

test("readLog() follows a run to its end", async () => {
  await inFolder(async (folder) => {
    const keeper = await LogKeeper.open(folder, 0);
    const gate = Promise.withResolvers<void>();
    const slow: LogSource = {
      acknowledge: () => undefined,
      async *[Symbol.asyncIterator]() {
        yield { timeNs: 0n, source: "output", bytes: Buffer.from("first\n"), end: 18n } satisfies LogRecord;
        await gate.promise;
        yield { timeNs: 0n, source: "output", bytes: Buffer.from("second\nthird"), end: 42n } satisfies LogRecord;
      },
    };
    const keeping = keeper.keep(slow);
    let text = "";
    for await (const part of readLog({ folder, run: 0 }, { follow: true }, keeper)) {
      text += part.toString("utf8");
      if (text === "first\n") gate.resolve();
    }
    await keeping;
    assert.equal(text, "first\nsecond\nthird\n");
  });
});
