/** A user who sends as fast as the server answers, on many connections, in a thread of its own, until told to stop. */
import { parentPort, workerData } from "node:worker_threads";
import { Connections, type Target } from "./load.ts";

/** What the flood came to. */
export interface Flooded {
  readonly sent: number;
  readonly refused: number;
}

const { target, lanes, path } = workerData as { target: Target; lanes: number; path: string };
const connections = new Connections(target, lanes);
let over = false;
let sent = 0;
let refused = 0;

parentPort?.once("message", () => {
  over = true;
  parentPort?.postMessage({ sent, refused } satisfies Flooded);
  connections.close();
});

await Promise.allSettled(
  Array.from({ length: lanes }, async () => {
    while (!over) {
      sent++;
      await connections.send({ method: "GET", path }).catch(() => refused++);
    }
  }),
);
