/** A store with many objects, written past the server, which would take half a minute. */
import { join } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { openSqlite } from "@atoll/storage/sqlite";

const atOnce = 1_000;

/**
 * Copies an object of a stopped server until there are as many as wished for.
 * @param prefix of the keys of objects of one kind in one namespace; there must be one
 */
export async function fill(data: string, { prefix, count }: { prefix: string; count: number }): Promise<void> {
  const store = await openSqlite({ file: join(data, "store.db"), clock: systemClock });
  try {
    const { entries, total = 0 } = await store.list("/registry/");
    const model = entries.find(({ key }) => key.startsWith(prefix));
    if (model === undefined) throw new Error(`no object under ${prefix}`);
    const [text, own] = [model.value.toString(), JSON.stringify(model.key.slice(prefix.length))];
    for (let made = Math.max(total, entries.length); made < count; made += atOnce) {
      const names = Array.from({ length: Math.min(atOnce, count - made) }, (_, i) => `filled-${made + i}`);
      const create = (name: string) =>
        store.create(`${prefix}${name}`, Buffer.from(text.replace(own, JSON.stringify(name))));
      await Promise.all(names.map(create));
    }
  } finally {
    await store.close();
  }
}
