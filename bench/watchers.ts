/** Many watchers on one collection: how long after its POST was sent an event reaches each. */
import { Agent, request } from "node:https";
import { Connections, quantile, type Target } from "./load.ts";

/** What one watcher may be told of. */
const watchMaxBytes = 1024 * 1024;

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
  const done = Promise.withResolvers<void>();
  let left = watchers * events;
  const arrived = (count: number) => {
    left -= count;
    if (left <= 0) done.resolve();
  };
  const open = await Promise.all(Array.from({ length: watchers }, () => watch(target, path, arrived)));
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
  // Those that come twice come now.
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const { close } of open) close();
  connections.close();
  const judged = open.map(({ arrivals, bytes }) => judge(arrivals, bytes, sentAt));
  const delays = judged.flatMap((each) => each.delays);
  const wrong = judged.reduce((sum, each) => sum + each.wrong, 0);
  return { p50Ms: quantile(delays, 0.5), p99Ms: quantile(delays, 0.99), wrong };
}

/** When the bytes up to an end were there. */
interface Arrival {
  readonly atMs: number;
  readonly end: number;
}

/** Read once the load is over, so that reading takes nothing from the server. */
function judge(
  arrivals: readonly Arrival[],
  bytes: Buffer,
  sentAt: ReadonlyMap<string, number>,
): { delays: number[]; wrong: number } {
  const delays: number[] = [];
  const seen = new Set<string>();
  let [begin, wrong, last] = [0, 0, 0];
  for (const { atMs, end } of arrivals) {
    for (let stop = bytes.indexOf(10, begin); stop >= 0 && stop < end; stop = bytes.indexOf(10, begin)) {
      const line = bytes.toString("utf8", begin, stop);
      begin = stop + 1;
      const { type, object } = JSON.parse(line);
      const { name, resourceVersion } = object.metadata;
      const sentMs = sentAt.get(name);
      if (type !== "ADDED" || sentMs === undefined || seen.has(name) || Number(resourceVersion) <= last) wrong++;
      last = Number(resourceVersion);
      seen.add(name);
      delays.push(atMs - (sentMs ?? atMs));
    }
  }
  return { delays, wrong: wrong + sentAt.size - seen.size };
}

interface Watching {
  readonly arrivals: readonly Arrival[];
  readonly bytes: Buffer;
  readonly close: () => void;
}

/** @param arrived told of how many events each piece brings the end */
async function watch(target: Target, path: string, arrived: (count: number) => void): Promise<Watching> {
  const { url, ca, cert, key } = target;
  const base = new URL(url);
  const from = new Connections(target, 1);
  const list = JSON.parse((await from.send({ method: "GET", path: `${path}?limit=1` })).toString());
  from.close();
  const query = `?watch=true&resourceVersion=${list.metadata.resourceVersion}`;
  // Held and written to from the start: to collect garbage meanwhile would delay what is measured.
  const bytes = Buffer.alloc(watchMaxBytes, 1);
  return await new Promise((resolve, reject) => {
    const agent = new Agent({ ca, cert, key });
    const sent = request({ host: base.hostname, port: base.port, path: path + query, agent }, (response) => {
      const arrivals: Arrival[] = [];
      let end = 0;
      response.on("error", () => {});
      response.on("data", (chunk: Buffer) => {
        chunk.copy(bytes, end);
        end += chunk.length;
        arrivals.push({ atMs: performance.now(), end });
        let ends = 0;
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) ends++;
        arrived(ends);
      });
      resolve({ arrivals, bytes, close: () => sent.destroy() });
    });
    sent.on("error", reject);
    sent.end();
  });
}
