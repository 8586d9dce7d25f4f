/** The console's server: the page, who is signed in, and their way to the API server. Design: docs/rfd/0030-console.md */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { agentImagePath, answerAgentImage } from "./agentimage.ts";
import { answerJson, BodyTooLarge, refuse } from "./answer.ts";
import { Assets } from "./assets.ts";
import { Doors, type DoorsOptions } from "./doors.ts";
import { forward, hubPrefix } from "./forward.ts";
import { harden, isOwn, isOwnSocket, sessionIdOf } from "./guard.ts";
import { serveLive } from "./live.ts";
import { type Hub, Sessions } from "./sessions.ts";
import { isStreamPath, joinStream, streamProtocol } from "./streams.ts";

/** What a portal is made of. */
export interface PortalOptions extends DoorsOptions {
  readonly hub: Hub;
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
  readonly #doors: Doors;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 1024 * 1024,
    handleProtocols: (offered) => (offered.has(streamProtocol) ? streamProtocol : false),
  });

  constructor(options: PortalOptions, sessions: Sessions, assets: Assets) {
    this.#options = options;
    this.#sessions = sessions;
    this.#assets = assets;
    this.#doors = new Doors(options, sessions);
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
    const isCall = path.startsWith("/auth/") || path.startsWith(`${hubPrefix}/`) || path === agentImagePath;
    if (isCall) return await this.#call(path, request, response);
    if (request.method === "GET" || request.method === "HEAD") return this.#assets.serve(request, response);
    refuse(response, 405, "MethodNotAllowed", "Pages are read only.");
  }

  async #call(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const way = this.#doors.waysIn[path];
    const isVisit = way?.isVisit === true && request.method === "GET";
    if (!isVisit && !isOwn(request))
      return refuse(response, 403, "Forbidden", "Only the console's own page may ask this.");
    if (way !== undefined) return await way.answer(request, response);
    const id = sessionIdOf(request) ?? "";
    const session = this.#sessions.find(id);
    if (session === undefined) return refuse(response, 401, "Unauthorized", "You are not signed in.");
    if (path === "/auth/session") return answerJson(response, 200, session.person);
    if (path === agentImagePath) return await answerAgentImage(request, response, session);
    const status = await forward(request, response, session);
    // The API server knows the person no more: a token that ended, or was taken back.
    if (status === 401) this.#sessions.end(id);
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
      else void joinStream(ws, below, session, hub);
    });
  }
}
