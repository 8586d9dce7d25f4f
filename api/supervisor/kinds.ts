/** The kinds of the Supervisor's own. */
import type { OwnKind } from "../own/kind.ts";
import { Datastore } from "./v1alpha1/datastore.ts";
import { HostNetwork } from "./v1alpha1/hostnetwork.ts";
import { HostVM } from "./v1alpha1/hostvm.ts";
import { SupervisorNamespace } from "./v1alpha1/supervisornamespace.ts";
import { SupervisorNamespaceRequest } from "./v1alpha1/supervisornamespacerequest.ts";
import { SupervisorNamespaceTemplate } from "./v1alpha1/supervisornamespacetemplate.ts";

/** In the order of their names. */
export const supervisorKinds: readonly OwnKind[] = [
  Datastore,
  HostNetwork,
  HostVM,
  SupervisorNamespace,
  SupervisorNamespaceRequest,
  SupervisorNamespaceTemplate,
];
