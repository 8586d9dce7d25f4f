/** Watches as views read them. */
import { useEffect, useMemo, useSyncExternalStore } from "react";
import type { AnyObject, Row } from "../model/object.ts";
import type { Resource } from "../model/resources.ts";
import { useConsole } from "../parts/context.ts";
import type { Collection, Snapshot } from "./collection.ts";
import type { Wanted } from "./connection.ts";

/** Which objects of a kind. */
export interface Selection {
  readonly namespace?: string;
  readonly fieldSelector?: string | undefined;
  readonly labelSelector?: string | undefined;
}

/** The rows of the server's table, live. */
export function useTable(resource: Resource, selection: Selection = {}): Snapshot<Row> {
  return useWatch(resource, selection, true) as Snapshot<Row>;
}

/** Objects, live. */
export function useObjects<T extends AnyObject = AnyObject>(
  resource: Resource,
  selection: Selection = {},
): Snapshot<T> {
  return useWatch(resource, selection, false) as Snapshot<T>;
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

function useWatch(resource: Resource, selection: Selection, table: boolean): Snapshot<unknown> {
  const { live } = useConsole();
  const { namespace = "", fieldSelector, labelSelector } = selection;
  const wanted = useMemo(
    (): Wanted => ({
      resource,
      namespace,
      table,
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    }),
    [resource, namespace, table, fieldSelector, labelSelector],
  );
  const collection = useMemo(() => live.collection(wanted), [live, wanted]) as Collection<AnyObject>;
  useEffect(() => live.hold(wanted), [live, wanted]);
  return useSyncExternalStore(collection.subscribe, collection.read);
}
