import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { constants, createDeflate } from "node:zlib";
import fc from "fast-check";
import { eventually } from "@atoll/harness/client";
import { systemClock } from "@atoll/machinery/clock";
import { dictionary } from "./dictionary.ts";
import { SpdyConnection, type SpdyStream } from "./spdy.ts";
import {
  controlFrame,
  controlTypes,
  dataFrame,
  dataFrames,
  finFlag,
  type Frame,
  FrameReader,
  headerBlock,
  NotSpdy,
  numbers,
  readHeaderBlock,
} from "./spdyframes.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((each) => Buffer.from(each));

/** Cuts bytes at the places given. */
function cut(whole: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((from, at) => whole.subarray(from, sorted[at] ?? whole.length));
}

/** Data of one frame that came in pieces, as one again. */
function merged(frames: readonly Frame[]): string[] {
  const out: string[] = [];
  let open = "";
  for (const { type, stream, flags, payload } of frames) {
    if (type !== 0) out.push(`${type} ${stream} ${flags} ${payload.toString("hex")}`);
    else open += payload.toString("hex");
    if (type === 0 && flags === finFlag) {
      out.push(`0 ${stream} ${open}`);
      open = "";
    }
  }
  return out;
}

const frame = fc.oneof(
  fc.record({ type: fc.constant(0), stream: fc.integer({ min: 1, max: 0x7fffffff }), payload: bytes(300) }),
  fc.record({ type: fc.integer({ min: 1, max: 9 }), stream: fc.constant(7), payload: bytes(300) }),
);

test("FrameReader gives the frames that were made, however their bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 30 }), (made, places) => {
      const whole = Buffer.concat(
        made.map(({ type, stream, payload }) =>
          type === 0 ? dataFrame(stream, payload, true) : controlFrame(type, Buffer.concat([numbers(stream), payload])),
        ),
      );
      const expected = made.map(({ type, stream, payload }) =>
        type === 0
          ? `0 ${stream} ${payload.toString("hex")}`
          : `${type} ${stream} 0 ${Buffer.concat([numbers(stream), payload]).toString("hex")}`,
      );
      const reader = new FrameReader();
      const taken = cut(whole, places).flatMap((piece) => [...reader.take(piece)]);
      assert.deepEqual(merged(taken), expected);
    }),
  );
});

test("FrameReader and readHeaderBlock() take any bytes, or say that they are no SPDY", () => {
  fc.assert(
    fc.property(bytes(400), (any) => {
      for (const read of [() => [...new FrameReader().take(any)], () => readHeaderBlock(any)]) {
        try {
          read();
        } catch (error) {
          assert.ok(error instanceof NotSpdy, String(error));
        }
      }
    }),
  );
});

test("readHeaderBlock() reads what headerBlock() wrote", () => {
  const names = fc.stringMatching(/^[a-z-]{1,20}$/);
  fc.assert(
    fc.property(fc.dictionary(names, fc.string({ unit: "grapheme" }), { maxKeys: 20 }), (headers) => {
      assert.deepEqual(Object.fromEntries(readHeaderBlock(headerBlock(headers))), { ...headers });
    }),
  );
});

test("dataFrames() splits what no reader would take at once", () => {
  const big = Buffer.alloc(5_000_000, 3);
  const frames = [...new FrameReader().take(dataFrames(9, big))];
  assert.ok(frames.every(({ stream, payload }) => stream === 9 && payload.length <= 1 << 20));
  assert.ok(Buffer.concat(frames.map(({ payload }) => payload)).equals(big));
});

/** The client's side of a connection, by hand. */
class Client {
  readonly duplex: Duplex;
  readonly said = new Map<number, { bytes: Buffer[]; ended: boolean }>();
  readonly controls: Frame[] = [];
  readonly #deflate = createDeflate({ dictionary, flush: constants.Z_SYNC_FLUSH });

  constructor(duplex: Duplex) {
    this.duplex = duplex;
    const reader = new FrameReader();
    duplex.on("error", () => undefined);
    duplex.on("data", (chunk: Buffer) => {
      for (const each of reader.take(chunk)) this.#take(each);
    });
  }

  #take(each: Frame): void {
    if (each.type !== 0) {
      this.controls.push(each);
      return;
    }
    const said = this.said.get(each.stream) ?? { bytes: [], ended: false };
    said.bytes.push(each.payload);
    said.ended ||= each.flags === finFlag;
    this.said.set(each.stream, said);
  }

  async open(id: number, headers: Readonly<Record<string, string>>): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const collect = (chunk: Buffer) => chunks.push(chunk);
    this.#deflate.on("data", collect);
    await new Promise((resolve) => this.#deflate.write(headerBlock(headers), resolve));
    await new Promise((resolve) => setImmediate(resolve));
    this.#deflate.off("data", collect);
    const head = Buffer.concat([numbers(id, 0), Buffer.alloc(2), ...chunks]);
    return controlFrame(controlTypes.synStream, head);
  }
}

function pair(onStream: (stream: SpdyStream) => void): { client: Client; connection: SpdyConnection } {
  const [near, far] = duplexPair();
  return { client: new Client(near), connection: new SpdyConnection(far, onStream) };
}

test("SpdyConnection carries many streams at once, each whole and in order", async () => {
  const word = fc.record({ stream: fc.nat({ max: 4 }), payload: bytes(2_000) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(word, { maxLength: 40 }),
      fc.array(fc.nat(), { maxLength: 40 }),
      async (words, places) => {
        const seen: string[] = [];
        const { client, connection } = pair((stream) => {
          seen.push(stream.headers.get("name") ?? "");
          void (async () => {
            for await (const chunk of stream) await stream.write(chunk);
            await stream.end();
          })();
        });
        const running = connection.run();
        const ids = [1, 3, 5, 7, 9];
        const opened: Buffer[] = [];
        for (const id of ids) opened.push(await client.open(id, { Name: `stream ${id} ${"x".repeat(id * 50)}` }));
        const frames = words.map(({ stream, payload }) => dataFrame(ids[stream] ?? 1, payload, false));
        const ends = ids.map((id) => dataFrame(id, Buffer.alloc(0), true));
        for (const piece of cut(Buffer.concat([...opened, ...frames, ...ends]), places)) client.duplex.write(piece);
        await eventually("all streams have ended", () => ids.every((id) => client.said.get(id)?.ended === true));
        for (const [at, id] of ids.entries()) {
          const sent = Buffer.concat(words.filter(({ stream }) => stream === at).map(({ payload }) => payload));
          assert.ok(Buffer.concat(client.said.get(id)?.bytes ?? []).equals(sent));
        }
        assert.deepEqual(
          seen,
          ids.map((id) => `stream ${id} ${"x".repeat(id * 50)}`),
        );
        client.duplex.end();
        await running;
      },
    ),
    { numRuns: 30 },
  );
});

test("SpdyConnection survives any bytes, and any bytes after a good beginning", async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), bytes(600), async (begun, any) => {
      const { client, connection } = pair(() => undefined);
      const running = connection.run();
      if (begun) client.duplex.write(await client.open(1, { streamtype: "error" }));
      client.duplex.end(any);
      await running.catch((error: unknown) => assert.ok(error instanceof NotSpdy, String(error)));
    }),
    { numRuns: 200 },
  );
});

test("headers that expand without end are refused", async () => {
  const { client, connection } = pair(() => undefined);
  const running = connection.run();
  client.duplex.write(await client.open(1, { x: "y".repeat(1_000_000) }));
  await assert.rejects(running, NotSpdy);
});

test("what nobody takes holds the client back; a stream that is forgotten does not", async () => {
  const opened: SpdyStream[] = [];
  const { client, connection } = pair((stream) => opened.push(stream));
  const running = connection.run();
  client.duplex.write(await client.open(1, {}));
  let sent = 0;
  let done = false;
  const send = () => {
    if (sent === 200) done = true;
    else client.duplex.write(dataFrame(1, Buffer.alloc(65_536), sent++ === 199), send);
  };
  send();
  await systemClock.sleep(50);
  assert.ok(sent > 10 && sent < 30, `${sent} frames went`);
  const [stream] = opened;
  assert.ok(stream !== undefined);
  connection.forget(stream);
  await eventually("all is sent", () => done);
  client.duplex.end();
  await running;
});

test("a client that goes away is missed, though nobody takes what it sent", async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new Client(connect((server.address() as AddressInfo).port, "127.0.0.1"));
  await eventually("it is connected", () => sockets.length === 1);
  const [socket] = sockets;
  assert.ok(socket !== undefined);
  const connection = new SpdyConnection(socket, () => undefined);
  let over = false;
  void connection.run().finally(() => (over = true));
  client.duplex.write(await client.open(1, {}));
  for (let i = 0; i < 200; i++) client.duplex.write(dataFrame(1, Buffer.alloc(65_536), false));
  await systemClock.sleep(100);
  connection.ping();
  await eventually("the ping is answered", () =>
    client.controls.some(({ type, stream }) => type === controlTypes.ping && stream === 2),
  );
  client.duplex.destroy();
  await systemClock.sleep(100);
  await eventually("it is missed", () => {
    connection.ping();
    return over;
  });
  server.close();
});

test("the client's going, its reset of a stream, and a ping are heard", async () => {
  const over: number[] = [];
  const { client, connection } = pair((stream) => stream.onCut(() => over.push(stream.id)));
  const running = connection.run();
  client.duplex.write(await client.open(1, {}));
  client.duplex.write(await client.open(3, {}));
  client.duplex.write(controlFrame(controlTypes.ping, numbers(11)));
  await eventually("the ping is answered", () =>
    client.controls.some(({ type, stream }) => type === controlTypes.ping && stream === 11),
  );
  client.duplex.write(controlFrame(controlTypes.rstStream, numbers(3, 5)));
  await eventually("it is over", () => over.length === 1);
  client.duplex.destroy();
  await running;
  assert.deepEqual(over, [3, 1]);
});
