/**
 * Clusters for `./atoll bench fleet`: real API servers on memory storage, each with the real agent, many in one process.
 * Told what to do, and telling what happened, by messages of the process that started it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent } from "@atoll/agent/agent";
import { AgentIdentity } from "@atoll/agent/identity";
import { ensureAgentNamespace } from "@atoll/agent/inventory";
import { builtinKinds } from "@atoll/api/catalog";
import { Client } from "@atoll/client/client";
import { type Clock, systemClock, type Timer } from "@atoll/machinery/clock";
import { silent } from "@atoll/runtime/log";
import { type Identity, nodeTransport } from "@atoll/runtime/transport";
import { openPki } from "@atoll/server/pki/folder";
import { startServer } from "@atoll/server/server";
import { subresourceHandlers } from "@atoll/server/subresources/handlers";
import { openMemory } from "@atoll/storage/memory";
import type { Store } from "@atoll/storage/store";

/** What the farm is told. */
export type Order =
  | { readonly do: "attach"; readonly at: number; readonly token: string; readonly url: string; readonly ca: string }
  /** Say when each cluster has a policy that says so; in milliseconds since 1970. */
  | { readonly do: "expect"; readonly text: string }
  /** So much time is over here. */
  | { readonly do: "pass"; readonly ms: number };

/** What the farm tells. */
export type Told =
  | { readonly is: "ready" }
  | { readonly is: "attached"; readonly at: number }
  | { readonly is: "failed"; readonly at: number; readonly message: string }
  | { readonly is: "has"; readonly at: number; readonly atMs: number };

interface Cluster {
  readonly at: number;
  readonly store: Store;
  readonly client: Client;
}

const policies = "/registry/admissionregistration.k8s.io/validatingadmissionpolicies/";

/** The machine's clock, put forward now and then: what waited for a moment that is over by then wakes at once. */
class ForwardClock implements Clock {
  #aheadMs = 0;
  readonly #waiting = new Set<{ readonly atMs: number; wake(): void }>();

  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs() + this.#aheadMs;
  }

  after(afterMs: number, wake: () => void, options: { unref?: boolean } = {}): Timer {
    const cancel = () => {
      timer.cancel();
      this.#waiting.delete(waiting);
    };
    const waiting = {
      atMs: this.monotonicMs() + afterMs,
      wake: () => {
        cancel();
        wake();
      },
    };
    const timer = systemClock.after(afterMs, waiting.wake, options);
    this.#waiting.add(waiting);
    return { cancel };
  }

  sleep(afterMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const abort = () => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.after(afterMs, () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      });
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  pass(ms: number): void {
    this.#aheadMs += ms;
    for (const waiting of [...this.#waiting]) if (waiting.atMs <= this.monotonicMs()) waiting.wake();
  }
}

const clock = new ForwardClock();
const stop = new AbortController();
const nowMs = () => performance.timeOrigin + performance.now();

function tell(told: Told): void {
  process.send?.(told);
}

const clientTo = (server: string, identity: Identity) =>
  new Client({ transport: nodeTransport({ server, identity, clock }), clock, userAgent: "atoll-bench" });

/** A cluster without an agent yet. */
async function startCluster(at: number): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), "atoll-farm-"));
  const store = openMemory();
  const pki = await openPki(folder, ["127.0.0.1"], clock.nowMs());
  const server = await startServer({
    ...{ store, pki, clock, kinds: builtinKinds(), log: { info: () => {}, error: () => {} } },
    ...{ bind: "127.0.0.1", port: 0, serviceCidr: "10.96.0.0/12", advertise: "127.0.0.1" },
    ...{ subresources: subresourceHandlers(), version: "bench" },
  });
  await rm(folder, { recursive: true });
  const tls = { ca: pki.ca.cert, cert: pki.admin.cert, key: pki.admin.key };
  const identity = { tls: async () => tls, authorization: async () => undefined };
  return { at, store, client: clientTo(`https://127.0.0.1:${server.port}`, identity) };
}

async function attach({ at, client: cluster }: Cluster, { token, url, ca }: Order & { do: "attach" }): Promise<void> {
  await ensureAgentNamespace(cluster);
  const identity = await AgentIdentity.open(cluster, { url, ca }, { clock, token });
  const hub = clientTo(url, identity);
  const { hubNamespace } = identity;
  const agent = new Agent({
    ...{ hub, hubNamespace, cluster, clock, log: silent },
    ...{ instance: `farm-${at}`, version: "bench" },
  });
  void agent.run(stop.signal);
  tell({ is: "attached", at });
}

/** Tells the first time that a policy with the text is in the cluster. */
async function follow({ at, store }: Cluster, wanted: () => string): Promise<void> {
  let last = "";
  store.watch(policies, await store.revision(), {
    changes(changes) {
      const text = wanted();
      if (text === "" || text === last) return;
      if (!changes.some(({ entry }) => entry?.value.includes(text))) return;
      last = text;
      tell({ is: "has", at, atMs: nowMs() });
    },
    progress() {},
    ended() {},
  });
}

async function run(from: number, count: number): Promise<void> {
  const clusters = new Map<number, Cluster>();
  let text = "";
  for (let at = from; at < from + count; at++) clusters.set(at, await startCluster(at));
  process.on("message", (order: Order) => {
    if (order.do === "expect") text = order.text;
    if (order.do === "pass") clock.pass(order.ms);
    const cluster = order.do === "attach" ? clusters.get(order.at) : undefined;
    if (order.do !== "attach" || cluster === undefined) return;
    Promise.all([follow(cluster, () => text), attach(cluster, order)]).catch((error: unknown) => {
      tell({ is: "failed", at: cluster.at, message: String(error) });
    });
  });
  process.once("SIGTERM", () => process.exit(0));
  tell({ is: "ready" });
}

await run(Number(process.argv[2]), Number(process.argv[3]));
