/** Stands before a test etcd's peer port, so that members can be cut off from each other while clients reach them. */
import { once } from "node:events";
import net from "node:net";

/** Connections from the peers of one member. */
export class PeerProxy {
  /** Where the member itself listens. */
  readonly targetUrl: string;
  readonly #port: number;
  readonly #server: net.Server;
  // With the id of the peer that made each, once it has said it.
  readonly #connections = new Map<net.Socket, string>();
  #memberId = "";
  #refused: (peer: string) => boolean = () => false;

  constructor(port: number) {
    this.targetUrl = `http://127.0.0.1:${port}`;
    this.#port = port;
    this.#server = net.createServer((socket) => this.#take(socket));
  }

  /** Where its peers connect. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy does not listen");
    return `http://127.0.0.1:${address.port}`;
  }

  /** The member's id, as its peers call it. */
  get memberId(): string {
    if (this.#memberId === "") throw new Error("no peer has called this member yet");
    return this.#memberId;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  /** Breaks and refuses connections of the peers that the condition says; a peer that has not said who it is has no name. */
  refuse(isRefused: (peer: string) => boolean): void {
    this.#refused = isRefused;
    for (const [socket, peer] of this.#connections) if (isRefused(peer)) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.refuse(() => true);
  }

  // Peers say who they are in the headers of their requests: etcd's server/etcdserver/api/rafthttp.
  #take(socket: net.Socket): void {
    if (this.#refused("")) return void socket.destroy();
    const upstream = net.connect(this.#port, "127.0.0.1");
    this.#connections.set(socket, "");
    socket.on("data", (chunk: Buffer) => {
      if (this.#connections.get(socket) === "") this.#identify(socket, chunk.toString("latin1"));
      if (!socket.destroyed) upstream.write(chunk);
    });
    upstream.pipe(socket);
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.on("error", () => one.destroy());
      one.on("close", () => other.destroy());
    }
    socket.on("close", () => this.#connections.delete(socket));
  }

  #identify(socket: net.Socket, head: string): void {
    const from = /^X-Server-From: (\w+)/im.exec(head)?.[1];
    this.#memberId = /^X-Raft-To: (\w+)/im.exec(head)?.[1] ?? this.#memberId;
    if (from === undefined) return;
    this.#connections.set(socket, from);
    if (this.#refused(from)) socket.destroy();
  }
}
