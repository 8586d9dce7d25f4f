/**
 * What a SupervisorNamespace made is not its tenants' to change: a ValidatingAdmissionPolicy that lets through who may
 * change the SupervisorNamespace itself. An owner is `admin` in the namespace and could otherwise take a RoleBinding away,
 * until the controller puts it back.
 */
import type { ApiObject } from "@atoll/machinery/object";

const apiVersion = "admissionregistration.k8s.io/v1";
const name = "owned.supervisor.atoll.dev";
/** The account of the controllers, garbage collection among them. */
const controllers = "system:kube-controller-manager";

const owners =
  "has(oldObject.metadata.ownerReferences) ? oldObject.metadata.ownerReferences.filter(o, o.kind == 'SupervisorNamespace' && o.apiVersion.startsWith('supervisor.atoll.dev/')) : []";
const mayChange =
  "authorizer.group('supervisor.atoll.dev').resource('supervisornamespaces').name(variables.owners[0].name).check('update').allowed()";

/** What a Supervisor needs beside the definitions. */
export const supervisorGuard: readonly ApiObject[] = [
  {
    apiVersion,
    kind: "ValidatingAdmissionPolicy",
    metadata: { name },
    spec: {
      failurePolicy: "Fail",
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ["", "rbac.authorization.k8s.io"],
            apiVersions: ["*"],
            operations: ["UPDATE", "DELETE"],
            resources: ["namespaces", "resourcequotas", "limitranges", "rolebindings"],
          },
        ],
      },
      matchConditions: [
        { name: "owned", expression: `(${owners}).size() > 0` },
        { name: "others", expression: `request.userInfo.username != '${controllers}'` },
      ],
      variables: [{ name: "owners", expression: owners }],
      validations: [
        {
          expression: mayChange,
          messageExpression:
            "'this belongs to SupervisorNamespace ' + variables.owners[0].name + '; who may change that one decides what is here'",
          reason: "Forbidden",
        },
      ],
    },
  } as ApiObject,
  {
    apiVersion,
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name },
    spec: { policyName: name, validationActions: ["Deny"] },
  } as ApiObject,
];
