/**
 * Requests that ask to become something else (WebSocket, SPDY). They run through the same stages as any other, and only
 * a proxy's answer takes the socket; every other answer is an ordinary one, after which the connection ends.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

// Not imported: for the names of a module that is imported, Node loads all of its fetch(), 40 ms of every start.
const { ServerResponse: NodeResponse } = process.getBuiltinModule("node:http");

/** The answer to a request that may take over its connection. */
export class UpgradeResponse extends NodeResponse {
  readonly #peer: Duplex;
  readonly #head: Buffer;

  constructor(request: IncomingMessage, socket: Duplex, head: Buffer) {
    super(request);
    this.#peer = socket;
    this.#head = head;
    this.shouldKeepAlive = false;
    this.assignSocket(socket as Parameters<ServerResponse["assignSocket"]>[0]);
    this.once("finish", () => socket.end());
    // A peer that goes away is no error of ours.
    socket.on("error", () => socket.destroy());
  }

  /** The connection itself, with what the client sent ahead; this answer is over. */
  take(): { socket: Duplex; head: Buffer } {
    this.detachSocket(this.#peer as Parameters<ServerResponse["detachSocket"]>[0]);
    this.#peer.once("close", () => this.emit("close"));
    // For whoever counts and records answers; what is on the wire is the backend's.
    this.statusCode = 101;
    return { socket: this.#peer, head: this.#head };
  }

  /** Cuts the connection, also after it was taken over. */
  override destroy(error?: Error): this {
    this.#peer.destroy(error);
    return super.destroy(error);
  }
}

type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** For the listener: runs an upgrade through the pipeline. One with a body is refused, for nobody could read it. */
export function upgrades(handle: Handle) {
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const { "content-length": length = "0", "transfer-encoding": encoding } = request.headers;
    if (encoding !== undefined || Number(length) !== 0) {
      socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    void handle(request, new UpgradeResponse(request, socket, head));
  };
}
