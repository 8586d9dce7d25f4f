/**
 * The fleet agent: keeps one cluster as the hub wants it, and tells the hub how it is.
 *
 *     Works on the hub ──┐                    ┌─► objects of the cluster
 *     drift here ────────┼─► one pass: plan ──┤
 *     a minute passed ───┘                    └─► status of the Works
 *
 * Without the hub, passes go on with what was last seen, so drift is still put back.
 */
import type { Trial, Verdict } from "@atoll/api/fleet/trial";
import { ClusterReport } from "@atoll/api/fleet/v1alpha1/clusterreport";
import { Work } from "@atoll/api/fleet/v1alpha1/work";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { Cache } from "@atoll/client/informer/cache";
import type { Informer } from "@atoll/client/informer/informer";
import { groupResource, type Key, metadataOf, type PartialObject, type Resource, toKey } from "@atoll/client/resource";
import { Namespace } from "@atoll/client/builtin";
import type { Clock } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import type { Log } from "@atoll/runtime/log";
import { applyItem, type Cluster, managedLabel, type Outcome, removeObject } from "./apply.ts";
import { Census } from "./census.ts";
import { Departure } from "./departure.ts";
import { InventoryRecord } from "./inventory.ts";
import { type Item, type Plan, plan, stagesOf } from "./plan.ts";
import { gatherReport } from "./report.ts";
import { Resources } from "./resources.ts";
import { tellReports } from "./policyreports.ts";
import { scan } from "./scan.ts";
import { statusesOf } from "./status.ts";
import { gatherUsage, type Usage } from "./usage.ts";
import { tryPolicies } from "./trial.ts";
import { type Found, Judges, nothingFound } from "./violations.ts";

/** What an agent needs. */
export interface AgentOptions {
  /** The hub, as the agent. */
  readonly hub: Client;
  /** The cluster's namespace there. */
  readonly hubNamespace: string;
  /** The cluster. */
  readonly cluster: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** Names this run. */
  readonly instance: string;
  readonly version: string;
}

const passEveryMs = 60_000;
const retryMs = 5_000;
const reportEveryMs = 30_000;
const scanEveryMs = 60_000;
const censusEveryMs = 60_000;
const usageEveryMs = 60_000;
/** A scan costs more than a pass, and is less urgent: it waits longer for changes that come together. */
const scanGatherMs = 2_000;
/** The hub that was away is asked for again at least this often, ms, as for reports; by chance half as long again. */
const hubRetryMs = 5_000;
/** Objects that are applied at the same time. */
const atOnce = 8;
/** Changes that come together are taken together. */
const gatherMs = 20;

/** An agent at work. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #cluster: Cluster;
  readonly #inventory: InventoryRecord;
  readonly #census: Census;
  readonly #departure: Departure;
  readonly #hubCache: Cache;
  readonly #localCache: Cache;
  readonly #works: Informer<Work>;
  readonly #namespaces: Informer<PartialObject>;
  /** What was applied of each kind, as the cluster has it. */
  readonly #followed = new Map<string, Informer>();
  readonly #judges = new Judges();
  #usage: Usage | undefined;
  #isLeaving = false;
  /** Aborted when there is nothing more to do here, ever. */
  readonly #gone = new AbortController();
  #wake = Promise.withResolvers<void>();
  #wakeScan = Promise.withResolvers<void>();
  #wakeReport = Promise.withResolvers<void>();
  #found: Found = nothingFound;
  /** One at a time: each holds as much of the cluster in memory as a scan does. */
  #trying: Promise<unknown> = Promise.resolve();
  /** The report as the hub has it. */
  #told: ClusterReport | undefined;

  constructor(options: AgentOptions) {
    const { hub, cluster, clock, log } = options;
    this.#options = options;
    const seen = { get: (resource: Resource, key: Key) => this.#followed.get(nameOf(resource))?.get(key) };
    this.#cluster = { client: cluster, resources: new Resources(cluster, clock), seen, applied: new Map() };
    this.#inventory = new InventoryRecord(cluster);
    this.#census = new Census(options);
    this.#departure = new Departure(cluster);
    this.#hubCache = new Cache({
      client: hub,
      clock,
      longestDelayMs: hubRetryMs,
      onError: (error) => log.debug("cannot follow the hub", { error }),
    });
    this.#localCache = new Cache({
      client: cluster,
      clock,
      onError: (error, resource) => log.debug("cannot follow", { resource: groupResource(resource), error }),
    });
    this.#works = this.#hubCache.informer(Work, { namespace: options.hubNamespace });
    this.#works.onChange(({ before, after }) => {
      // Its status is what this agent says.
      if (before?.metadata.generation !== after?.metadata.generation || before?.metadata.uid !== after?.metadata.uid)
        this.#wake.resolve();
      if (before?.spec.order !== after?.spec.order) this.#wakeScan.resolve();
    });
    this.#namespaces = this.#localCache.informer(metadataOf(Namespace));
    this.#namespaces.onChange(() => this.#wake.resolve());
  }

  /** Works until the signal aborts, or until the cluster is detached and nothing of the agent is left there. */
  async run(signal: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([signal, this.#gone.signal]);
    const loops = [
      this.#passes(ended),
      this.#scans(ended),
      this.#reports(ended),
      this.#censuses(ended),
      this.#usages(ended),
    ];
    await Promise.all(loops);
    await Promise.all([this.#hubCache.stop(), this.#localCache.stop()]);
  }

  /** Whether the cluster was detached. */
  get isGone(): boolean {
    return this.#gone.signal.aborted;
  }

  /** What policies would do here, without applying them. @param signal nobody waits for it any more @throws when it cannot look */
  tryPolicies(trial: Trial, signal: AbortSignal): Promise<Verdict> {
    const { clock } = this.#options;
    const turn = this.#trying.then(async () => {
      signal.throwIfAborted();
      return await tryPolicies({ ...this.#cluster, clock }, trial, signal);
    });
    this.#trying = turn.catch(() => undefined);
    return turn;
  }

  async #passes(signal: AbortSignal): Promise<void> {
    if (await this.#departure.begun()) return await this.#leave();
    await untilAborted(Promise.all([this.#works.whenSynced(), this.#namespaces.whenSynced()]), signal);
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      const complete = await this.#pass().catch((error: unknown) => {
        this.#options.log.warn("a pass failed, will try again", { error });
        return false;
      });
      await this.#next(complete ? passEveryMs : retryMs, signal);
    }
  }

  /** Waits for a change, or until it is time again. */
  async #next(afterMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const timer = clock.after(afterMs, () => this.#wake.resolve());
    await untilAborted(this.#wake.promise, signal);
    timer.cancel();
    if (!signal.aborted) await clock.sleep(gatherMs);
  }

  /** Makes the cluster as it should be. @returns whether nothing is left to do */
  async #pass(): Promise<boolean> {
    const { log } = this.#options;
    const works = [...this.#works.values()];
    if (works.some(({ spec }) => spec.leaving === "Keep")) return await this.#sayFarewell(works);
    const todo = plan(works, await this.#inventory.read(), [...this.#namespaces.values()]);
    if (todo === undefined) {
      log.warn("the hub shows an older state than what is here; keeping what is here");
      return true;
    }
    await this.#inventory.write(todo.before);
    const outcomes: Outcome[] = [];
    for (const stage of stagesOf(todo.apply)) outcomes.push(...(await this.#apply(stage)));
    await this.#follow(todo);
    const stay = await this.#remove(todo);
    await this.#inventory.write({ ...todo.after, objects: [...todo.after.objects, ...stay] });
    if (stay.length === 0 && works.some(({ spec }) => spec.leaving === "Remove")) return await this.#sayFarewell(works);
    await this.#tell(works, outcomes);
    return stay.length === 0 && outcomes.every(({ state }) => state === "Applied" || state === "Unsupported");
  }

  /** Tells the hub that nothing is left to wait for, and goes. */
  async #sayFarewell(works: readonly Work[]): Promise<true> {
    this.#isLeaving = true;
    await tellReports({ ...this.#cluster, clock: this.#options.clock }, nothingFound);
    await this.#departure.begin();
    await this.#tell(works, []);
    await this.#leave();
    return true;
  }

  async #leave(): Promise<void> {
    await this.#departure.finish();
    this.#options.log.info("the cluster is detached, and nothing of the agent is left here");
    this.#gone.abort(new Error("the cluster is detached"));
  }

  /** A cluster far away, or a slow one, is asked for several objects at once. @returns in the items' order */
  async #apply(items: readonly Item[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    const left = items.entries();
    const worker = async () => {
      for (const [at, item] of left) outcomes[at] = await applyItem(item, this.#cluster);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return outcomes;
  }

  async #remove({ remove }: Plan): Promise<Plan["remove"]> {
    const stay: Plan["remove"][number][] = [];
    for (const ref of remove) if (!(await removeObject(ref, this.#cluster))) stay.push(ref);
    return stay;
  }

  /** Wakes when something of what was applied changes. */
  async #follow({ apply }: Plan): Promise<void> {
    for (const { manifest } of apply) {
      const resource = await this.#cluster.resources.of(manifest);
      if (resource !== undefined) this.#followResource(resource);
    }
  }

  #followResource(resource: Resource): void {
    if (this.#followed.has(nameOf(resource))) return;
    const informer = this.#localCache.informer(resource, { labelSelector: `${managedLabel}=true` });
    this.#followed.set(nameOf(resource), informer);
    informer.onChange(() => this.#wake.resolve());
  }

  async #tell(works: readonly Work[], outcomes: readonly Outcome[]): Promise<void> {
    const { hub, clock } = this.#options;
    for (const { work, status } of statusesOf(works, outcomes, clock.nowMs())) {
      await hub.setStatus(Work, { object: work, status });
    }
  }

  /** Looks for what breaks policies as it is, every minute and when policies change. */
  async #scans(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    await untilAborted(this.#works.whenSynced(), signal);
    while (!signal.aborted && !this.#isLeaving) {
      this.#wakeScan = Promise.withResolvers();
      const before = this.#found;
      await scan(this.#cluster, this.#judges.of([...this.#works.values()])).then(
        (found) => (this.#found = found),
        (error: unknown) => log.warn("cannot look for violations, will try again", { error }),
      );
      if (!deepEqual(before, this.#found)) this.#wakeReport.resolve();
      await tellReports({ ...this.#cluster, clock }, this.#found).catch((error: unknown) =>
        log.warn("cannot write the cluster's PolicyReports, will try again", { error }),
      );
      const timer = clock.after(scanEveryMs, () => this.#wakeScan.resolve());
      await untilAborted(this.#wakeScan.promise, signal);
      timer.cancel();
      if (!signal.aborted) await clock.sleep(scanGatherMs, signal).catch(() => undefined);
    }
  }

  async #reports(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      this.#wakeReport = Promise.withResolvers();
      const told = await this.#report().then(
        () => true,
        (error: unknown) => {
          log.debug("cannot report", { error });
          return false;
        },
      );
      const timer = clock.after(told ? reportEveryMs : retryMs, () => this.#wakeReport.resolve());
      await untilAborted(this.#wakeReport.promise, signal);
      timer.cancel();
    }
  }

  /** Tells the hub what there is, for whoever searches. */
  async #censuses(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      await this.#census.tell().catch((error: unknown) => log.debug("cannot tell what there is", { error }));
      await clock.sleep(censusEveryMs, signal).catch(() => undefined);
    }
  }

  /** Looks how much is used; the next report tells it. */
  async #usages(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      await gatherUsage(this.#options).then(
        (usage) => (this.#usage = usage),
        (error: unknown) => log.debug("cannot look at what is used, will try again", { error }),
      );
      await clock.sleep(usageEveryMs, signal).catch(() => undefined);
    }
  }

  async #report(): Promise<void> {
    const { hub, hubNamespace } = this.#options;
    const spec = await gatherReport({
      ...this.#options,
      found: this.#found,
      inventoryTime: this.#census.time,
      usage: this.#usage,
    });
    const metadata = { name: "cluster", namespace: hubNamespace };
    const found = this.#told ?? (await this.#toldBefore());
    // Whoever else wrote it, or took it away, is seen at the next try.
    this.#told = undefined;
    this.#told =
      found === undefined
        ? await hub.create(ClusterReport, { metadata, spec })
        : await hub.update(ClusterReport, { ...found, spec });
  }

  async #toldBefore(): Promise<ClusterReport | undefined> {
    const { hub, hubNamespace } = this.#options;
    return await hub.get(ClusterReport, toKey(hubNamespace, "cluster")).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  }
}

function nameOf(resource: Resource): string {
  return `${groupResource(resource)}/${resource.version}`;
}

function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve();
  const aborted = Promise.withResolvers<void>();
  const abort = () => aborted.resolve();
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([promise, aborted.promise]).finally(() => signal.removeEventListener("abort", abort));
}
