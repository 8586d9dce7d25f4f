/**
 * Which Datastores this host has mounted, told on its Node: by a label each, so that Pods come to hosts that have their
 * disks, and with the room there is. Source: docs/rfd/0038-shared-datastores.md
 */
import { Datastore } from "@atoll/api/supervisor/v1alpha1/datastore";
import { disks, type SeenDatastore, spellSeen } from "@atoll/api/volumes/disks";
import { Node } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { Informer } from "@atoll/client/informer/informer";
import { toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import type { Log } from "@atoll/runtime/log";
import { roomOn } from "./sharedfiles.ts";

/** What it is told with. */
export interface SeenOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Name of this host's Node. */
  readonly node: string;
}

const lookMs = 10_000;
const settleMs = 100;
/** A share that is slow once is not taken for gone. */
const patience = 2;
const mebi = 2 ** 20;
/** Of the whole: so much is worth telling. */
const worth = 0.01;

/** Works until the signal aborts. Never rejects. */
export async function tellSeenDatastores(options: SeenOptions, signal: AbortSignal): Promise<void> {
  const { client, clock, random, log, node } = options;
  const onError = (error: unknown) => log.debug("Datastores cannot be followed", { error });
  const informer = new Informer<Datastore>({ client, clock, random, onError, resource: Datastore });
  const sight = new Sight(log);
  let wake = new AbortController();
  let isTold = false;
  informer.onChange(() => wake.abort(new Error("a Datastore changed")));
  void informer.start();
  while (!signal.aborted) {
    wake = new AbortController();
    try {
      // Without any there is nothing to keep right either.
      if (informer.synced && !(isTold && informer.size === 0)) {
        const isEmpty = informer.size === 0;
        await tell(await sight.look([...informer.values()]), { client, node });
        isTold = isEmpty;
      }
    } catch (error) {
      log.debug("what this host sees of Datastores could not be told", { error });
    }
    await clock.sleep(settleMs, signal).catch(() => undefined);
    await clock.sleep(lookMs, AbortSignal.any([signal, wake.signal])).catch(() => undefined);
  }
  informer.stop();
}

/** What is seen, and was. */
class Sight {
  readonly #log: Log;
  #seen = new Map<string, SeenDatastore>();
  readonly #failures = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  async look(datastores: readonly Datastore[]): Promise<ReadonlyMap<string, SeenDatastore>> {
    const seen = new Map<string, SeenDatastore>();
    for (const { metadata, spec } of datastores) {
      const { name = "" } = metadata;
      const now = spec.sharedDirectory === undefined ? undefined : await this.#lookAt(name, spec.sharedDirectory.path);
      if (now !== undefined) seen.set(name, now);
    }
    this.#seen = seen;
    return seen;
  }

  async #lookAt(name: string, path: string): Promise<SeenDatastore | undefined> {
    const before = this.#seen.get(name);
    try {
      const now = await roomOn(path);
      this.#failures.delete(name);
      return now === undefined ? undefined : rounded(now, before);
    } catch (error) {
      const failures = (this.#failures.get(name) ?? 0) + 1;
      this.#failures.set(name, failures);
      this.#log.warn("a datastore does not answer", { datastore: name, error });
      return failures < patience ? before : undefined;
    }
  }
}

/** Small changes are none. */
function rounded({ capacityBytes, freeBytes }: SeenDatastore, before: SeenDatastore | undefined): SeenDatastore {
  const whole = { capacityBytes: floor(capacityBytes), freeBytes: floor(freeBytes) };
  const isClose =
    before?.capacityBytes === whole.capacityBytes &&
    Math.abs(before.freeBytes - whole.freeBytes) < worth * whole.capacityBytes;
  return isClose ? before : whole;
}

const floor = (bytes: number): number => Math.floor(bytes / mebi) * mebi;

async function tell(
  seen: ReadonlyMap<string, SeenDatastore>,
  { client, node }: { client: Client; node: string },
): Promise<void> {
  const key = toKey(undefined, node);
  const { metadata } = await client.get(Node, key);
  const prefix = disks.seenLabel("");
  const old = Object.keys(metadata.labels ?? {}).filter((label) => label.startsWith(prefix));
  const wanted = [...seen.keys()].map(disks.seenLabel).sort();
  const word = spellSeen(seen);
  if ((metadata.annotations?.[disks.seen] ?? "") === word && old.sort().join() === wanted.join()) return;
  const labels = Object.fromEntries([
    ...old.map((label) => [label, null] as const),
    ...wanted.map((label) => [label, "mounted"] as const),
  ]);
  const body = { metadata: { labels, annotations: { [disks.seen]: word === "" ? null : word } } };
  await client.patch(Node, { key, patch: { type: "merge", body } });
}
