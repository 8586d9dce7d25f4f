/**
 * The Node of this host: made at the start when it is missing, told of what changes, and its lease renewed. One that somebody
 * deletes meanwhile stays deleted, as a kubelet has it: its range of addresses may be another's by now.
 * Source: k8s.io/kubernetes/pkg/kubelet (kubelet_node_status.go), k8s.io/component-helpers/apimachinery/lease
 */
import type { NodeStatus } from "@atoll/api/builtin/core/v1.types";
import { Lease, Node } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isAlreadyExists, isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { type Clock, formatMicroTime } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import type { Log } from "@atoll/runtime/log";
import { leaseSeconds, type LeaseTerm } from "./leaseterm.ts";

/** What a Node is registered with. */
export interface RegistrationOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The range of its pods' addresses, if this host knows. */
  readonly podRange?: string | undefined;
  /** Told of each renewal. */
  readonly term: LeaseTerm;
  /** The status as it is now; `before` is what was told last. */
  status(before: NodeStatus | undefined): Promise<NodeStatus>;
}

const renewMs = 10_000;
/** A change is told at the next look; otherwise the status is told this often. */
const lookMs = 10_000;
const reportMs = 300_000;
const retryMs = 1_000;
const leaseNamespace = "kube-node-lease";

/** Keeps one Node. */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #stop = new AbortController();
  readonly #registered = Promise.withResolvers<void>();
  #told: NodeStatus | undefined;
  #toldMs = 0;
  #renewedMs = 0;
  #uid = "";
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /** Begins. @returns when the Node is there and has told its status once */
  async start(): Promise<void> {
    this.#running = Promise.all([this.#keepStatus(), this.#keepLease()]);
    await this.#registered.promise;
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the spherelet stops"));
    await this.#running;
  }

  async #keepStatus(): Promise<void> {
    await this.#forever(async () => {
      if (this.#uid === "") await this.#register();
      await this.#tellStatus();
      this.#registered.resolve();
      return lookMs;
    });
  }

  async #keepLease(): Promise<void> {
    await this.#registered.promise.catch(() => undefined);
    await this.#forever(async () => {
      const askedMs = this.#options.clock.monotonicMs();
      await this.#renew();
      this.#options.term.renewed(askedMs);
      // After a silence others may have given the node up: it tells anew that it is well.
      const nowMs = this.#options.clock.monotonicMs();
      if (nowMs - this.#renewedMs > 2 * renewMs) this.#toldMs = 0;
      this.#renewedMs = nowMs;
      return renewMs;
    });
  }

  /** Somebody deleted the Node, and perhaps another host has its name. */
  #stayAway(): void {
    const { log, name } = this.#options;
    log.error("the Node of this host was deleted; the host is none of the cluster until it is started again", {
      node: name,
    });
    this.#stop.abort(new Error("the Node was deleted"));
  }

  /** Does it again after as long as it says, or soon when it failed. */
  async #forever(work: () => Promise<number>): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const afterMs = await work().catch((error: unknown) => {
        if (!signal.aborted) log.warn("the node was not told", { error });
        return retryMs;
      });
      await clock.sleep(afterMs, signal).catch(() => undefined);
    }
    this.#registered.resolve();
  }

  async #register(): Promise<void> {
    const { client, name, labels, podRange } = this.#options;
    const { signal } = this.#stop;
    const spec = podRange === undefined ? {} : { podCIDR: podRange, podCIDRs: [podRange] };
    try {
      const made = await client.create(Node, { metadata: { name, labels: { ...labels } }, spec }, { signal });
      this.#uid = made.metadata.uid ?? "";
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const known = await client.get(Node, toKey("", name), { signal });
      this.#uid = known.metadata.uid ?? "";
      this.#told = known.status;
      const isLabelled = Object.entries(labels).every(([key, value]) => known.metadata.labels?.[key] === value);
      if (isLabelled) return;
      const patch = { type: "merge", body: { metadata: { labels } } } as const;
      await client.patch(Node, { key: toKey("", name), patch }, { signal });
    }
  }

  async #tellStatus(): Promise<void> {
    const { client, clock, name, status } = this.#options;
    const wanted = await status(this.#told);
    const isDue = clock.monotonicMs() - this.#toldMs >= reportMs || this.#toldMs === 0;
    if (!isDue && deepEqual(withoutHeartbeats(wanted), withoutHeartbeats(this.#told))) return;
    const where = {
      key: toKey("", name),
      patch: { type: "strategic", body: { status: wanted } },
      subresource: "status",
    } as const;
    try {
      await client.patch(Node, where, { signal: this.#stop.signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#stayAway();
      return;
    }
    this.#told = wanted;
    this.#toldMs = clock.monotonicMs();
  }

  async #renew(): Promise<void> {
    const { client, clock, name } = this.#options;
    const { signal } = this.#stop;
    const key = toKey(leaseNamespace, name);
    const renewTime = formatMicroTime(clock.nowMs());
    const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime };
    const ownerReferences = [{ apiVersion: "v1", kind: "Node", name, uid: this.#uid }];
    try {
      const patch = { type: "merge", body: { metadata: { ownerReferences }, spec } } as const;
      await client.patch(Lease, { key, patch }, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      // A lease goes with its Node.
      const node = await client.get(Node, toKey("", name), { signal }).catch((gone: unknown) => {
        if (!isNotFound(gone)) throw gone;
      });
      if (node?.metadata.uid !== this.#uid) {
        this.#stayAway();
        throw error;
      }
      await client.create(Lease, { metadata: { name, namespace: leaseNamespace, ownerReferences }, spec }, { signal });
    }
  }
}

function withoutHeartbeats(status: NodeStatus | undefined): unknown {
  return { ...status, conditions: status?.conditions?.map(({ lastHeartbeatTime: _, ...rest }) => rest) };
}
