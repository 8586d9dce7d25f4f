/** Where tests keep the agent's image, which takes a minute to make and stays the same until its sources change. */
import { join } from "node:path";
import { collect } from "@atoll/images/store/collect";
import { ImageStore } from "@atoll/images/store/store";
import { systemClock as clock } from "@atoll/machinery/clock";

const dir = join(import.meta.dirname, "..", "node_modules", ".cache", "atoll", "test-agent-images");
const keptMs = 24 * 3600_000;

/** The folder, for a gateway's `--images`. Images of former sources are taken away after a day. */
export async function agentImages(): Promise<string> {
  const store = await ImageStore.open({ dir, clock });
  const old = (await store.list()).filter(({ usedMs }) => usedMs < clock.nowMs() - keptMs);
  for (const name of old.flatMap(({ names }) => names)) await store.remove(name);
  await collect(store, { inUse: new Set(), highPercent: 100 });
  return dir;
}
