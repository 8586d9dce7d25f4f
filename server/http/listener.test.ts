import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { connect as connectTcp } from "node:net";
import { test, type TestContext } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { eventually } from "@atoll/harness/client";
import { systemClock } from "@atoll/machinery/clock";
import { issue, newAuthority } from "../pki/authority.ts";
import { Listener } from "./listener.ts";

const limits = { headersMs: 300, bodyMs: 600, idleMs: 400, connections: 5 };

async function setUp(t: TestContext) {
  const nowMs = systemClock.nowMs();
  const ca = await newAuthority("test", nowMs);
  const pair = await issue(ca, { commonName: "s", usage: "server", names: ["localhost"], days: 1 }, nowMs);
  let asked = 0;
  const listener = new Listener({
    clock: systemClock,
    bind: "127.0.0.1",
    port: 0,
    tls: { ...pair, clientCa: ca.cert },
    limits,
    onRequest(request, response) {
      asked++;
      // A stream that goes on, as a watch does.
      if (request.url === "/watch") response.write("x");
      else request.on("end", () => response.end("ok")).resume();
    },
    onUpgrade: (_, socket) => socket.destroy(),
  });
  const port = await listener.listen();
  t.after(() => listener.close(0));
  const target = { host: "127.0.0.1", port, ca: ca.cert, servername: "localhost" };
  const open = (ALPNProtocols: string[] = ["http/1.1"]): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = connect({ ...target, ALPNProtocols }, () => resolve(socket));
      socket.on("error", reject);
    });
  const session = () => {
    const client = connectHttp2(`https://localhost:${port}`, { ca: ca.cert });
    client.on("error", () => {});
    t.after(() => client.destroy());
    return client;
  };
  return { listener, port, open, session, asked: () => asked };
}

/** Whether the other side closes it, within a second and a half of what it may take. */
async function isCut(socket: TLSSocket, afterMs: number): Promise<boolean> {
  socket.on("error", () => {}).resume();
  const began = systemClock.monotonicMs();
  await Promise.race([new Promise((resolve) => socket.once("close", resolve)), systemClock.sleep(afterMs + 1_500)]);
  const cut = socket.destroyed;
  socket.destroy();
  return cut && systemClock.monotonicMs() - began >= afterMs - 50;
}

for (const protocol of ["http/1.1", "h2"]) {
  test(`a connection that says nothing is cut (${protocol})`, async (t) => {
    const { open } = await setUp(t);
    assert.ok(await isCut(await open([protocol]), limits.headersMs));
  });
}

test("headers and bodies that come a byte at a time are cut", async (t) => {
  const { open } = await setUp(t);
  const slowly = async (start: string, afterMs: number) => {
    const socket = await open();
    socket.write(start);
    const trickle = setInterval(() => socket.destroyed || socket.write("a"), 50);
    const cut = await isCut(socket, afterMs);
    clearInterval(trickle);
    return cut;
  };
  assert.ok(await slowly("GET / HTTP/1.1\r\nhost: a\r\nx: ", limits.headersMs), "headers");
  assert.ok(await slowly("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n", limits.bodyMs), "a body");
});

test("an HTTP/2 body that does not come is no longer waited for, and the connection goes on", async (t) => {
  const { session } = await setUp(t);
  const client = session();
  const slow = client.request({ ":method": "POST", ":path": "/" });
  slow.on("error", () => {});
  slow.write("a");
  await new Promise((resolve) => slow.once("close", resolve));
  assert.equal(slow.rstCode, constants.NGHTTP2_CANCEL);
  assert.equal(client.destroyed, false);
});

test("an HTTP/2 connection without requests is closed, and one with a watch is not", async (t) => {
  const { session } = await setUp(t);
  const [idle, busy] = [session(), session()];
  const watch = busy.request({ ":path": "/watch" });
  idle.request({ ":path": "/" }).resume();
  await eventually("the idle one is closed", () => idle.closed);
  await systemClock.sleep(limits.idleMs);
  assert.equal(busy.closed, false);
  assert.equal(watch.closed, false);
});

test("more headers than are kept are refused, not dropped", async (t) => {
  const { open, asked } = await setUp(t);
  const statusWith = async (count: number) => {
    const socket = await open();
    const headers = Array.from({ length: count - 1 }, (_, i) => `x${i}: a\r\n`).join("");
    socket.write(`GET / HTTP/1.1\r\nhost: a\r\n${headers}\r\n`);
    const [data] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    return Number(/^HTTP\/1.1 (\d+)/.exec(data.toString())?.[1]);
  };
  assert.equal(await statusWith(200), 200);
  assert.equal(await statusWith(201), 431);
  assert.equal(await statusWith(2_001), 431);
  assert.equal(asked(), 1);
});

test("more connections than may be are closed as they come", async (t) => {
  const { listener, open } = await setUp(t);
  const kept = await Promise.all(Array.from({ length: limits.connections }, () => open()));
  await assert.rejects(open());
  assert.equal(listener.connections, limits.connections);
  for (const socket of kept) socket.destroy();
});

/** A frame of HTTP/2. Source: RFC 9113, section 4.1 */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

test("streams opened and reset at once end the connection, and nobody else's", async (t) => {
  const { open, session, asked } = await setUp(t);
  const socket = await open(["h2"]);
  socket.on("error", () => {}).resume();
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(frame(4, 0, 0, Buffer.alloc(0)));
  // GET https://a/: entries of HPACK's static table, and one literal.
  const headers = Buffer.from([0x82, 0x84, 0x87, 0x41, 0x01, 0x61]);
  const cancel = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]);
  const [headersType, resetType, endHeadersAndStream] = [1, 3, 5];
  let opened = 0;
  for (let stream = 1; !socket.destroyed && opened < 20_000; stream += 2) {
    socket.write(frame(headersType, endHeadersAndStream, stream, headers));
    socket.write(frame(resetType, 0, stream, cancel));
    if (++opened % 50 === 0) await new Promise(setImmediate);
  }
  await eventually("the connection is dropped", () => socket.destroyed);
  assert.ok(asked() < 2_000, `${asked()} of ${opened} reached a handler`);
  const other = session().request({ ":path": "/" });
  const [answer] = (await once(other, "response")) as [Record<string, unknown>];
  assert.equal(answer[":status"], 200, "others are served");
});

test("connections that come at once, or leave at once, are let in one after another", async (t) => {
  const { port, open } = await setUp(t);
  const gone = connectTcp({ host: "127.0.0.1", port: port });
  gone.on("error", () => {}).destroy();
  const sockets = await Promise.all(Array.from({ length: 4 }, () => open()));
  for (const socket of sockets) {
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 200/);
    socket.destroy();
  }
});
