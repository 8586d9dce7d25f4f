/** Load on an API server: many connections, each one request after the other, and what they took. */
import { Agent, request } from "node:https";

/** How to reach the server, as its admin. */
export interface Target {
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** What a run took. */
export interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
}

/** Connections to a server that are kept. */
export class Connections {
  readonly #agent: Agent;
  readonly #base: URL;

  constructor({ url, ca, cert, key }: Target, lanes: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: lanes, ca, cert, key });
    this.#base = new URL(url);
  }

  /** @returns the body's bytes @throws {Error} for any answer that is no success */
  send({ method, path, body, contentType = "application/json" }: Sent): Promise<Buffer> {
    const headers =
      body === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const to = { host: this.#base.hostname, port: this.#base.port, method, path, headers, agent: this.#agent };
      const sent = request(to, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const whole = Buffer.concat(chunks);
          if ((response.statusCode ?? 500) < 300) resolve(whole);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${whole.toString().slice(0, 300)}`));
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Sends `count` requests over `lanes` connections. Handshakes are not counted. */
export async function load(target: Target, lanes: number, count: number, make: (i: number) => Sent): Promise<Figures> {
  const connections = new Connections(target, lanes);
  await Promise.all(Array.from({ length: lanes }, () => connections.send({ method: "GET", path: "/version" })));
  const latencies: number[] = [];
  let next = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < count) {
        const sentAt = performance.now();
        await connections.send(make(next++));
        latencies.push(performance.now() - sentAt);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  connections.close();
  return { perSecond: count / seconds, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
}

/** The value below which a share of the list lies. */
export function quantile(list: readonly number[], share: number): number {
  const sorted = Float64Array.from(list).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
