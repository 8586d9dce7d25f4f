/** Following something of the API server's for as long as somebody looks: again after a break, anew after a gap. */
import { readText } from "@atoll/client/lines";
import type { Clock } from "@atoll/machinery/clock";

const retryMs = { first: 500, most: 15_000 } as const;

/** A collection of the API server's, and which part of it. */
export interface Source {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

/** What is followed. */
interface Followed {
  /** Follows until the API server ends it. @throws {Refused} it will never do; {Error} it may do later */
  once(): Promise<void>;
  /** What was told may be behind. */
  stale(why: string): void;
  /** It is over. @param status as the API server says why */
  refused(status: unknown): void;
}

/** The API server refuses what is asked, and will when it is asked again. */
class Refused extends Error {
  override readonly name = "Refused";
  readonly status: unknown;
  constructor(status: unknown) {
    super("refused");
    this.status = status;
  }
}

/** Follows until the signal, or for good when it is refused. */
export async function keepOn(followed: Followed, clock: Clock, signal: AbortSignal): Promise<void> {
  let waitMs: number = retryMs.first;
  while (!signal.aborted) {
    try {
      await followed.once();
      waitMs = retryMs.first;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused) return followed.refused(error.status);
      followed.stale(error instanceof Error ? error.message : String(error));
      await clock.sleep(waitMs, signal).catch(() => undefined);
      waitMs = Math.min(2 * waitMs, retryMs.most);
    }
  }
}

/** @throws {Refused} for good; {Error} the API server is in trouble, or asks to wait */
export async function mustAnswer(status: number, body: AsyncIterable<Uint8Array>): Promise<void> {
  if (status >= 500 || status === 429) throw new Error(`the API server answers ${status}`);
  if (status >= 300) throw new Refused(JSON.parse(await readText(body)));
}

/** Whether a line of a watch ends it: history does not reach back that far, or the server would rather not go on. */
export const isError = (line: string): boolean => line.startsWith('{"type":"ERROR"');
