/** The kinds of Mission Control, as `atoll crd` prints them. */
import type { OwnKind } from "../own/kind.ts";
import { AccessPolicy } from "./v1alpha1/accesspolicy.ts";
import { ClusterGroup } from "./v1alpha1/clustergroup.ts";
import { ClusterInventory } from "./v1alpha1/clusterinventory.ts";
import { ClusterReport } from "./v1alpha1/clusterreport.ts";
import { CustomPolicy } from "./v1alpha1/custompolicy.ts";
import { FleetCluster } from "./v1alpha1/fleetcluster.ts";
import { FleetNamespace } from "./v1alpha1/fleetnamespace.ts";
import { ImagePolicy } from "./v1alpha1/imagepolicy.ts";
import { MutationPolicy } from "./v1alpha1/mutationpolicy.ts";
import { PolicyException } from "./v1alpha1/policyexception.ts";
import { QuotaPolicy } from "./v1alpha1/quotapolicy.ts";
import { SecurityPolicy } from "./v1alpha1/securitypolicy.ts";
import { TrafficPolicy } from "./v1alpha1/trafficpolicy.ts";
import { Work } from "./v1alpha1/work.ts";
import { Workspace } from "./v1alpha1/workspace.ts";

/** In the order of their names. */
export const fleetKinds: readonly OwnKind[] = [
  AccessPolicy,
  ClusterGroup,
  ClusterInventory,
  ClusterReport,
  CustomPolicy,
  FleetCluster,
  FleetNamespace,
  ImagePolicy,
  MutationPolicy,
  PolicyException,
  QuotaPolicy,
  SecurityPolicy,
  TrafficPolicy,
  Work,
  Workspace,
];
