/**
 * The name server that pods ask: the cluster's names from a directory, everything else from the host's resolvers. It
 * listens on the host's loopback; pods reach it at a virtual address.
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, type Packet } from "dns-packet";
import type { Clock } from "@atoll/machinery/clock";
import { forward, framed, MessageReader, type Resolver } from "./upstream.ts";
import type { Directory, Response } from "./zone.ts";
import { Zone } from "./zone.ts";

/** What a name server is made of. */
export interface DnsOptions {
  readonly address: string;
  /** 0 for any that is free for UDP and TCP alike. */
  readonly port: number;
  readonly domain: string;
  readonly directory: Directory;
  readonly resolvers: readonly Resolver[];
  readonly clock: Clock;
}

const plainUdpBytes = 512;
const largestUdpBytes = 4096;
/** Questions to others that may wait for an answer; more are refused at once. */
const mostForwarded = 1_000;
const mostConnections = 500;
const idleMs = 10_000;
const portTries = 20;
const codes = { formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4 } as const;
const recursion = 0x0180; // wanted and available

/** A name server that listens. */
export class DnsServer {
  readonly port: number;
  readonly #options: DnsOptions;
  readonly #zone: Zone;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();
  #forwarded = 0;

  private constructor(options: DnsOptions, sockets: Sockets) {
    this.#options = options;
    this.#zone = new Zone(options.domain, options.directory);
    this.#udp = sockets.udp;
    this.#tcp = sockets.tcp;
    this.port = sockets.port;
    // What a socket suffers from one asker is no concern of the others.
    this.#udp.on("error", () => undefined);
    this.#udp.on("message", (message, from) => {
      void this.#reply(message, "udp").then((answer) => {
        if (answer !== undefined) this.#udp.send(answer, from.port, from.address, () => undefined);
      });
    });
    this.#tcp.on("connection", (socket) => this.#converse(socket));
  }

  /** Listens. @throws {Error} the port is taken */
  static async open(options: DnsOptions): Promise<DnsServer> {
    return new DnsServer(options, await openSockets(options));
  }

  /** Stops listening. */
  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    this.#udp.close();
    await new Promise<void>((closed) => this.#tcp.close(() => closed()));
  }

  #converse(socket: Socket): void {
    if (this.#connections.size >= mostConnections) return void socket.destroy();
    this.#connections.add(socket);
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on("error", () => undefined);
    socket.on("close", () => this.#connections.delete(socket));
    const reader = new MessageReader((message) => {
      void this.#reply(message, "tcp").then((answer) => {
        if (answer === undefined) socket.destroy();
        else socket.write(framed(answer));
      });
    });
    socket.on("data", (chunk) => reader.push(chunk));
  }

  /** @returns undefined for what deserves no answer */
  async #reply(message: Buffer, protocol: "tcp" | "udp"): Promise<Buffer | undefined> {
    const query = read(message);
    if (query === undefined || query.type === "response") return undefined;
    const [question, ...others] = query.questions ?? [];
    if (question === undefined || others.length > 0) return failure(query, codes.formatError);
    if (opcodeOf(message) !== 0) return failure(query, codes.notImplemented);
    const response = this.#zone.answer(question);
    if (response === undefined) return await this.#forward(message, query, protocol);
    return this.#answer(query, response, protocol);
  }

  #answer(query: Packet, response: Response, protocol: "tcp" | "udp"): Buffer {
    const { found, answers, additionals } = response;
    const packet = {
      type: "response" as const,
      id: query.id ?? 0,
      flags: AUTHORITATIVE_ANSWER | recursion | (found ? 0 : codes.nameError),
      questions: query.questions ?? [],
      answers: shuffled(answers),
      additionals: [...additionals],
      authorities: answers.length === 0 ? [this.#zone.authority()] : [],
    };
    const whole = encode(packet);
    if (protocol === "tcp" || whole.length <= udpBytes(query)) return whole;
    const truncated = 0x0200;
    return encode({ ...packet, flags: packet.flags | truncated, answers: [], additionals: [] });
  }

  async #forward(message: Buffer, query: Packet, protocol: "tcp" | "udp"): Promise<Buffer> {
    const { resolvers, clock } = this.#options;
    if (this.#forwarded >= mostForwarded) return failure(query, codes.serverFailure);
    this.#forwarded++;
    try {
      return await forward(message, { resolvers, clock, protocol });
    } catch {
      return failure(query, codes.serverFailure);
    } finally {
      this.#forwarded--;
    }
  }
}

/** 0 for a query. Source: RFC 1035, 4.1.1 */
const opcodeOf = (message: Buffer): number => (message.readUInt8(2) >> 3) & 0xf;

function read(message: Buffer): Packet | undefined {
  try {
    return decode(message);
  } catch {
    return undefined;
  }
}

function failure(query: Packet, code: number): Buffer {
  return encode({ type: "response", id: query.id ?? 0, flags: recursion | code, questions: query.questions ?? [] });
}

/** What the asker says it can take, within reason. Source: RFC 6891 */
function udpBytes({ additionals = [] }: Packet): number {
  const option = additionals.find(({ type }) => type === "OPT");
  const offered = option !== undefined && "udpPayloadSize" in option ? option.udpPayloadSize : plainUdpBytes;
  return Math.min(Math.max(offered, plainUdpBytes), largestUdpBytes);
}

/** Each answer begins with another record: askers take the first. */
function shuffled(answers: readonly Answer[]): Answer[] {
  if (answers.length < 2) return [...answers];
  const start = Math.floor(performance.now() * 1000) % answers.length;
  return [...answers.slice(start), ...answers.slice(0, start)];
}

interface Sockets {
  readonly udp: UdpSocket;
  readonly tcp: Server;
  readonly port: number;
}

/** The same port for both: a free one of TCP may be taken for UDP, and then another is tried. */
async function openSockets({ address, port }: DnsOptions): Promise<Sockets> {
  for (let tries = 1; ; tries++) {
    const tcp = createServer();
    const udp = createSocket("udp4");
    try {
      await new Promise<void>((listening, failed) => tcp.once("error", failed).listen(port, address, listening));
      const chosen = (tcp.address() as AddressInfo).port;
      await new Promise<void>((bound, failed) => udp.once("error", failed).bind(chosen, address, bound));
      return { udp, tcp, port: chosen };
    } catch (error) {
      tcp.close();
      udp.close();
      if (port !== 0 || tries === portTries) throw error;
    }
  }
}
