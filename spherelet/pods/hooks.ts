/** What follows a container's life: hooks and probes. */
import { containerOf } from "../lifecycle/world.ts";
import type { PodContext } from "./context.ts";
import type { RunHooks } from "./runs.ts";

/** The hooks of one Pod. */
export function podHooks(context: PodContext): RunHooks {
  return {
    begun({ cast }) {
      const state = containerOf(context.world, cast.container.name);
      state.started = true;
      state.ready = true;
    },
    ended() {},
    async beforeStop() {},
  };
}
