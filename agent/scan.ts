/** Looks through the cluster for objects that break a policy as they are. */
import { Namespace } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import type { Resource } from "@atoll/client/resource";
import type { ApiObject } from "@atoll/machinery/object";
import type { Resources } from "./resources.ts";
import { type Found, type Judge, mostTold, nothingFound } from "./violations.ts";

/** Objects in memory at once. */
const pageSize = 200;

/** The cluster, and what it serves. */
interface Place {
  readonly client: Client;
  readonly resources: Resources;
}

/** Lists, page by page, what any policy is about. Objects on their way out are not counted. @throws when it cannot list */
export async function scan(place: Place, judges: readonly Judge[]): Promise<Found> {
  if (judges.length === 0) return nothingFound;
  const tally = new Tally(judges.flatMap(({ exceptions }) => exceptions));
  const add = (judge: Judge, { object, resource, home }: Seen) => tally.add(judge.judge(object, resource, home));
  await look(place, judges, { see: (seen, concerned) => concerned.forEach((judge) => add(judge, seen)) });
  return tally.found;
}

/** An object of the cluster. */
export interface Seen {
  readonly object: ApiObject;
  readonly resource: Resource;
  /** Its namespace; undefined for what is in none. */
  readonly home: ApiObject | undefined;
}

interface Looking<T> {
  /** @param concerned the judges that are about such objects */
  see(seen: Seen, concerned: readonly T[]): void;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/** Shows every object that one of the judges is about, 200 at a time in memory. @throws when it cannot list, or is ended */
export async function look<T extends Pick<Judge, "concerns">>(
  { client, resources }: Place,
  judges: readonly T[],
  { see, signal }: Looking<T>,
): Promise<void> {
  const paged = { limit: pageSize, signal };
  const namespaces = new Map<string, ApiObject>();
  for await (const page of client.pages(Namespace, paged)) {
    for (const namespace of page.items) namespaces.set(namespace.metadata.name ?? "", namespace);
  }
  for (const resource of await resources.listable()) {
    const concerned = judges.filter((judge) => judge.concerns(resource));
    if (concerned.length === 0) continue;
    for await (const page of client.pages<ApiObject>(resource as Resource<ApiObject>, paged)) {
      for (const { object, home } of page.items.flatMap((each) => seenOf(each, namespaces))) {
        signal?.throwIfAborted();
        see({ object, resource, home }, concerned);
      }
    }
  }
}

/** None when it does not count: it is on its way out, or its namespace came after those were listed. */
function seenOf(object: ApiObject, namespaces: ReadonlyMap<string, ApiObject>): readonly Omit<Seen, "resource">[] {
  const { namespace, deletionTimestamp } = object.metadata;
  if (deletionTimestamp !== undefined) return [];
  const home = namespace === undefined ? undefined : namespaces.get(namespace);
  return namespace !== undefined && home === undefined ? [] : [{ object, home }];
}

/** Counts all, keeps the first. */
class Tally {
  readonly #violations: Found["violations"][number][] = [];
  readonly #ofPolicy = new Map<string, number>();
  readonly #ofNamespace = new Map<string, number>();
  readonly #ofException = new Map<string, number>();
  #total = 0;

  constructor(exceptions: readonly string[]) {
    for (const exception of exceptions) this.#ofException.set(exception, 0);
  }

  add(violation: Found["violations"][number] | undefined): void {
    if (violation === undefined) return;
    const { policy, namespace, exceptions } = violation;
    for (const exception of exceptions) count(this.#ofException, exception);
    if (exceptions.length > 0) return;
    this.#total += 1;
    count(this.#ofPolicy, policy);
    count(this.#ofNamespace, namespace);
    if (this.#violations.length < mostTold) this.#violations.push(violation);
  }

  get found(): Found {
    return {
      violations: this.#violations,
      total: this.#total,
      ofPolicy: Object.fromEntries(this.#ofPolicy),
      ofNamespace: Object.fromEntries(this.#ofNamespace),
      ofException: Object.fromEntries(this.#ofException),
    };
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
