/**
 * Keeps the condition Available of APIServices, and what discovery knows of them: at every change of an APIService, its
 * Service or its endpoints, and from time to time.
 * Source: k8s.io/kube-aggregator/pkg/controllers/status/{remote,local}
 */
import type { APIService } from "@atoll/api/builtin/apiregistration.k8s.io/v1.types";
import { type Clock, formatTime, type Timer } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import type { Registry } from "prom-client";
import type { KeyPair } from "../pki/authority.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { FollowedObjects } from "../registry/followedobjects.ts";
import { Numbers } from "../routes/series.ts";
import { clone } from "../registry/versions.ts";
import { type Availability, check } from "./check.ts";
import type { Remote, Remotes } from "./remotes.ts";
import { aggregatedResources } from "./resources.ts";
import { Rounds } from "./rounds.ts";

export interface AvailabilityOptions {
  readonly catalogue: Catalogue;
  readonly remotes: Remotes;
  /** Shown to the servers asked. */
  readonly certificate: KeyPair;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly onError: (error: unknown) => void;
}

/** Between two looks when all is well. */
const calmMs = 30_000;
/** After a failure: doubled each time, up to the calm. */
const firstRetryMs = 250;
/** Changes of Services and endpoints come in swarms. */
const gatherMs = 100;

export class AvailabilityController {
  readonly #options: AvailabilityOptions;
  readonly #following: FollowedObjects<unknown>[] = [];
  readonly #failures = new Map<string, number>();
  readonly #unavailable: Numbers;
  /** What the metric says now, by name. */
  readonly #told = new Map<string, number>();
  readonly #rounds: Rounds;
  #timer: Timer | undefined;

  constructor(options: AvailabilityOptions) {
    this.#options = options;
    this.#rounds = new Rounds({
      round: () => this.#round(),
      onFailure: (error) => {
        options.onError(error);
        this.#rest(firstRetryMs);
      },
    });
    this.#unavailable = new Numbers(options.registry, {
      name: "aggregator_unavailable_apiservice",
      help: "APIServices of other servers that cannot be reached: 1 while it is so",
      type: "gauge",
    });
  }

  start(): void {
    this.#options.remotes.onChange(() => this.#rounds.look());
    this.#rounds.look();
  }

  async close(): Promise<void> {
    const ended = this.#rounds.close();
    this.#timer?.cancel();
    for (const followed of this.#following) followed.close();
    await ended;
  }

  async #round(): Promise<void> {
    const { remotes } = this.#options;
    for (const service of remotes.services()) if (service.spec.service === null) await this.#settleLocal(service);
    const all = remotes.all();
    for (const name of this.#told.keys()) if (remotes.byName(name) === undefined) this.#count(name, 0);
    if (all.length === 0) return;
    await this.#followServices();
    await Promise.all(all.map((remote) => this.#settle(remote)));
    const worst = Math.min(...all.map(({ uid }) => this.#failures.get(uid) ?? Number.POSITIVE_INFINITY));
    this.#rest(Number.isFinite(worst) ? Math.min(firstRetryMs * 2 ** (worst - 1), calmMs) : calmMs);
  }

  /** Services and endpoints matter only once there is something that they serve. */
  async #followServices(): Promise<void> {
    if (this.#following.length > 0) return;
    const { catalogue, clock, onError } = this.#options;
    for (const [group, plural] of [
      ["", "services"],
      ["", "endpoints"],
      ["discovery.k8s.io", "endpointslices"],
    ] as const) {
      const resource = catalogue.resource(group, plural);
      if (resource === undefined) continue;
      const onChange = () => this.#rest(gatherMs);
      this.#following.push(new FollowedObjects({ resource, clock, onError, onChange }));
    }
    await Promise.all(this.#following.map((followed) => followed.start()));
  }

  /** Looks again after a while, or sooner if that was the plan. */
  #rest(afterMs: number): void {
    if (this.#rounds.closed) return;
    const { clock } = this.#options;
    const atMs = clock.monotonicMs() + afterMs;
    if (this.#timer !== undefined && this.#wakesAtMs <= atMs) return;
    this.#timer?.cancel();
    this.#wakesAtMs = atMs;
    this.#timer = clock.after(
      afterMs,
      () => {
        this.#timer = undefined;
        this.#rounds.look();
      },
      { unref: true },
    );
  }

  #wakesAtMs = 0;

  async #settle(remote: Remote): Promise<void> {
    const { catalogue, remotes, certificate } = this.#options;
    const { told, ...availability } = await check(catalogue, remote, certificate);
    if (this.#rounds.closed) return;
    if (told !== undefined) {
      const { resources, openApi } = told;
      remotes.learn(remote, { resources: aggregatedResources(resources, remote), openApi });
    }
    if (availability.status === "True") this.#failures.delete(remote.uid);
    else this.#failures.set(remote.uid, (this.#failures.get(remote.uid) ?? 0) + 1);
    this.#count(remote.name, availability.status === "True" ? 0 : 1);
    await this.#tell(remote.name, remote.uid, availability);
  }

  #count(name: string, unavailable: number): void {
    this.#unavailable.add(name, unavailable - (this.#told.get(name) ?? 0), () => ({ name }));
    this.#told.set(name, unavailable);
  }

  /** What this server serves itself is always there. */
  async #settleLocal({ metadata, status }: APIService): Promise<void> {
    const condition = conditionOf(status);
    if (condition?.reason === "Local" && condition.status === "True") return;
    const message = "Local APIServices are always available";
    await this.#tell(metadata.name ?? "", metadata.uid ?? "", { status: "True", reason: "Local", message });
  }

  async #tell(name: string, uid: string, wanted: Availability): Promise<void> {
    const { remotes, clock } = this.#options;
    const now = formatTime(clock.nowMs());
    try {
      await remotes.resource.update({ namespace: "", name }, ({ object }) => {
        const service = clone(object) as unknown as APIService;
        if (service.metadata.uid !== uid || !setCondition(service, wanted, now)) return "unchanged";
        return { object: service as unknown as ApiObject };
      });
    } catch (error) {
      if (!(error instanceof StatusError && error.reason === "NotFound")) throw error;
    }
  }
}

function conditionOf({ conditions = [] }: APIService["status"]) {
  return conditions.find(({ type }) => type === "Available");
}

/** Says whether anything changed. */
function setCondition(service: APIService, { status, reason, message }: Availability, now: string): boolean {
  const known = conditionOf(service.status);
  if (known?.status === status && known.reason === reason && known.message === message) return false;
  const lastTransitionTime = known?.status === status ? known.lastTransitionTime : now;
  const others = (service.status.conditions ?? []).filter(({ type }) => type !== "Available");
  service.status.conditions = [...others, { type: "Available", status, lastTransitionTime, reason, message }];
  return true;
}
