/**
 * Port forwarding: SPDY on the connection itself, or inside a WebSocket. For each connection the client opens an error
 * stream and a data stream that share a request id.
 * Source: k8s.io/kubelet/pkg/cri/streaming/portforward; KEP-4006
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { createWebSocketStream } from "ws";
import type { Clock } from "@atoll/machinery/clock";
import { keepAsking } from "./pings.ts";
import { SpdyConnection, type SpdyStream } from "./spdy.ts";
import { acceptSpdy } from "./spdyremote.ts";
import { acceptWebSocket, wantsWebSocket } from "./websocket.ts";

const spdyProtocol = "portforward.k8s.io";
const tunnelled = "SPDY/3.1+portforward.k8s.io";
const mostWaiting = 100;

/** Connects to a port of the pod. */
export type Dial = (port: number) => Promise<Duplex>;

/** Serves one client until it goes away. */
export async function servePortForward(
  request: IncomingMessage,
  socket: Duplex,
  { head, dial, clock }: { readonly head: Buffer; readonly dial: Dial; readonly clock: Clock },
): Promise<void> {
  const carrier = await carrierOf(request, socket, head);
  if (carrier === undefined) return;
  const waiting = new Map<string, SpdyStream>();
  const connection = new SpdyConnection(carrier, (stream) => {
    const id = stream.headers.get("requestid") ?? "";
    if (stream.headers.get("streamtype") === "error") {
      waiting.set(id, stream);
      if (waiting.size > mostWaiting) connection.close();
      return;
    }
    const errors = waiting.get(id);
    waiting.delete(id);
    void forwardOne(connection, { data: stream, errors }, dial);
  });
  const gone = new AbortController();
  void keepAsking(clock, gone.signal, () => connection.ping());
  await connection.run().catch(() => undefined);
  gone.abort(new Error("the client went away"));
}

async function carrierOf(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<Duplex | undefined> {
  if (wantsWebSocket(request)) {
    const websocket = await acceptWebSocket(request, [socket, head], [tunnelled]);
    return websocket === undefined ? undefined : createWebSocketStream(websocket);
  }
  if (head.length > 0) socket.unshift(head);
  return acceptSpdy(request, socket, spdyProtocol) ? socket : undefined;
}

interface Pair {
  readonly data: SpdyStream;
  readonly errors: SpdyStream | undefined;
}

async function forwardOne(connection: SpdyConnection, { data, errors }: Pair, dial: Dial): Promise<void> {
  const port = Number(data.headers.get("port"));
  try {
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error("a port is a number from 1 to 65535");
    const target = await dial(port);
    // Whoever goes away takes the connection along, however much it still has to say.
    data.onCut(() => target.destroy());
    await Promise.all([toTarget(data, target), fromTarget(target, data)]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    await errors?.write(Buffer.from(`error forwarding port ${port} to pod: ${why}`));
  } finally {
    await errors?.end();
    await data.end();
    connection.forget(data);
    if (errors !== undefined) connection.forget(errors);
  }
}

async function toTarget(data: SpdyStream, target: Duplex): Promise<void> {
  for await (const bytes of data) {
    if (target.destroyed) return;
    if (!target.write(bytes)) await new Promise<void>((resolve) => onceAny(target, ["drain", "close"], resolve));
  }
  target.end();
}

async function fromTarget(target: Duplex, data: SpdyStream): Promise<void> {
  target.on("error", () => target.destroy());
  try {
    for await (const bytes of target as AsyncIterable<Buffer>) await data.write(bytes);
  } catch {
    // Cut off: the client sees the end of the stream.
  }
  await data.end();
  // Nothing the client still sends can arrive anywhere.
  target.destroy();
  data.finish();
}

function onceAny(target: Duplex, events: readonly string[], callback: () => void): void {
  const done = () => {
    for (const event of events) target.off(event, done);
    callback();
  };
  for (const event of events) target.on(event, done);
}
