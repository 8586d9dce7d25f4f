/** AccessPolicy: who may do what, as RBAC. */
import type { AccessPolicy } from "@atoll/api/fleet/v1alpha1/accesspolicy";
import type { Envelope, Output } from "./envelope.ts";

const group = "rbac.authorization.k8s.io";
const apiVersion = `${group}/v1`;

/** The roles that every Kubernetes has for people. Source: kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles */
const wholeCluster: Readonly<Record<string, string>> = { admin: "cluster-admin", edit: "edit", view: "view" };
const inNamespaces: Readonly<Record<string, string>> = { admin: "admin", edit: "edit", view: "view" };

/** Bindings for the whole cluster, or in each namespace when the policy is for some alone. */
export function accessObjects({ spec }: AccessPolicy, { name, everywhere, namespaces }: Envelope): readonly Output[] {
  return spec.bindings.flatMap(({ role, rules, subjects }, at): Output[] => {
    const metadata = { name: `${name}-${at}` };
    const own = { manifest: { apiVersion, kind: "ClusterRole", metadata, rules: rules ?? [] } };
    const [, strength = ""] = role.split(".");
    const known = (everywhere ? wholeCluster : inNamespaces)[strength];
    const roleRef = { apiGroup: group, kind: "ClusterRole", name: known ?? metadata.name };
    const kind = everywhere ? "ClusterRoleBinding" : "RoleBinding";
    const who = subjects.map(({ kind: of, name: called, namespace }) =>
      of === "ServiceAccount" ? { kind: of, name: called, namespace } : { apiGroup: group, kind: of, name: called },
    );
    const manifest = { apiVersion, kind, metadata, roleRef, subjects: who };
    const binding = everywhere ? { manifest } : { eachNamespace: namespaces, manifest };
    return known === undefined ? [own, binding] : [binding];
  });
}
