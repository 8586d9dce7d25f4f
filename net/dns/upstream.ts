/** Questions for the world outside: passed on to the host's resolvers as they are, and the answers back. */
import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { connect, isIPv4 } from "node:net";
import type { Clock } from "@atoll/machinery/clock";

/** Who resolves what is not ours. */
export interface Resolver {
  readonly address: string;
  readonly port: number;
}

/** Nobody answered. */
export class ResolversSilent extends Error {
  override readonly name = "ResolversSilent";
}

const dnsPort = 53;
const patienceMs = 2_000;
const largestMessage = 65_535;

/** The name servers of a resolv.conf. Only IPv4 for now. */
export async function resolversOf(path = "/etc/resolv.conf"): Promise<readonly Resolver[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  const found = [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, address = ""]) => address);
  return found.filter(isIPv4).map((address) => ({ address, port: dnsPort }));
}

/**
 * Asks one after the other.
 * @param query a whole message
 * @throws {ResolversSilent}
 */
export async function forward(
  query: Buffer,
  { resolvers, clock, protocol }: { resolvers: readonly Resolver[]; clock: Clock; protocol: "tcp" | "udp" },
): Promise<Buffer> {
  const ask = protocol === "udp" ? askByUdp : askByTcp;
  for (const resolver of resolvers) {
    const answer = await ask(query, resolver, clock).catch(() => undefined);
    if (answer !== undefined) return answer;
  }
  throw new ResolversSilent(`none of ${resolvers.length} resolvers answered`);
}

/** A socket a question: its port is as hard to guess as the kernel makes it, and only the resolver is heard. */
async function askByUdp(query: Buffer, { address, port }: Resolver, clock: Clock): Promise<Buffer> {
  const socket = createSocket("udp4");
  try {
    return await new Promise((resolve, reject) => {
      const late = clock.after(patienceMs, () => reject(new Error("late")), { unref: true });
      const settle = (act: () => void) => {
        late.cancel();
        act();
      };
      socket.on("error", (error) => settle(() => reject(error)));
      socket.on("message", (answer) => {
        if (answer.length >= 2 && answer.readUInt16BE(0) === query.readUInt16BE(0)) settle(() => resolve(answer));
      });
      socket.connect(port, address, () => socket.send(query));
    });
  } finally {
    socket.close();
  }
}

async function askByTcp(query: Buffer, { address, port }: Resolver, clock: Clock): Promise<Buffer> {
  const socket = connect({ host: address, port });
  try {
    return await new Promise((resolve, reject) => {
      const late = clock.after(patienceMs, () => reject(new Error("late")), { unref: true });
      const chunks = new MessageReader((answer) => {
        late.cancel();
        resolve(answer);
      });
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("closed")));
      socket.write(framed(query));
    });
  } finally {
    socket.destroy();
  }
}

/** A message as it goes over TCP: after its length. */
export function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Takes messages out of a TCP stream. */
export class MessageReader {
  readonly #onMessage: (message: Buffer) => void;
  #rest = Buffer.alloc(0);

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 2) {
      const length = this.#rest.readUInt16BE(0);
      if (length > largestMessage || this.#rest.length < 2 + length) return;
      const message = this.#rest.subarray(2, 2 + length);
      this.#rest = Buffer.from(this.#rest.subarray(2 + length));
      this.#onMessage(Buffer.from(message));
    }
  }
}
