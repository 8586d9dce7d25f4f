/** Looks through the cluster for objects that break a policy as they are. */
import { Namespace } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import type { Resource } from "@atoll/client/resource";
import type { ApiObject } from "@atoll/machinery/object";
import type { Resources } from "./resources.ts";
import { type Found, type Judge, mostTold, nothingFound } from "./violations.ts";

/** Objects in memory at once. */
const pageSize = 200;

/** Lists, page by page, what any policy is about. Objects on their way out are not counted. @throws when it cannot list */
export async function scan(
  { client, resources }: { readonly client: Client; readonly resources: Resources },
  judges: readonly Judge[],
): Promise<Found> {
  if (judges.length === 0) return nothingFound;
  const namespaces = new Map<string, ApiObject>();
  for await (const page of client.pages(Namespace, { limit: pageSize })) {
    for (const namespace of page.items) namespaces.set(namespace.metadata.name ?? "", namespace);
  }
  const tally = new Tally(judges.flatMap(({ exceptions }) => exceptions));
  for (const resource of await resources.listable()) {
    const concerned = judges.filter((judge) => judge.concerns(resource));
    if (concerned.length === 0) continue;
    for await (const page of client.pages<ApiObject>(resource as Resource<ApiObject>, { limit: pageSize })) {
      for (const object of page.items) judgeAll(object, { resource, judges: concerned, namespaces, tally });
    }
  }
  return tally.found;
}

interface Bench {
  readonly resource: Resource;
  readonly judges: readonly Judge[];
  readonly namespaces: ReadonlyMap<string, ApiObject>;
  readonly tally: Tally;
}

function judgeAll(object: ApiObject, { resource, judges, namespaces, tally }: Bench): void {
  const { namespace, deletionTimestamp } = object.metadata;
  if (deletionTimestamp !== undefined) return;
  const home = namespace === undefined ? undefined : namespaces.get(namespace);
  // Its namespace came after the namespaces were listed: the next scan sees both.
  if (namespace !== undefined && home === undefined) return;
  for (const judge of judges) tally.add(judge.judge(object, resource, home));
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
