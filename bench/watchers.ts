/** Many watchers on one collection: how long after its POST was sent an event reaches each. */
import { Agent, request } from "node:https";
import { Connections, quantile, type Target } from "./load.ts";

export interface FanOut {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Events that came twice, not at all, or out of order; anything but 0 is a failure of the server. */
  readonly wrong: number;
}

/** @param path of the collection; every watcher must see every creation once */
export async function fanOut(
  target: Target,
  path: string,
  { watchers, events, make }: { watchers: number; events: number; make: (name: string) => string },
): Promise<FanOut> {
  const sentAt = new Map<string, number>();
  const delays: number[] = [];
  const seen = Array.from({ length: watchers }, () => new Set<string>());
  let wrong = 0;
  const done = Promise.withResolvers<void>();
  const take = (own: Set<string>, line: string, atMs: number) => {
    const name = /"name":"([^"]+)"/.exec(line)?.[1] ?? "";
    if (own.has(name) || !sentAt.has(name)) wrong++;
    own.add(name);
    delays.push(atMs - (sentAt.get(name) ?? atMs));
    if (delays.length === watchers * events) done.resolve();
  };
  const open = await Promise.all(seen.map((own) => watch(target, path, (line, atMs) => take(own, line, atMs))));
  const connections = new Connections(target, 8);
  let next = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (next < events) {
        const name = `fan-${next++}`;
        sentAt.set(name, performance.now());
        await connections.send({ method: "POST", path, body: make(name) });
      }
    }),
  );
  await Promise.race([done.promise, new Promise((resolve) => setTimeout(resolve, 30_000).unref())]);
  for (const close of open) close();
  connections.close();
  const missing = seen.reduce((sum, own) => sum + (events - own.size), 0);
  return { p50Ms: quantile(delays, 0.5), p99Ms: quantile(delays, 0.99), wrong: wrong + missing };
}

async function watch(target: Target, path: string, onLine: (line: string, atMs: number) => void): Promise<() => void> {
  const { url, ca, cert, key } = target;
  const base = new URL(url);
  const from = new Connections(target, 1);
  const list = JSON.parse((await from.send({ method: "GET", path: `${path}?limit=1` })).toString());
  from.close();
  const query = `?watch=true&resourceVersion=${list.metadata.resourceVersion}`;
  return await new Promise((resolve, reject) => {
    const agent = new Agent({ ca, cert, key });
    const sent = request({ host: base.hostname, port: base.port, path: path + query, agent }, (response) => {
      let rest = "";
      response.on("error", () => {});
      response.on("data", (chunk: Buffer) => {
        const atMs = performance.now();
        const lines = (rest + chunk.toString()).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) onLine(line, atMs);
      });
      resolve(() => sent.destroy());
    });
    sent.on("error", reject);
    sent.end();
  });
}
