/**
 * Asks the clusters, each by its agent's tunnel and all at once, what policies would do there that are not applied yet. Nothing is
 * stored for it: a dry run must leave no trace. Source: docs/rfd/0039-trying-policies.md
 */
import type { IncomingHttpHeaders } from "node:http";
import { readVerdict, type Trial, trialHeader, type Verdict } from "@atoll/api/fleet/trial";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import type { Client } from "@atoll/client/client";
import { type Clock, parseTime } from "@atoll/machinery/clock";
import { homeOf } from "../cluster/names.ts";
import type { Difference } from "../explain/plan.ts";
import { type Answer, linesOf, stakeOf } from "../explain/trial.ts";
import { isAllowed, type Person } from "./people.ts";
import type { Tunnel, Tunnels } from "./tunnels.ts";

/** What asking takes. */
interface Asking {
  readonly client: Client;
  readonly tunnels: Tunnels;
  readonly clock: Clock;
}

/** Agents look for so long; what they have by then they tell. */
const lookForMs = 4_000;
/** Whoever has not told by then is not waited for. */
const waitForMs = 5_000;
const largestVerdict = 1024 * 1024;

/** At once, of one gateway: each has every cluster concerned look through all it has. */
const mostAtOnce = 4;

/** The trials of one gateway. */
export class Trials {
  readonly #asking: Asking;
  #running = 0;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** What to tell a person of objects that the clusters have. @returns nothing when no policy changes that is about objects */
  async tell(person: Person, differences: readonly Difference[]): Promise<readonly string[]> {
    const asked = differences.flatMap((difference) => {
      const stake = stakeOf(difference);
      return stake === undefined ? [] : [{ cluster: difference.cluster, stake }];
    });
    if (asked.length === 0) return [];
    if (this.#running >= mostAtOnce) return [busy];
    this.#running += 1;
    try {
      return linesOf(await answersOf(this.#asking, person, asked));
    } finally {
      this.#running -= 1;
    }
  }
}

const busy = "what exists on the clusters was not looked at, since others try policies just now; try again";

interface Asked {
  readonly cluster: FleetCluster;
  readonly stake: Pick<Trial, "before" | "after">;
}

async function answersOf(asking: Asking, person: Person, asked: readonly Asked[]): Promise<readonly Answer[]> {
  const isShownAll = await mayRead(asking.client, person, undefined);
  return await Promise.all(
    asked.map(async ({ cluster, stake }) => {
      const [verdict, isShown] = await Promise.all([
        ask(asking, cluster, { ...stake, withinMs: lookForMs }),
        isShownAll || mayRead(asking.client, person, cluster),
      ]);
      return { cluster: cluster.metadata.name ?? "", verdict, isShown, after: stake.after };
    }),
  );
}

/** The names of what breaks policies are in a cluster's report. @param cluster undefined: in those of all */
async function mayRead(client: Client, person: Person, cluster: FleetCluster | undefined): Promise<boolean> {
  const report = { group: "fleet.atoll.dev", resource: "clusterreports", verb: "get" };
  const which = cluster === undefined ? {} : { namespace: homeOf(cluster), name: "cluster" };
  return await isAllowed(person, { ...report, ...which }, client).catch(() => false);
}

/** @returns why there is no answer, otherwise */
async function ask(asking: Asking, cluster: FleetCluster, trial: Trial): Promise<Verdict | string> {
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const stop = new AbortController();
  const timer = asking.clock.after(waitForMs, () => resolve(`its agent did not answer within ${waitForMs / 1_000} s`));
  const asked = askFor(asking, { cluster, trial, signal: stop.signal }).catch(
    () => "its agent's connection broke; try again",
  );
  try {
    return await Promise.race([asked, late]);
  } finally {
    timer.cancel();
    stop.abort();
  }
}

interface Question {
  readonly cluster: FleetCluster;
  readonly trial: Trial;
  /** Nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** @throws {Error} the tunnel broke */
async function askFor({ tunnels, clock }: Asking, { cluster, trial, signal }: Question): Promise<Verdict | string> {
  const tunnel = await tunnels.to(homeOf(cluster));
  signal.throwIfAborted();
  return tunnel === undefined ? awayFor(cluster, clock.nowMs()) : await exchange(tunnel, trial, signal);
}

function awayFor({ status, spec }: FleetCluster, nowMs: number): string {
  if (spec.revoked === true) return "its agent is revoked";
  if (status?.phase === "Fenced") return "two agents use its identity, and neither is let in";
  if (status?.lastSeen === undefined) return "its agent has not come in yet";
  const seen = `last seen ${ago(nowMs - parseTime(status.lastSeen))} ago`;
  if (status.phase !== "Ready") return `its agent is away, ${seen}`;
  return `its agent holds no connection for questions, ${seen}`;
}

const minuteMs = 60_000;

function ago(ms: number): string {
  if (ms < minuteMs) return `${Math.max(0, Math.round(ms / 1_000))} s`;
  return ms < 120 * minuteMs ? `${Math.round(ms / minuteMs)} min` : `${Math.round(ms / (60 * minuteMs))} h`;
}

/** @throws {Error} the tunnel broke */
async function exchange({ session }: Tunnel, trial: Trial, signal: AbortSignal): Promise<Verdict | string> {
  const stream = session.request({ ":method": "POST", ":path": "/", [trialHeader]: "true" }, { endStream: false });
  const end = () => stream.close();
  signal.addEventListener("abort", end, { once: true });
  const status = new Promise<number>((resolve, reject) => {
    stream.once("response", (headers: IncomingHttpHeaders) => resolve(Number(headers[":status"])));
    stream.once("error", reject);
    stream.once("close", () => reject(new Error("the stream ended")));
  });
  stream.end(JSON.stringify(trial));
  const code = await status;
  if (code === 403) return "its agent is of a version that cannot try policies";
  const text = await textOf(stream);
  const verdict = code === 200 ? readVerdict(JSON.parse(text)) : undefined;
  return verdict ?? "its agent could not look; its log says why";
}

/** @throws {Error} it is too long */
async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > largestVerdict) throw new Error("the answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
