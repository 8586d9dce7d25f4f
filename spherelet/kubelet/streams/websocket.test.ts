import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { WebSocket } from "ws";
import { eventually } from "@atoll/harness/client";
import { systemClock } from "@atoll/machinery/clock";
import type { Program, Wish } from "../runtime.ts";
import { join, type Remote } from "./remote.ts";
import { acceptWebSocket, webSocketRemote } from "./websocket.ts";

const wish: Wish = { stdin: true, stdout: true, stderr: true, tty: true };

/** A program whose every side the test holds. */
class Held implements Program {
  readonly read: Buffer[] = [];
  readonly sizes: string[] = [];
  inputEnded = false;
  closed = false;
  /** While set, input is not taken. */
  busy: Promise<void> | undefined;
  readonly #said: { source: "output" | "errors"; bytes: Buffer }[] = [];
  #wake = Promise.withResolvers<void>();
  readonly #exit = Promise.withResolvers<number>();
  #over = false;
  readonly exited = this.#exit.promise;

  say(source: "output" | "errors", text: string): void {
    this.#said.push({ source, bytes: Buffer.from(text) });
    this.#wake.resolve();
  }

  exit(code: number): void {
    this.#over = true;
    this.#exit.resolve(code);
    this.#wake.resolve();
  }

  get output(): AsyncIterable<{ source: "output" | "errors"; bytes: Buffer }> {
    return this.#spoken();
  }

  async *#spoken(): AsyncGenerator<{ source: "output" | "errors"; bytes: Buffer }> {
    for (;;) {
      const next = this.#said.shift();
      if (next !== undefined) yield next;
      else if (this.#over) return;
      else {
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
      }
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.busy;
    this.read.push(Buffer.from(bytes));
  }

  endInput(): void {
    this.inputEnded = true;
  }

  resize({ columns, rows }: { columns: number; rows: number }): void {
    this.sizes.push(`${columns}x${rows}`);
  }

  close(): void {
    this.closed = true;
    this.exit(137);
  }
}

const server = createServer();
let programs: Held[] = [];
let remotes: Remote[] = [];
let address = "";

before(async () => {
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    void acceptWebSocket(request, [socket, head]).then(async (websocket) => {
      if (websocket === undefined) return;
      const program = new Held();
      programs.push(program);
      const remote = webSocketRemote(websocket, wish);
      remotes.push(remote);
      await join(program, remote, wish);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(() => server.close());

interface Dialled {
  readonly websocket: WebSocket;
  readonly program: Held;
  readonly heard: Map<number, string>;
  readonly closed: Promise<number>;
}

async function dial(protocols: readonly string[]): Promise<Dialled> {
  programs = [];
  remotes = [];
  const websocket = new WebSocket(address, [...protocols]);
  const heard = new Map<number, string>();
  websocket.on("error", () => undefined);
  websocket.on("message", (data: Buffer) => {
    const channel = data[0] ?? -1;
    heard.set(channel, (heard.get(channel) ?? "") + data.subarray(1).toString());
  });
  const closed = once(websocket, "close").then(([code]) => code as number);
  await once(websocket, "open");
  await eventually("the program starts", () => programs.length === 1);
  const [program] = programs;
  assert.ok(program !== undefined);
  return { websocket, program, heard, closed };
}

const message = (channel: number, text: string | Buffer) => Buffer.concat([Buffer.of(channel), Buffer.from(text)]);

test("v5 carries input to its end, output, errors, sizes and the exit code", async () => {
  const { websocket, program, heard, closed } = await dial(["v4.channel.k8s.io", "v5.channel.k8s.io"]);
  assert.equal(websocket.protocol, "v5.channel.k8s.io");
  await eventually("a first message comes", () => heard.get(1) === "");
  websocket.send(message(0, "in"));
  websocket.send(message(4, '{"Width":80,"Height":24}\n{"Width":0,"Height":1}\nno\n{"Width":81,"Height":25}\n'));
  websocket.send(message(255, Buffer.of(0)));
  program.say("output", "out");
  program.say("errors", "err");
  await eventually("input ends", () => program.inputEnded && program.sizes.length === 2);
  assert.equal(Buffer.concat(program.read).toString(), "in");
  assert.deepEqual(program.sizes, ["80x24", "81x25"]);
  program.exit(3);
  assert.equal(await closed, 1000);
  assert.deepEqual([heard.get(1), heard.get(2)], ["out", "err"]);
  const status = JSON.parse(heard.get(3) ?? "") as { reason: string; details: { causes: object[] } };
  assert.equal(status.reason, "NonZeroExitCode");
  assert.deepEqual(status.details.causes, [{ reason: "ExitCode", message: "3" }]);
});

test("a program that ends well says so", async () => {
  const { program, heard, closed } = await dial(["v4.channel.k8s.io"]);
  program.exit(0);
  await closed;
  assert.deepEqual(JSON.parse(heard.get(3) ?? ""), { metadata: {}, status: "Success" });
});

test("a protocol that is not known is refused before anything starts", async () => {
  programs = [];
  const websocket = new WebSocket(address, ["v9.channel.k8s.io"]);
  const [error] = (await once(websocket, "error")) as [Error];
  assert.match(error.message, /403/);
  assert.equal(programs.length, 0);
});

test("input that is not taken holds the client back, and does not keep the end from it", async () => {
  const { websocket, program, heard, closed } = await dial(["v5.channel.k8s.io"]);
  program.busy = new Promise(() => undefined);
  const block = Buffer.alloc(256 << 10, 1);
  for (let i = 0; i < 200; i++) websocket.send(message(0, block));
  await systemClock.sleep(200);
  assert.ok(websocket.bufferedAmount > 10 << 20, `only ${websocket.bufferedAmount} bytes wait`);
  program.exit(0);
  assert.equal(await closed, 1000);
  assert.match(heard.get(3) ?? "", /Success/);
});

test("a client that goes away ends the program", async () => {
  const { websocket, program } = await dial(["v5.channel.k8s.io"]);
  websocket.terminate();
  await eventually("the program is let go of", () => program.closed);
});

test("a client that goes away is missed, though its input is not taken", async () => {
  const { websocket, program } = await dial(["v5.channel.k8s.io"]);
  program.busy = new Promise(() => undefined);
  for (let i = 0; i < 50; i++) websocket.send(message(0, Buffer.alloc(256 << 10, 1)));
  await systemClock.sleep(200);
  websocket.terminate();
  await eventually("the program is let go of", () => {
    remotes[0]?.ping();
    return program.closed;
  });
});

test("any messages leave the program what was meant for it, and the server alive", async () => {
  const messages = fc.array(fc.tuple(fc.integer({ min: 0, max: 254 }), fc.uint8Array({ maxLength: 200 })), {
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(messages, async (all) => {
      const { websocket, program, closed } = await dial(["v5.channel.k8s.io"]);
      websocket.send(Buffer.alloc(0));
      for (const [channel, bytes] of all) websocket.send(message(channel, Buffer.from(bytes)));
      websocket.send(message(255, Buffer.of(0)));
      await eventually("input ends", () => program.inputEnded);
      const meant = all.filter(([channel]) => channel === 0).map(([, bytes]) => Buffer.from(bytes));
      assert.ok(Buffer.concat(program.read).equals(Buffer.concat(meant)));
      program.exit(0);
      assert.equal(await closed, 1000);
    }),
    { numRuns: 30 },
  );
});

test("bytes that are no WebSocket end the program and nothing else", async () => {
  const handshake = [
    "GET / HTTP/1.1",
    "host: x",
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol: v5.channel.k8s.io",
  ];
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (any) => {
      programs = [];
      const socket = connect(Number(new URL(address).port), "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(`${handshake.join("\r\n")}\r\n\r\n`);
      await once(socket, "data");
      socket.resume().end(Buffer.from(any));
      await eventually("the program is let go of", () => programs[0]?.closed === true);
      socket.destroy();
    }),
    { numRuns: 40 },
  );
});
