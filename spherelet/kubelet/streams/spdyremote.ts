/**
 * Remote commands over SPDY/3.1: the client opens a stream for each of error, stdin, stdout, stderr, resize.
 * Source: k8s.io/kubelet/pkg/cri/streaming/remotecommand (v4.channel.k8s.io)
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "@atoll/machinery/clock";
import type { Wish } from "../runtime.ts";
import type { Remote } from "./remote.ts";
import { SpdyConnection, type SpdyStream } from "./spdy.ts";

const protocol = "v4.channel.k8s.io";
const streamsWithinMs = 30_000;

/** Whether a client asks for SPDY. */
export function wantsSpdy({ headers }: IncomingMessage): boolean {
  return (headers.upgrade ?? "").toLowerCase() === "spdy/3.1";
}

/** Says that it is SPDY from here on. @returns false when the client knows none of the protocols; it has been told */
export function acceptSpdy(request: IncomingMessage, socket: Duplex, known: string = protocol): boolean {
  const asked = String(request.headers["x-stream-protocol-version"] ?? "")
    .split(",")
    .map((name) => name.trim());
  if (!asked.includes(known)) {
    socket.end(
      `HTTP/1.1 403 Forbidden\r\nx-accepted-stream-protocol-versions: ${known}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
    );
    return false;
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${known}\r\n\r\n`,
  );
  return true;
}

/** The far end of a remote command, once it has opened its streams; undefined when it does not in time. */
export async function spdyRemote(socket: Duplex, wish: Wish, clock: Clock): Promise<Remote | undefined> {
  const wanted = [
    "error",
    ...(["stdin", "stdout", "stderr"] as const).filter((name) => wish[name]),
    ...(wish.tty ? ["resize"] : []),
  ];
  const streams = new Map<string, SpdyStream>();
  const gone = new AbortController();
  const ready = Promise.withResolvers<void>();
  const connection = new SpdyConnection(socket, (stream) => {
    streams.set(stream.headers.get("streamtype") ?? "", stream);
    if (wanted.every((name) => streams.has(name))) ready.resolve();
  });
  connection
    .run()
    .catch(() => undefined)
    .finally(() => gone.abort(new Error("the client went away")));
  const waiting = new AbortController();
  gone.signal.addEventListener("abort", () => waiting.abort(), { once: true });
  const late = clock.sleep(streamsWithinMs, waiting.signal).then(
    () => false,
    () => false,
  );
  const inTime = await Promise.race([ready.promise.then(() => true), late]);
  waiting.abort();
  if (!inTime) {
    connection.close();
    return undefined;
  }
  return {
    stdin: streams.get("stdin"),
    resizes: streams.get("resize"),
    gone: gone.signal,
    write: async (source, bytes) => await streams.get(source === "output" ? "stdout" : "stderr")?.write(bytes),
    ping: () => connection.ping(),
    async finish(status) {
      await streams.get("error")?.write(Buffer.from(JSON.stringify(status)));
      for (const stream of streams.values()) {
        await stream.end();
        // Input that nobody will read must not keep the connection from being read to its end.
        connection.forget(stream);
      }
      connection.close();
    },
  };
}
