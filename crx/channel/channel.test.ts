/** The channel against a hostile other side: the host's end here, the guest's end as the real init with sanitizers. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Duplex, duplexPair } from "node:stream";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { buildProgram } from "../build.ts";
import { cacheFolder } from "../cache.ts";
import { encodeFrame, FrameReader, frameTypes, maxPayload, ProtocolBroken, type FrameType } from "./frame.ts";
import { protocolHeader } from "./header.ts";
import { Hello, operations, Run, type Operation } from "./messages.ts";
import { ChannelClosed, Session, type GuestEvents } from "./session.ts";
import { ByteStream, outputWindow } from "./stream.ts";
import { decode, encode, type Message } from "./tlv.ts";

const rounds = process.env["ATOLL_NIGHTLY"] === "1" ? 20_000 : 300;
const quiet: GuestEvents = { exited() {}, oom() {}, goodbye() {}, closed() {} };
const typeNames = Object.keys(frameTypes) as FrameType[];

const anyFrame = fc
  .tuple(fc.constantFrom(...typeNames), fc.nat(255), fc.nat(65535), fc.uint8Array({ maxLength: 200 }))
  .map(([type, flags, stream, bytes]) => ({ type, flags, stream, payload: Buffer.from(bytes) }));

test("FrameReader gives back the frames, however the bytes are cut, with padding between", () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 8 }), fc.array(fc.nat(64), { maxLength: 20 }), (frames, cuts) => {
      const bytes = Buffer.concat(frames.flatMap((frame, i) => [Buffer.alloc(i % 3), encodeFrame(frame)]));
      const reader = new FrameReader();
      const read = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        read.push(...reader.push(bytes.subarray(at, at + cut)));
        at += cut;
      }
      assert.deepEqual(read, frames);
    }),
  );
});

test("FrameReader refuses a length over the limit before it keeps any of it", () => {
  const head = encodeFrame({ type: "data", flags: 0, stream: 1, payload: Buffer.alloc(0) });
  head.writeUInt32LE(0xffff_ffff, 4);
  assert.throws(() => new FrameReader().push(head), ProtocolBroken);
});

test("messages survive encoding, and damaged ones are refused or read, never more", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.uint8Array({ maxLength: 300 }), (args, noise) => {
      const bytes = encode(Run, { stream: 7, process: { args, tty: true }, mounts: [{ volume: "v", target: "/x" }] });
      const read = decode(Run, bytes);
      assert.deepEqual([read.stream, read.process?.args, read.mounts[0]?.target], [7, args, "/x"]);
      for (const data of [Buffer.from(noise), Buffer.concat([bytes.subarray(0, noise.length), Buffer.from(noise)])])
        try {
          decode(Run, data);
        } catch (error) {
          assert.ok(error instanceof ProtocolBroken);
        }
    }),
  );
});

test("tags of a message differ, and the C header has every one", () => {
  const header = protocolHeader();
  for (const { request, reply } of Object.values(operations) as { request: Message; reply: Message }[])
    for (const message of [request, reply]) {
      const tags = Object.values(message.fields).map((field) => field.tag);
      assert.equal(new Set(tags).size, tags.length, message.name);
    }
  assert.match(header, /TAG_RUN_STREAM = 1,/);
  assert.match(header, /TAG_PROCESS_NO_NEW_PRIVILEGES = 9,/);
});

/** A session whose guest answers the hello and then says what the test wants. */
async function sessionWith(events: GuestEvents = quiet): Promise<{ session: Session; guest: Duplex }> {
  const [ours, guest] = duplexPair();
  guest.once("data", (bytes: Buffer) => {
    const frame = new FrameReader().push(bytes)[0];
    const { session } = decode(Hello, frame?.payload ?? Buffer.alloc(0));
    const payload = encode(Hello, { session, protocol: 1 });
    guest.write(
      Buffer.concat([
        Buffer.from("rubbish for somebody else"),
        encodeFrame({ type: "hello", flags: 0, stream: 0, payload }),
      ]),
    );
  });
  return { session: await Session.open(ours, { events }), guest };
}

test("Session is cut by whatever breaks the protocol, and ends with its connection", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyFrame, { minLength: 1, maxLength: 20 }), fc.uint8Array(), async (frames, noise) => {
      const closed = Promise.withResolvers<ChannelClosed>();
      const { session, guest } = await sessionWith({ ...quiet, closed: closed.resolve });
      const pending = session.request("usage", {});
      pending.catch(() => undefined);
      guest.write(Buffer.concat([...frames.map(encodeFrame), Buffer.from(noise)]));
      guest.end();
      await closed.promise;
      await pending.catch((error: Error) =>
        assert.ok(error instanceof ChannelClosed || error.name === "GuestRefused" || error.name === "ProtocolBroken"),
      );
    }),
    { numRuns: rounds },
  );
});

test("Session cuts a guest that sends more than its credit, or events without end", async () => {
  const tooMuch = Promise.withResolvers<ChannelClosed>();
  const one = await sessionWith({ ...quiet, closed: tooMuch.resolve });
  let stream: ByteStream | undefined;
  one.session.addStream((number) => (stream = new ByteStream(one.session, number, 1)));
  stream?.open();
  for (let sent = 0; sent <= outputWindow; sent += maxPayload)
    one.guest.write(
      encodeFrame({ type: "data", flags: 1, stream: stream?.number ?? 0, payload: Buffer.alloc(maxPayload) }),
    );
  assert.match((await tooMuch.promise).message, /without credit/);
  const flood = Promise.withResolvers<ChannelClosed>();
  const two = await sessionWith({ ...quiet, closed: flood.resolve });
  const goodbye = encodeFrame({ type: "event", flags: 0, stream: 0, payload: Buffer.from([3, 0, 0, 0]) });
  two.guest.write(Buffer.concat(Array.from({ length: 3000 }, () => goodbye)));
  assert.match((await flood.promise).message, /too many events/);
});

// ---- the guest's end

let init: string;
let harness: ChildProcess;
let errors = "";

before(async () => {
  init = (await buildProgram("init", { cache: cacheFolder(), flavour: "test" })).path;
  harness = spawn(init, [], { stdio: ["ignore", "pipe", "pipe", "pipe"], uid: 65534, gid: 65534, cwd: "/", env: {} });
  harness.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-20_000);
  });
});

after(() => {
  harness.kill("SIGKILL");
});

const port = (): Duplex => {
  const stream = harness.stdio[3];
  assert.ok(stream instanceof Duplex);
  return stream;
};

/** Fields of a request with values of the right kind, some of them strange. */
const anyRequest = fc
  .constantFrom(...(Object.keys(operations) as Operation[]).filter((name) => name !== "shutdown"))
  .chain((name) =>
    fc
      .array(
        fc.record({
          tag: fc.nat(24),
          value: fc.oneof(
            fc.uint8Array({ maxLength: 64 }),
            fc.nat().map((number) => new Uint8Array(Uint32Array.of(number).buffer)),
            fc
              .bigInt({ min: 0n, max: 2n ** 64n - 1n })
              .map((number) => new Uint8Array(BigUint64Array.of(number).buffer)),
            fc.constantFrom("../../x", "a".repeat(2000), "vol", "/", "").map((text) => Buffer.from(text)),
          ),
          lie: fc.option(fc.nat(0xffff), { nil: undefined }),
        }),
        { maxLength: 8 },
      )
      .map((fields) => {
        const head = Buffer.alloc(8);
        head.writeUInt32LE(1, 0);
        head.writeUInt32LE(operations[name].number, 4);
        const body = fields.map(({ tag, value, lie }) => {
          const field = Buffer.alloc(6);
          field.writeUInt16LE(tag, 0);
          field.writeUInt32LE(lie ?? value.length, 2);
          return Buffer.concat([field, value]);
        });
        return encodeFrame({ type: "request", flags: 0, stream: 0, payload: Buffer.concat([head, ...body]) });
      }),
  );

test("crx-init bears whatever comes, and answers a host that comes after", { timeout: 300_000 }, async () => {
  const anything = fc.oneof(
    { weight: 8, arbitrary: anyRequest },
    { weight: 3, arbitrary: anyFrame.map(encodeFrame) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anything, { maxLength: 30 }), async (parts) => {
      const socket = port();
      // What it answers is read by nobody it was meant for.
      socket.removeAllListeners("data").resume();
      const shared = shareOf(socket);
      const session = await Session.open(shared, { events: quiet, takeOver: true, signal: AbortSignal.timeout(5_000) });
      session.close();
      if (!socket.write(Buffer.concat(parts))) await once(socket, "drain");
      const next = await Session.open(shareOf(socket), {
        events: quiet,
        takeOver: true,
        signal: AbortSignal.timeout(5_000),
      });
      await next.request("usage", {});
      next.close();
      assert.equal(harness.exitCode, null, errors);
    }),
    { numRuns: rounds, endOnFailure: true },
  );
  assert.equal(harness.exitCode, null, errors);
  assert.doesNotMatch(errors, /Sanitizer|runtime error/);
});

/** A connection over the harness's only socket that can end without ending the socket. */
function shareOf(socket: Duplex): Duplex {
  const take = (bytes: Buffer) => shared.push(bytes);
  const shared = new Duplex({
    read() {},
    write: (bytes: Buffer, _encoding, done) => void socket.write(bytes, () => done()),
    destroy(error, done) {
      socket.off("data", take);
      done(error);
    },
  });
  socket.on("data", take);
  return shared;
}
