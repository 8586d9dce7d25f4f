/**
 * The real API server, in process, for tests: on memory storage unless told otherwise, on a free port, with keys in a
 * folder that goes away with it.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtinKinds } from "@atoll/api/catalog";
import { type Clock, systemClock } from "@atoll/machinery/clock";
import { issue } from "@atoll/server/pki/authority";
import { openPki, type Pki } from "@atoll/server/pki/folder";
import { type Server, type ServerOptions, startServer } from "@atoll/server/server";
import { subresourceHandlers } from "@atoll/server/subresources/handlers";
import { openMemory } from "@atoll/storage/memory";
import type { Store } from "@atoll/storage/store";

export interface HarnessOptions {
  /** Default: a new memory store. The harness closes it. */
  readonly store?: Store;
  readonly clock?: Clock;
  /** What else the server is to be told. */
  readonly server?: Partial<ServerOptions>;
  /** Told what goes wrong inside the server; default: the test's standard error. */
  readonly onError?: (fields: object, text: string) => void;
}

/** An answer, whole. `json` is the parsed body; undefined when it is none. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

/** A server under test, and a client of it that is in system:masters. A test's own goes with it: `await using`. */
export interface Harness extends AsyncDisposable {
  readonly server: Server;
  readonly pki: Pki;
  readonly url: string;
  /** TLS options of the admin's connections. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  /** Makes an object. @param path of the collection @throws {AssertionError} it is not made */
  make(path: string, body: object): Promise<Answer>;
  /** Somebody with a certificate, in no group but those given. */
  user(name: string, groups?: readonly string[]): Promise<As>;
  /** Somebody who shows no certificate. */
  nobody(): As;
  close(): Promise<void>;
}

/** Somebody who may ask. */
export interface As {
  /** TLS options of their connections. */
  readonly tls: { readonly ca: string; readonly cert?: string; readonly key?: string };
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
}

export interface SendOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Starts a server, which serves once this resolves. */
export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), "atoll-harness-"));
  const clock = options.clock ?? systemClock;
  const store = options.store ?? openMemory();
  const pki = await openPki(folder, ["127.0.0.1", "localhost"], clock.nowMs());
  const error =
    options.onError ?? ((fields: object, text: string) => process.stderr.write(`${text} ${describe(fields)}\n`));
  const server = await startServer({
    store,
    pki,
    clock,
    kinds: builtinKinds(),
    log: { info: () => {}, error },
    bind: "127.0.0.1",
    port: 0,
    serviceCidr: "10.96.0.0/12",
    advertise: "127.0.0.1",
    subresources: subresourceHandlers(),
    version: "test",
    ...options.server,
  });
  const agents: Agent[] = [];
  const as = <T extends As["tls"]>(tls: T): As & { readonly tls: T } => {
    const agent = new Agent({ keepAlive: true, ...tls });
    agents.push(agent);
    return { tls, send: (method, path, how = {}) => sendThrough({ agent, port: server.port, method, path }, how) };
  };
  const admin = as({ ca: pki.ca.cert, cert: pki.admin.cert, key: pki.admin.key });
  const close = async () => {
    for (const agent of agents) agent.destroy();
    await server.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    server,
    pki,
    url: `https://127.0.0.1:${server.port}`,
    ...admin,
    async make(path, body) {
      const answer = await admin.send("POST", path, { body });
      assert.equal(answer.status, 201, answer.text);
      return answer;
    },
    async user(commonName, organizations = []) {
      const wish = { commonName, organizations, usage: "client", days: 1 } as const;
      return as({ ca: pki.ca.cert, ...(await issue(pki.ca, wish, systemClock.nowMs())) });
    },
    nobody: () => as({ ca: pki.ca.cert }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function describe(fields: object): string {
  const { err, ...rest } = fields as { err?: unknown };
  return `${JSON.stringify(rest)} ${err instanceof Error ? err.stack : String(err)}`;
}

interface Target {
  readonly agent: Agent;
  readonly port: number;
  readonly method: string;
  readonly path: string;
}

/** Sends a request through an agent of one's own. */
export function sendThrough(
  target: Target,
  { body, contentType = "application/json", headers = {} }: SendOptions,
): Promise<Answer> {
  const data = body === undefined || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  // Node sends the body of a DELETE without saying how long it is unless told to.
  const length = data === undefined ? undefined : Buffer.byteLength(data as string | Buffer);
  const sent = data === undefined ? headers : { "content-type": contentType, "content-length": length, ...headers };
  return new Promise((resolve, reject) => {
    const request = httpsRequest({ host: "127.0.0.1", ...target, headers: sent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) });
      });
    });
    request.on("error", reject);
    request.end(data);
  });
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
