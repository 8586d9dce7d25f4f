/** What a server does for its etcd store from time to time. */
import type { Clock, Timer } from "@atoll/machinery/clock";
import { EtcdRefused } from "./members.ts";
import type { EtcdSession } from "./session.ts";
import { methods } from "./wire.ts";
import type { Log } from "../log.ts";

/** What upkeep needs. */
export interface UpkeepOptions {
  readonly session: EtcdSession;
  readonly clock: Clock;
  readonly log: Log;
  /** History younger than this is kept, that older than twice this is not. */
  readonly historyAgeMs: number;
}

const beatEveryMs = 2000;

/**
 * Starts both duties; gives the end of them.
 *
 * Beats: each member with watches on it is asked for the current revision. One that cannot answer, because it is
 * frozen or cut off from the others, loses its watches to another member.
 *
 * Compaction: of all servers on the store one compacts in each period (kube-apiserver does it the same way:
 * apiserver/pkg/storage/etcd3/compact.go).
 */
export function startUpkeep(options: UpkeepOptions): () => void {
  const beats = repeat(options.clock, beatEveryMs, () => beat(options));
  let known: Known = { version: 0, revision: 0 };
  const compactions = repeat(options.clock, options.historyAgeMs, async () => {
    known = await compactInTurn(options, known);
  });
  return () => {
    beats();
    compactions();
  };
}

async function beat({ session, log }: UpkeepOptions): Promise<void> {
  const busy = session.members.all.filter(({ streams }) => streams.size > 0);
  const beats = busy.map(async (member) => {
    try {
      await session.beat(member);
    } catch (error) {
      log.warn({ err: error, endpoint: member.endpoint }, "an etcd member does not answer; its watches move on");
      session.members.leave(member);
      for (const stream of member.streams) stream.cancel();
    }
  });
  await Promise.all(beats);
}

interface Known {
  /** Version of the compaction key: how often it has been written. */
  readonly version: number;
  /** etcd's revision one period ago; 0: not known. */
  readonly revision: number;
}

// The server whose compare-and-set wins compacts to where etcd was a period ago; the others wait for the next period.
async function compactInTurn({ session, log }: UpkeepOptions, { version, revision }: Known): Promise<Known> {
  const key = session.compactionKey;
  try {
    const { header, succeeded, responses } = await session.members.call([
      methods.txn,
      {
        compare: [{ key, target: "VERSION", result: "EQUAL", version }],
        success: [{ requestPut: { key, value: Buffer.alloc(0) } }],
        failure: [{ requestRange: { key } }],
      },
    ]);
    if (succeeded && revision > 0) await compactEtcd(session, revision);
    const found = responses[0]?.responseRange?.kvs[0];
    return { version: succeeded ? version + 1 : (found?.version ?? 0), revision: header.revision };
  } catch (error) {
    log.warn({ err: error }, "etcd could not be compacted");
    return { version, revision };
  }
}

/**
 * Compacts to a revision of etcd. That it was compacted further already is fine.
 * @throws {StoreUnavailable}
 * @throws {EtcdRefused} it is a future revision
 */
export async function compactEtcd(session: EtcdSession, revision: number): Promise<void> {
  try {
    await session.members.call([methods.compact, { revision }]);
  } catch (error) {
    if (!(error instanceof EtcdRefused && error.message.includes("has been compacted"))) throw error;
  }
}

function repeat(clock: Clock, everyMs: number, work: () => Promise<void>): () => void {
  let timer: Timer | undefined;
  let stopped = false;
  const again = (): void => {
    if (!stopped) timer = clock.after(everyMs, () => void work().finally(again), { unref: true });
  };
  again();
  return () => {
    stopped = true;
    timer?.cancel();
  };
}
