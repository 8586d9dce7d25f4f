/**
 * Tokens of a Pod's service account, asked for before they are needed and renewed before they expire.
 * Source: k8s.io/kubernetes/pkg/kubelet/token (renewed at 80 % of their life or after a day)
 */
import type { ServiceAccountTokenProjection } from "@atoll/api/builtin/core/v1.types";
import { type Pod, ServiceAccount } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { type Clock, parseTime, type Timer } from "@atoll/machinery/clock";

/** What tokens are asked with. */
export interface TokensOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
}

interface Kept {
  readonly projection: ServiceAccountTokenProjection;
  token: string | undefined;
  /** When it no longer serves, ms since the epoch. */
  expiresMs: number;
  problem: Error | undefined;
  timer: Timer | undefined;
}

interface TokenRequest {
  readonly status?: { readonly token?: string; readonly expirationTimestamp?: string };
}

const dayMs = 86_400_000;
const retryMs = 5_000;
const usualSeconds = 3607;

const idOf = ({ audience = "", expirationSeconds = usualSeconds }: ServiceAccountTokenProjection): string =>
  `${audience} ${expirationSeconds}`;

/** The tokens of one Pod. */
export class Tokens {
  readonly #options: TokensOptions;
  readonly #pod: Pod;
  readonly #changed: () => void;
  readonly #kept = new Map<string, Kept>();
  readonly #stop = new AbortController();
  readonly #first: Promise<unknown>;

  /** Begins to ask for every token that the Pod's volumes want. */
  constructor(options: TokensOptions, pod: Pod, changed: () => void) {
    this.#options = options;
    this.#pod = pod;
    this.#changed = changed;
    const projections = (pod.spec.volumes ?? []).flatMap(({ projected }) =>
      (projected?.sources ?? []).flatMap(({ serviceAccountToken }) => serviceAccountToken ?? []),
    );
    const asked: Promise<void>[] = [];
    for (const projection of projections) {
      if (this.#kept.has(idOf(projection))) continue;
      const kept: Kept = { projection, token: undefined, expiresMs: 0, problem: undefined, timer: undefined };
      this.#kept.set(idOf(projection), kept);
      asked.push(this.#renew(kept));
    }
    this.#first = Promise.all(asked);
  }

  /** Resolves when each has been asked for once. */
  async asked(): Promise<void> {
    await this.#first;
  }

  /** The token of a projection, if it is there and serves. */
  get(projection: ServiceAccountTokenProjection): string | undefined {
    const kept = this.#kept.get(idOf(projection));
    return kept !== undefined && kept.expiresMs > this.#options.clock.nowMs() ? kept.token : undefined;
  }

  /** Why one is not there. */
  problem(): Error | undefined {
    return [...this.#kept.values()].find(({ token, problem }) => token === undefined && problem !== undefined)?.problem;
  }

  /** Renews nothing any more. */
  release(): void {
    this.#stop.abort(new Error("the pod is gone"));
    for (const { timer } of this.#kept.values()) timer?.cancel();
  }

  async #renew(kept: Kept): Promise<void> {
    const { clock, random } = this.#options;
    const beganMs = clock.nowMs();
    try {
      const { status } = await this.#ask(kept.projection);
      const expiresMs = parseTime(status?.expirationTimestamp ?? "");
      kept.token = status?.token;
      kept.expiresMs = Number.isNaN(expiresMs) ? beganMs : expiresMs;
      kept.problem = undefined;
      this.#changed();
      const lifeMs = Math.min((kept.expiresMs - beganMs) * 0.8, dayMs);
      this.#later(kept, Math.max(lifeMs - random() * 10_000, retryMs));
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      kept.problem = error instanceof Error ? error : new Error(String(error));
      this.#changed();
      this.#later(kept, retryMs);
    }
  }

  #later(kept: Kept, afterMs: number): void {
    if (this.#stop.signal.aborted) return;
    kept.timer = this.#options.clock.after(afterMs, () => void this.#renew(kept), { unref: true });
  }

  async #ask({ audience, expirationSeconds = usualSeconds }: ServiceAccountTokenProjection): Promise<TokenRequest> {
    const { name, namespace, uid } = this.#pod.metadata;
    const account = this.#pod.spec.serviceAccountName ?? "default";
    const body = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        audiences: audience === undefined || audience === "" ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    };
    const where = { key: toKey(namespace, account), subresource: "token", body };
    const { signal } = this.#stop;
    return (await this.#options.client.createSubresource(ServiceAccount, where, { signal })) as TokenRequest;
  }
}
