/**
 * Lets new connections in a few at a time: a handshake takes milliseconds of the one thread, and whoever opens a hundred
 * connections at once is not to keep everybody else waiting for all of their handshakes.
 */
import type { Server, Socket } from "node:net";

/** Handshakes begun before everything else has its turn. */
const perTurn = 2;

/** Puts itself before a TLS server's own handling of connections. */
export function pace(server: Server): void {
  const handlers = server.listeners("connection");
  server.removeAllListeners("connection");
  const waiting: Socket[] = [];
  const turn = () => {
    for (const socket of waiting.splice(0, perTurn)) {
      socket.off("error", ignore);
      if (!socket.destroyed) for (const handler of handlers) handler.call(server, socket);
    }
    if (waiting.length > 0) setImmediate(turn);
  };
  server.on("connection", (socket: Socket) => {
    socket.on("error", ignore);
    if (waiting.push(socket) === 1) setImmediate(turn);
  });
}

/** A peer that goes away before its turn is no error of ours. */
function ignore(): void {}
