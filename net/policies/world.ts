/** What decides who may talk to whom, as facts. */
import type { NetworkPolicySpec } from "@atoll/api/builtin/networking.k8s.io/v1.types";

/** A pod as policies see it. */
export interface PolicyPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Absent while it has none: nobody can be let through to it yet. */
  readonly address?: string | undefined;
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

/** A NetworkPolicy. */
export interface Policy {
  readonly namespace: string;
  readonly name: string;
  readonly spec: NetworkPolicySpec;
}

/** A namespace. */
export interface PolicyNamespace {
  readonly labels: Readonly<Record<string, string>>;
  /** Its pods and those of other such namespaces reach each other, as elsewhere in Kubernetes. */
  readonly flat: boolean;
}

/** Everything that there is. */
export interface World {
  readonly pods: readonly PolicyPod[];
  readonly namespaces: ReadonlyMap<string, PolicyNamespace>;
  readonly policies: readonly Policy[];
}
