/**
 * What a SupervisorNamespace made is not its tenants' to change: a ValidatingAdmissionPolicy that lets through who may
 * change the SupervisorNamespace itself. An owner is `admin` in the namespace and could otherwise take a RoleBinding away,
 * until the controller puts it back.
 */
import type { ApiObject } from "@atoll/machinery/object";
import { admissionVersion, guard } from "../own/guard.ts";

const name = "owned.supervisor.atoll.dev";
/** The account of the controllers, garbage collection among them. */
const controllers = "system:kube-controller-manager";

const owners =
  "has(oldObject.metadata.ownerReferences) ? oldObject.metadata.ownerReferences.filter(o, o.kind == 'SupervisorNamespace' && o.apiVersion.startsWith('supervisor.atoll.dev/')) : []";
const mayChange =
  "authorizer.group('supervisor.atoll.dev').resource('supervisornamespaces').name(variables.owners[0].name).check('update').allowed()";

const hostVmName = "hostvms.supervisor.atoll.dev";

/** A HostVM is its host's word: the node writes it, garbage collection may take it away, and nobody else changes it. */
const hostVmGuard = guard(hostVmName, {
  matchConstraints: {
    resourceRules: [
      {
        apiGroups: ["supervisor.atoll.dev"],
        apiVersions: ["*"],
        operations: ["CREATE", "UPDATE", "DELETE"],
        resources: ["hostvms", "hostvms/*"],
      },
    ],
  },
  matchConditions: [
    {
      name: "not-collected",
      expression: `request.operation != 'DELETE' || request.userInfo.username != '${controllers}'`,
    },
  ],
  variables: [{ name: "node", expression: "request.operation == 'DELETE' ? oldObject.spec.node : object.spec.node" }],
  validations: [
    {
      expression: "request.userInfo.username == 'system:node:' + variables.node",
      messageExpression: "'a HostVM is written by the node that runs the machine, here ' + variables.node",
      reason: "Forbidden",
    },
  ],
});

const requestName = "requests.supervisor.atoll.dev";
const requests = {
  resourceRules: [
    {
      apiGroups: ["supervisor.atoll.dev"],
      apiVersions: ["*"],
      operations: ["CREATE"],
      resources: ["supervisornamespacerequests"],
    },
  ],
};

/** Who asks for a SupervisorNamespace is written down by the server, and may use the template. */
const requestGuard: readonly ApiObject[] = [
  {
    apiVersion: admissionVersion,
    kind: "MutatingAdmissionPolicy",
    metadata: { name: requestName },
    spec: {
      failurePolicy: "Fail",
      reinvocationPolicy: "IfNeeded",
      matchConstraints: requests,
      mutations: [
        {
          patchType: "ApplyConfiguration",
          applyConfiguration: {
            expression: "Object{ spec: Object.spec{ requester: request.userInfo.username } }",
          },
        },
      ],
    },
  } as ApiObject,
  {
    apiVersion: admissionVersion,
    kind: "MutatingAdmissionPolicyBinding",
    metadata: { name: requestName },
    spec: { policyName: requestName },
  } as ApiObject,
  ...guard(requestName, {
    matchConstraints: requests,
    validations: [
      {
        expression: "has(object.spec.requester) && object.spec.requester == request.userInfo.username",
        message: "spec.requester is who asks, and filled in by the server",
        reason: "Forbidden",
      },
      {
        expression:
          "authorizer.group('supervisor.atoll.dev').resource('supervisornamespacetemplates').name(object.spec.template).check('use').allowed()",
        messageExpression:
          "'spec.template: you may not use ' + object.spec.template + '; ask the administrator to name you, or a group of yours, in that SupervisorNamespaceTemplate'",
        reason: "Forbidden",
      },
    ],
  }),
];

/** What a Supervisor needs beside the definitions. */
export const supervisorGuard: readonly ApiObject[] = [
  ...guard(name, {
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
  }),
  ...hostVmGuard,
  ...requestGuard,
];
