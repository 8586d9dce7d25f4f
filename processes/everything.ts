/** All that `atoll controllers` runs: the Supervisor's controllers, the scheduler, Mission Control's controllers. */
import { controllers, type ControllersOptions } from "@atoll/controllers/index";
import { fleetControllers } from "@atoll/fleet/index";
import type { Controller } from "@atoll/runtime/controller";
import { scheduler } from "@atoll/scheduler/controller";

/** In the order in which they are listed. */
export function everything(options: ControllersOptions): readonly Controller[] {
  return [...controllers(options), scheduler, ...fleetControllers()];
}
