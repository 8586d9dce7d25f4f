/** Watches as views read them. */
import { useEffect, useMemo, useSyncExternalStore } from "react";
import type { View } from "@atoll/portal/view/view";
import type { AnyObject } from "../model/object.ts";
import type { Resource } from "../model/resources.ts";
import { useConsole } from "../parts/context.ts";
import type { Collection, Snapshot } from "./collection.ts";
import type { Wanted } from "./connection.ts";
import type { Seen } from "./table.ts";

/** Rows that are asked for before it is known how many are in sight. */
const firstRows = 100;
const noColumns: readonly string[] = [];

/** Which objects of a kind. */
export interface Selection {
  readonly namespace?: string;
  readonly fieldSelector?: string | undefined;
  readonly labelSelector?: string | undefined;
}

/** What is shown of a table, as far as it is not the usual: rows from the first, by namespace and name. `countBy` stays the same value. */
export type Look = Partial<View>;

/** Rows of the server's table, live, as many as are looked at. */
export function useTable(resource: Resource, selection: Selection = {}, look: Look = {}): Seen {
  const { live } = useConsole();
  const wanted = useWanted(resource, selection);
  const table = useMemo(() => live.table(wanted), [live, wanted]);
  const { words = "", sort = "", troubled = false, countBy = noColumns, from = 0, to = firstRows } = look;
  useEffect(() => table.open(), [table]);
  useEffect(
    () => table.look({ words, sort, troubled, countBy, from, to }),
    [table, words, sort, troubled, countBy, from, to],
  );
  return useSyncExternalStore(table.subscribe, table.read);
}

/** Objects, live. */
export function useObjects<T extends AnyObject = AnyObject>(
  resource: Resource,
  selection: Selection = {},
): Snapshot<T> {
  const { live } = useConsole();
  const wanted = useWanted(resource, selection);
  const collection = useMemo(() => live.collection(wanted), [live, wanted]) as Collection<T>;
  useEffect(() => live.hold(wanted), [live, wanted]);
  return useSyncExternalStore(collection.subscribe, collection.read);
}

/** One object, live; undefined while it is not known, or not there. */
export function useObject<T extends AnyObject = AnyObject>(
  resource: Resource,
  namespace: string,
  name: string,
): { object: T | undefined; snapshot: Snapshot<T> } {
  const snapshot = useObjects<T>(resource, { namespace, fieldSelector: `metadata.name=${name}` });
  return { object: snapshot.items[0], snapshot };
}

function useWanted(resource: Resource, { namespace = "", fieldSelector, labelSelector }: Selection): Wanted {
  return useMemo(
    (): Wanted => ({
      resource,
      namespace,
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    }),
    [resource, namespace, fieldSelector, labelSelector],
  );
}
