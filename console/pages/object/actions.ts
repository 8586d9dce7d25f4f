/**
 * What can be done to an object. Each action is a call, the same as a kubectl command, and the reason why it cannot be
 * done now, which its button shows. The API server decides in the end.
 */
import { formatTime, systemClock } from "@atoll/machinery/clock";
import { ask } from "../../model/call.ts";
import type { AnyObject } from "../../model/object.ts";
import { kubectlName, objectPath, type Resource } from "../../model/resources.ts";
import type { Tab } from "../../paths.ts";

/** One thing that can be done. */
export interface Action {
  readonly name: "delete" | "scale" | "restart";
  readonly title: string;
  /** Kinds it makes sense for; none means all. */
  readonly kinds: readonly string[];
  /** What who does it must be allowed. */
  readonly needs: { readonly verb: string; readonly subresource?: string };
  /** Why it cannot be done now; "" when it can. */
  refusal(object: AnyObject): string;
  kubectl(target: Target, replicas: number): string;
  run(target: Target, replicas: number): Promise<unknown>;
}

/** What is acted on. */
export interface Target {
  readonly resource: Resource;
  readonly object: AnyObject;
}

const goes = ({ metadata }: AnyObject): string =>
  metadata.deletionTimestamp === undefined ? "" : "It is being deleted already.";

const pathOf = ({ resource, object: { metadata } }: Target): string =>
  objectPath(resource, metadata.namespace ?? "", metadata.name);

const spoken = ({ resource, object: { metadata } }: Target): string => `${kubectlName(resource)}/${metadata.name}`;

const flag = ({ object: { metadata } }: Target): string =>
  metadata.namespace === undefined ? "" : ` -n ${metadata.namespace}`;

const strategic = "application/strategic-merge-patch+json";

/** In the order of the menu. */
const actions: readonly Action[] = [
  {
    name: "scale",
    title: "Scale…",
    // Source: k8s.io/kubernetes/pkg/registry/apps (kinds with a scale subresource)
    kinds: ["Deployment", "StatefulSet", "ReplicaSet"],
    needs: { verb: "patch", subresource: "scale" },
    refusal: goes,
    kubectl: (target, replicas) => `kubectl scale ${spoken(target)} --replicas=${replicas}${flag(target)}`,
    run: (target, replicas) =>
      ask(`${pathOf(target)}/scale`, {
        method: "PATCH",
        body: { spec: { replicas } },
        contentType: "application/merge-patch+json",
      }),
  },
  {
    name: "restart",
    title: "Restart all pods",
    // Source: k8s.io/kubectl/pkg/polymorphichelpers/objectrestarter.go
    kinds: ["Deployment", "StatefulSet", "DaemonSet"],
    needs: { verb: "patch" },
    refusal: (object) =>
      goes(object) || (object.spec?.["paused"] === true ? "Its rollout is paused: resume it first." : ""),
    kubectl: (target) => `kubectl rollout restart ${spoken(target)}${flag(target)}`,
    run: (target) =>
      ask(pathOf(target), {
        method: "PATCH",
        contentType: strategic,
        body: {
          spec: {
            template: {
              metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": formatTime(systemClock.nowMs()) } },
            },
          },
        },
      }),
  },
  {
    name: "delete",
    title: "Delete…",
    kinds: [],
    needs: { verb: "delete" },
    refusal: goes,
    kubectl: (target) => `kubectl delete ${spoken(target)}${flag(target)}`,
    run: (target) =>
      ask(pathOf(target), {
        method: "DELETE",
        body: {
          apiVersion: "v1",
          kind: "DeleteOptions",
          propagationPolicy: "Background",
          preconditions: { uid: target.object.metadata.uid },
        },
      }),
  },
];

/** The namespace in which a cluster reports to the hub. */
function homeFlag({ status }: AnyObject): string {
  const home = status?.["namespace"];
  return typeof home === "string" ? ` -n ${home}` : " -A";
}

/** What a tab shows, as a command. */
export function sameByHand(tab: Tab, target: Target): string {
  const { resource, object } = target;
  const name = spoken(target);
  const isPod = resource.kind === "Pod";
  switch (tab) {
    case "logs":
      return `kubectl logs ${name} --all-containers ${isPod ? "" : "--all-pods "}--follow${flag(target)}`;
    case "terminal":
      return `kubectl exec -it ${object.metadata.name}${flag(target)} -- sh`;
    case "history":
      return `kubectl rollout history ${name}${flag(target)}`;
    case "events":
      return `kubectl events --for ${name}${flag(target)}`;
    case "yaml":
      return `kubectl edit ${name}${flag(target)}`;
    case "policies":
      return `kubectl get clusterreports${homeFlag(object)} -o yaml`;
    case "summary":
      return `kubectl describe ${name}${flag(target)}`;
  }
}

/** The actions of a kind. */
export const actionsOf = (kind: string): readonly Action[] =>
  actions.filter(({ kinds }) => kinds.length === 0 || kinds.includes(kind));

/** Whose pods a kind owns, as far as a selector says. */
export function podSelector({ spec }: AnyObject): string | undefined {
  const selector = spec?.["selector"] as Readonly<Record<string, unknown>> | undefined;
  const labels = (selector?.["matchLabels"] ?? selector) as Readonly<Record<string, unknown>> | undefined;
  if (labels === undefined || Object.keys(labels).length === 0) return undefined;
  const pairs = Object.entries(labels);
  if (pairs.some(([, value]) => typeof value !== "string")) return undefined;
  return pairs.map(([name, value]) => `${name}=${String(value)}`).join(",");
}
