/**
 * Every controller, in the order in which `./atoll controllers` lists them.
 */
import type { Controller } from "@atoll/runtime/controller";
import { approvingController } from "./certificates/approving/controller.ts";
import { cleanerController } from "./certificates/cleaner/controller.ts";
import type { SigningAuthority } from "./certificates/issue.ts";
import { signingController } from "./certificates/signing/controller.ts";
import { clusterRoleController } from "./clusterroles/controller.ts";
import { tokenCleaner } from "./bootstraptokens/controller.ts";
import { cronJobController } from "./cronjob/controller.ts";
import { daemonSetController } from "./daemonset/controller.ts";
import { departureController } from "./departure/controller.ts";
import { datastoreController } from "./datastore/controller.ts";
import { deploymentController } from "./deployment/controller.ts";
import { disruptionController } from "./disruption/controller.ts";
import { endpointsController } from "./endpoints/controller.ts";
import { endpointSliceController } from "./endpointslice/controller.ts";
import { mirroringController } from "./endpointslicemirroring/controller.ts";
import { garbageCollector } from "./gc/controller.ts";
import { jobController } from "./job/controller.ts";
import { loadBalancerController } from "./loadbalancer/controller.ts";
import { parsePool } from "./loadbalancer/pool.ts";
import { metricsController } from "./metrics/controller.ts";
import { namespaceController } from "./namespace/controller.ts";
import { taintEvictionController } from "./nodelifecycle/evicting.ts";
import { gatewayController } from "./gateway/controller.ts";
import { hostNetworkController } from "./hostnetwork/controller.ts";
import { type ClusterRanges, nodeIpamController } from "./nodeipam/controller.ts";
import { nodeLifecycleController } from "./nodelifecycle/controller.ts";
import { podAutoscalerController } from "./podautoscaler/controller.ts";
import { podGcController } from "./podgc/controller.ts";
import { replicaSetController, replicationController } from "./replicaset/controller.ts";
import { resourceQuotaController } from "./resourcequota/controller.ts";
import { rootCaController } from "./rootca/controller.ts";
import { serviceAccountController } from "./serviceaccount/controller.ts";
import { statefulSetController } from "./statefulset/controller.ts";
import { supervisorNamespaceController } from "./supervisornamespace/controller.ts";
import { namespaceRequestController } from "./supervisornamespace/requests/controller.ts";
import { namespaceTemplateController } from "./supervisornamespace/templates/controller.ts";
import { ttlAfterFinishedController } from "./ttlafterfinished/controller.ts";
import { volumeControllers } from "./volumes/index.ts";

/** What controllers are told at the start. */
export interface ControllersOptions {
  /** PEM of the authority that vouches for the API server. */
  readonly ca: string;
  /** Signs certificates that are asked for; without it they wait, once approved. */
  readonly signing?: SigningAuthority | undefined;
  /** Nodes get shares of them; without, whoever starts a node says its range. */
  readonly ranges?: ClusterRanges | undefined;
  /** Addresses for LoadBalancers, as 192.0.2.100-192.0.2.120,198.51.100.0/28; without, hosts' own. */
  readonly loadBalancerPool?: string | undefined;
}

/** All controllers. */
export function controllers({ ca, signing, ranges, loadBalancerPool }: ControllersOptions): readonly Controller[] {
  return [
    garbageCollector,
    namespaceController,
    serviceAccountController,
    rootCaController(ca),
    clusterRoleController,
    deploymentController,
    replicaSetController,
    replicationController,
    statefulSetController,
    daemonSetController,
    endpointSliceController,
    loadBalancerController(loadBalancerPool === undefined ? undefined : parsePool(loadBalancerPool)),
    gatewayController(),
    endpointsController,
    mirroringController,
    jobController,
    cronJobController,
    ttlAfterFinishedController,
    podGcController(),
    ...volumeControllers,
    datastoreController,
    podAutoscalerController(),
    ...(ranges === undefined ? [] : [nodeIpamController(ranges), hostNetworkController(ranges.pods)]),
    nodeLifecycleController(),
    taintEvictionController(),
    departureController,
    disruptionController,
    metricsController,
    resourceQuotaController(),
    supervisorNamespaceController,
    namespaceTemplateController,
    namespaceRequestController,
    approvingController,
    cleanerController,
    tokenCleaner,
    ...(signing === undefined ? [] : [signingController(signing)]),
  ];
}
