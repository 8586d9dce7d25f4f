/** What every policy's compiler gets and gives. */
import type { ApiObject } from "@atoll/machinery/object";

/** How strictly. */
export type Enforcement = "Enforce" | "Warn" | "Audit";

/** Labels as a selector. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** An object that passes a policy until a day. */
export interface Exemption {
  /** Name of its PolicyException. */
  readonly exception: string;
  readonly namespace: string;
  /** Beginning of the objects' names. */
  readonly name: string;
}

/** What all policies have in common, for one cluster. */
export interface Envelope {
  /** Name of the objects on the cluster. */
  readonly name: string;
  readonly enforcement: Enforcement;
  /** The namespaces it is for: never those of the system. */
  readonly namespaces: LabelSelector;
  /** Whether that is all of them but the system's. */
  readonly everywhere: boolean;
  readonly exemptions: readonly Exemption[];
}

/** An object that a cluster is to have. */
export interface Output {
  /** Set: once in each of these namespaces. */
  readonly eachNamespace?: LabelSelector;
  readonly manifest: ApiObject;
}

/** Carried by namespaces that belong to a Workspace. */
export const workspaceLabel = "fleet.atoll.dev/workspace";
/** What every namespace's name is, as a label. Source: KEP-2161 */
export const nameLabel = "kubernetes.io/metadata.name";

/** Namespaces that no policy touches: without them a cluster could not be mended. */
const systemNamespaces = ["kube-system", "kube-public", "kube-node-lease", "atoll-system"] as const;

/** Where a policy holds within one cluster. */
export interface Reach {
  readonly namespaceSelector?: LabelSelector | undefined;
  /** Only the namespaces of this Workspace. */
  readonly workspace?: string | undefined;
  /** Only this namespace. */
  readonly namespace?: string | undefined;
}

/** The namespaces that a policy reaches. */
export function namespacesOf({ namespaceSelector = {}, workspace, namespace }: Reach): LabelSelector {
  const { matchLabels = {}, matchExpressions = [] } = namespaceSelector;
  const own = namespace === undefined ? [] : [{ key: nameLabel, operator: "In", values: [namespace] }];
  return {
    matchLabels: { ...matchLabels, ...(workspace === undefined ? {} : { [workspaceLabel]: workspace }) },
    matchExpressions: [...matchExpressions, ...own, { key: nameLabel, operator: "NotIn", values: systemNamespaces }],
  };
}
