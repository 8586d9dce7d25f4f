/**
 * In what each built-in kind differs from the others, by `GROUP/KIND`; the core's group is "". A kind that is not
 * here has no rules of its own. Each stands in api/GROUP/KIND.ts, "core" being the folder of the group "".
 */
import { customResourceDefinition } from "./apiextensions/customresourcedefinition.ts";
import { daemonSet } from "./apps/daemonset.ts";
import { deployment } from "./apps/deployment.ts";
import { replicaSet } from "./apps/replicaset.ts";
import { statefulSet } from "./apps/statefulset.ts";
import { configMap } from "./core/configmap.ts";
import { namespace } from "./core/namespace.ts";
import { pod } from "./core/pod.ts";
import { service } from "./core/service.ts";
import type { Strategy } from "./kind.ts";

/** Strategies are made for their own object type; only the kind they are listed for calls them. */
export const strategies: Readonly<Record<string, Strategy>> = {
  "apiextensions.k8s.io/CustomResourceDefinition": of(customResourceDefinition),
  "/ConfigMap": of(configMap),
  "/Namespace": of(namespace),
  "/Pod": of(pod),
  "/Service": of(service),
  "apps/DaemonSet": of(daemonSet),
  "apps/Deployment": of(deployment),
  "apps/ReplicaSet": of(replicaSet),
  "apps/StatefulSet": of(statefulSet),
};

function of<T>(strategy: Strategy<T>): Strategy {
  return strategy as unknown as Strategy;
}
