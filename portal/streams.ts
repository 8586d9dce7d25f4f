/** Streams to a container (exec, attach): the page's WebSocket joined to one of the API server's. */
import { WebSocket } from "ws";
import type { Hub, Session } from "./sessions.ts";

/** Source: k8s.io/apimachinery/pkg/util/remotecommand/constants.go */
export const streamProtocol = "v5.channel.k8s.io";

const streamPath = /^\/api\/v1\/namespaces\/[a-z0-9-]+\/pods\/[a-z0-9.-]+\/(exec|attach)\?/;
const highWater = 1024 * 1024;

/** Whether streams may be joined to it. @param path with its query, as the API server has it */
export const isStreamPath = (path: string): boolean => streamPath.test(path);

/** Joins them until one closes; the other is closed the same way. */
export async function joinStream(page: WebSocket, path: string, session: Session, hub: Hub): Promise<void> {
  page.pause();
  const { tls } = session.identity;
  const authorization = await session.identity.authorization();
  const headers = authorization === undefined ? {} : { authorization };
  const url = hub.server.replace(/^http/, "ws").replace(/\/$/, "") + path;
  const server = new WebSocket(url, [streamProtocol], { ...(hub.ca === "" ? {} : { ca: hub.ca }), ...tls, headers });
  server.once("open", () => page.resume());
  server.on("unexpected-response", (_, answer) => {
    const chunks: Buffer[] = [];
    answer.on("data", (chunk: Buffer) => chunks.push(chunk));
    answer.on("end", () => page.close(4000, sentence(Buffer.concat(chunks).toString(), answer.statusCode)));
  });
  server.on("error", () => page.close(4000, "the API server does not answer"));
  pass(page, server);
  pass(server, page);
  session.ended.addEventListener("abort", () => {
    page.close(4401, "signed out");
    server.terminate();
  });
}

function pass(from: WebSocket, to: WebSocket): void {
  from.on("message", (data, isBinary) => {
    if (to.readyState !== WebSocket.OPEN) return;
    to.send(data as Buffer, { binary: isBinary }, () => {
      if (from.isPaused && to.bufferedAmount < highWater) from.resume();
    });
    if (to.bufferedAmount > highWater) from.pause();
  });
  from.on("error", () => to.terminate());
  from.on("close", (code, reason) => {
    const isFit = code === 1000 || (code >= 4000 && code < 5000);
    to.close(isFit ? code : 1000, reason.toString());
  });
}

/** What a refusal says; a WebSocket's last words have room for 123 bytes. */
function sentence(body: string, code = 0): string {
  try {
    const { message = "" } = JSON.parse(body) as { message?: string };
    return message.slice(0, 120);
  } catch {
    return `the API server answers ${code}`;
  }
}
