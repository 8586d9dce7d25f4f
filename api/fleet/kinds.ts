/** The kinds of Mission Control, as `atoll crd` prints them. */
import type { OwnKind } from "../own/kind.ts";
import { ClusterGroup } from "./v1alpha1/clustergroup.ts";
import { ClusterReport } from "./v1alpha1/clusterreport.ts";
import { FleetCluster } from "./v1alpha1/fleetcluster.ts";
import { SecurityPolicy } from "./v1alpha1/securitypolicy.ts";
import { Work } from "./v1alpha1/work.ts";

/** In the order of their names. */
export const fleetKinds: readonly OwnKind[] = [ClusterGroup, ClusterReport, FleetCluster, SecurityPolicy, Work];
