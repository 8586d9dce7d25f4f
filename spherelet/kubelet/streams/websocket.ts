/**
 * Remote commands over a WebSocket: the first byte of each message names its channel.
 * Source: k8s.io/apimachinery/pkg/util/remotecommand, KEP-4006
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Wish } from "../runtime.ts";
import { BytePipe } from "./pipe.ts";
import type { Remote } from "./remote.ts";

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
/** Best first. v5 can close a channel, by which input ends. */
const protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
const largestMessage = 1 << 20;
const mostUnsent = 1 << 20;
const mostUnread = 1 << 20;
const normal = 1000;

/** Whether a client asks for a WebSocket. */
export function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return (headers.upgrade ?? "").toLowerCase() === "websocket";
}

/** Accepts a WebSocket. @returns undefined when none of the protocols is known here; the client has been told */
export function acceptWebSocket(
  request: IncomingMessage,
  [socket, head]: readonly [Duplex, Buffer],
  known: readonly string[] = protocols,
): Promise<WebSocket | undefined> {
  const asked = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  const chosen = known.find((name) => asked.includes(name));
  if (chosen === undefined) {
    socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    return Promise.resolve(undefined);
  }
  const server = new WebSocketServer({ noServer: true, maxPayload: largestMessage, perMessageDeflate: false });
  // ws takes a "/" in a protocol's name for an error, and Kubernetes has such names: it is answered beside ws.
  delete request.headers["sec-websocket-protocol"];
  server.on("headers", (headers) => headers.push(`Sec-WebSocket-Protocol: ${chosen}`));
  return new Promise((resolve) => {
    socket.once("close", () => resolve(undefined));
    server.handleUpgrade(request, socket, head, (websocket) => resolve(websocket));
  });
}

/** The far end of a remote command. */
export function webSocketRemote(websocket: WebSocket, wish: Wish): Remote {
  const gone = new AbortController();
  const stdin = new BytePipe((unread) => {
    if (unread < mostUnread) websocket.resume();
  });
  const resizes = new BytePipe();
  websocket.on("message", (data: Buffer) => {
    const [channel] = data;
    const bytes = data.subarray(1);
    if (channel === channels.stdin && stdin.push(bytes) > mostUnread) websocket.pause();
    if (channel === channels.resize) resizes.push(bytes);
    if (channel === channels.close && bytes[0] === channels.stdin) stdin.end();
  });
  const leave = () => {
    stdin.end();
    resizes.end();
    gone.abort(new Error("the client went away"));
  };
  websocket.on("close", leave);
  websocket.on("error", leave);
  // Some clients wait for a first message to know that it has begun.
  void send(websocket, firstOf(wish), Buffer.alloc(0));
  return {
    stdin: wish.stdin ? stdin : undefined,
    resizes: wish.tty ? resizes : undefined,
    gone: gone.signal,
    write: (source, bytes) => send(websocket, source === "output" ? channels.stdout : channels.stderr, bytes),
    ping: () => websocket.ping(() => undefined),
    async finish(status) {
      await send(websocket, channels.error, Buffer.from(JSON.stringify(status)));
      // Input that nobody will read must not hide the client's answer.
      stdin.end();
      websocket.resume();
      websocket.close(normal);
    },
  };
}

/** Source: k8s.io/kubelet/pkg/cri/streaming/remotecommand/websocket.go */
function firstOf(wish: Wish): number {
  if (wish.stdout) return channels.stdout;
  return wish.stderr ? channels.stderr : channels.error;
}

/** Sends, and waits while too much is unsent. */
function send(websocket: WebSocket, channel: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const isFull = websocket.bufferedAmount > mostUnsent;
    websocket.send(Buffer.concat([Buffer.of(channel), bytes]), () => {
      if (isFull) resolve();
    });
    if (!isFull) resolve();
  });
}
