/** The console's server: the page, who is signed in, and their way to the API server. Design: docs/rfd/0030-console.md */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Client } from "@atoll/client/client";
import type { Clock } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import type { Log } from "@atoll/runtime/log";
import { WebSocketServer } from "ws";
import { answerJson, BodyTooLarge, readBody, refuse } from "./answer.ts";
import { Assets } from "./assets.ts";
import { forward, hubPrefix } from "./forward.ts";
import { harden, isOwn, isOwnSocket, sessionIdOf, setSession } from "./guard.ts";
import { LinkSpent, openLink } from "./links.ts";
import { serveLive } from "./live.ts";
import { type Hub, Sessions } from "./sessions.ts";
import { isStreamPath, joinStream, streamProtocol } from "./streams.ts";

/** What a portal is made of. */
export interface PortalOptions {
  readonly hub: Hub;
  /** The console itself, which may open links and nothing else. */
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** Its own certificate and key, PEM. */
  readonly tls: { readonly cert: string; readonly key: string };
  readonly bind: string;
  /** 0 for any. */
  readonly port: number;
  /** Folder of the built page. */
  readonly assets: string;
}

/** A portal that serves. */
export interface Portal {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves the console. @throws {Error} the port is taken, or the page is not built */
export async function startPortal(options: PortalOptions): Promise<Portal> {
  const sessions = new Sessions(options.hub, options.clock);
  const handler = new Handler(options, sessions, await Assets.open(options.assets));
  const server = createServer({ ...options.tls, minVersion: "TLSv1.2" });
  server.on("request", (request, response) => void handler.answer(request, response));
  server.on("upgrade", (request, socket, head) => handler.upgrade(request, socket, head));
  await listening(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      sessions.close();
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listening(server: Server, { port, bind }: PortalOptions): Promise<void> {
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(port, bind, done);
  });
}

/** One request at a time, by its path. */
class Handler {
  readonly #options: PortalOptions;
  readonly #sessions: Sessions;
  readonly #assets: Assets;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 1024 * 1024,
    handleProtocols: (offered) => (offered.has(streamProtocol) ? streamProtocol : false),
  });

  constructor(options: PortalOptions, sessions: Sessions, assets: Assets) {
    this.#options = options;
    this.#sessions = sessions;
    this.#assets = assets;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    harden(response);
    try {
      await this.#route(request, response);
    } catch (error) {
      if (error instanceof BodyTooLarge) return refuse(response, 413, "RequestEntityTooLarge", error.message);
      this.#options.log.error("cannot answer", { path: request.url?.split("?")[0], error });
      if (!response.headersSent)
        refuse(response, 500, "InternalError", "The console could not answer; its log says why.");
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const isCall = path.startsWith("/auth/") || path.startsWith(`${hubPrefix}/`);
    if (!isCall) {
      if (request.method === "GET" || request.method === "HEAD") return this.#assets.serve(request, response);
      return refuse(response, 405, "MethodNotAllowed", "Pages are read only.");
    }
    if (!isOwn(request)) return refuse(response, 403, "Forbidden", "Only the console's own page may ask this.");
    if (path === "/auth/link") return await this.#signIn(request, response);
    if (path === "/auth/sign-out") return this.#signOut(request, response);
    const session = this.#sessions.find(sessionIdOf(request));
    if (session === undefined) return refuse(response, 401, "Unauthorized", "You are not signed in.");
    if (path === "/auth/session") return answerJson(response, 200, session.person);
    await forward(request, response, session);
  }

  async #signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { link } = JSON.parse((await readBody(request)).toString()) as { link?: unknown };
    try {
      const credential = await openLink(this.#options.client, String(link));
      const { id, person } = await this.#sessions.begin(credential);
      this.#options.log.info("signed in", { user: person.name });
      setSession(response, id);
      answerJson(response, 200, person);
    } catch (error) {
      if (error instanceof LinkSpent) return refuse(response, 401, "Unauthorized", error.message);
      if (error instanceof StatusError && error.reason === "Unauthorized") {
        return refuse(response, 401, "Unauthorized", "The API server does not know who made this link.");
      }
      throw error;
    }
  }

  #signOut(request: IncomingMessage, response: ServerResponse): void {
    const id = sessionIdOf(request);
    if (id !== undefined) this.#sessions.end(id);
    setSession(response, undefined);
    answerJson(response, 200, {});
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const session = isOwnSocket(request) ? this.#sessions.find(sessionIdOf(request)) : undefined;
    const path = request.url ?? "";
    const below = path.startsWith(`${hubPrefix}/`) ? path.slice(hubPrefix.length) : "";
    if (session === undefined || (path !== "/live" && !isStreamPath(below))) {
      socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const { clock, hub } = this.#options;
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      if (path === "/live") serveLive(ws, session, clock);
      else joinStream(ws, below, session, hub);
    });
  }
}
