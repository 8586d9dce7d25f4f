/** The controllers of Mission Control. */
import type { Controller } from "@atoll/runtime/controller";
import { fleetClusterController } from "./cluster/controller.ts";
import { deliveryController } from "./delivery/controller.ts";
import { exceptionController } from "./exceptions/controller.ts";
import { groupController } from "./groups/controller.ts";
import { namespaceController } from "./namespaces/controller.ts";
import { policyStatusControllers } from "./policystatus/controller.ts";
import { profileController } from "./profiles/controller.ts";

/** All of them; they run beside the Supervisor's, or alone on any Kubernetes that has the fleet's kinds. */
export function fleetControllers(): readonly Controller[] {
  return [
    fleetClusterController,
    deliveryController,
    groupController,
    namespaceController,
    exceptionController,
    profileController,
    ...policyStatusControllers,
  ];
}
