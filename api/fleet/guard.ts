/**
 * Who writes an AccessPolicy cannot give more than they may give: a ValidatingAdmissionPolicy of the hub that asks its
 * authorizer, so it holds on any Kubernetes. As RBAC's check against escalation, but by the verbs alone: that the writer
 * holds all the rules of a role themselves is not enough.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
import type { ApiObject } from "@atoll/machinery/object";
import { guard } from "../own/guard.ts";

const name = "access.fleet.atoll.dev";
const roles = "authorizer.group('rbac.authorization.k8s.io').resource('clusterroles')";

/** Whether the policy is for whole clusters: it stands for cluster-admin then. As fleet/compile has it. */
const everywhere =
  "!('workspace' in object.spec.target) && !('namespace' in object.spec.target) && !has(object.spec.namespaceSelector)";

function mayBind(role: string, when: string): object {
  return {
    expression: `!(${when}) || ${roles}.name('${role}').check('bind').allowed()`,
    message: `this gives more than you may give: it needs the verb bind on ClusterRole ${role} of the hub`,
    reason: "Forbidden",
  };
}
const gives = (strength: string) => `object.spec.bindings.exists(b, b.role.endsWith('.${strength}'))`;

/** What a hub needs beside the definitions. Kubernetes 1.30 or newer. */
export const accessGuard: readonly ApiObject[] = guard(name, {
  matchConstraints: {
    resourceRules: [
      {
        apiGroups: ["fleet.atoll.dev"],
        apiVersions: ["*"],
        operations: ["CREATE", "UPDATE"],
        resources: ["accesspolicies"],
      },
    ],
  },
  // What is given already may be kept by whoever changes labels or finalizers.
  matchConditions: [{ name: "gives", expression: "request.operation == 'CREATE' || object.spec != oldObject.spec" }],
  variables: [{ name: "everywhere", expression: everywhere }],
  validations: [
    mayBind("cluster-admin", `variables.everywhere && ${gives("admin")}`),
    mayBind("admin", `!variables.everywhere && ${gives("admin")}`),
    mayBind("edit", gives("edit")),
    mayBind("view", gives("view")),
    {
      expression: `!object.spec.bindings.exists(b, b.role == 'custom') || ${roles}.check('escalate').allowed()`,
      message: "rules of one's own need the verb escalate on ClusterRoles of the hub",
      reason: "Forbidden",
    },
  ],
});
