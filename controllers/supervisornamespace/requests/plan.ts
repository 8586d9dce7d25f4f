/** Whether a SupervisorNamespaceRequest is granted, and what it makes. Pure. */
import type { SupervisorNamespace } from "@atoll/api/supervisor/v1alpha1/supervisornamespace";
import type { SupervisorNamespaceRequest } from "@atoll/api/supervisor/v1alpha1/supervisornamespacerequest";
import type { SupervisorNamespaceTemplate } from "@atoll/api/supervisor/v1alpha1/supervisornamespacetemplate";
import type { Child } from "../children.ts";
import { isReserved, type Verdict } from "../plan.ts";

const rbac = "rbac.authorization.k8s.io";
const group = "supervisor.atoll.dev";

/** What is known when a request is judged. */
export interface Known {
  readonly template: SupervisorNamespaceTemplate | undefined;
  /** The SupervisorNamespace of the request's name, whosever it is. */
  readonly namespace: SupervisorNamespace | undefined;
  /** All requests. */
  readonly requests: readonly SupervisorNamespaceRequest[];
}

/**
 * Why a request that has nothing yet gets nothing now; undefined: it is granted. Who asked first has first; more than the
 * template allows wait until others of theirs go.
 */
export function refusalOf(request: SupervisorNamespaceRequest, known: Known): Verdict | undefined {
  const { metadata, spec } = request;
  const { name = "" } = metadata;
  const { template, namespace, requests } = known;
  if (template === undefined) {
    return { reason: "TemplateNotFound", message: `there is no SupervisorNamespaceTemplate ${spec.template}` };
  }
  if (isReserved(name)) {
    return { reason: "NameReserved", message: `${name} is kept for the cluster itself; choose another name` };
  }
  if (namespace !== undefined) {
    return { reason: "NameTaken", message: `there is a SupervisorNamespace ${name} already; choose another name` };
  }
  const same = requests.filter(
    (each) => each.spec.template === spec.template && each.spec.requester === spec.requester,
  );
  const ahead = same.filter((each) => each !== request && comesBefore(each, request));
  if (ahead.length < template.spec.perPerson) return undefined;
  const theirs = ahead.map((each) => each.metadata.name ?? "").sort((one, other) => one.localeCompare(other));
  const message = `${spec.requester} has ${theirs.join(", ")} of template ${spec.template}, and may have ${template.spec.perPerson}; delete a request to make room`;
  return { reason: "LimitReached", message };
}

/** What has been granted stays ahead of what has not, whatever the clocks said. */
function comesBefore(one: SupervisorNamespaceRequest, other: SupervisorNamespaceRequest): boolean {
  const rank = ({ metadata, status }: SupervisorNamespaceRequest) => [
    status?.phase === "Granted" ? "0" : "1",
    metadata.creationTimestamp ?? "",
    metadata.name ?? "",
  ];
  return rank(one).join(" ") < rank(other).join(" ");
}

/** The SupervisorNamespace that a request stands for. */
export function namespaceFor(
  { metadata, spec }: SupervisorNamespaceRequest,
  template: SupervisorNamespaceTemplate,
): Pick<SupervisorNamespace, "metadata" | "spec"> {
  const { access = [], ...share } = template.spec.namespace;
  const description = spec.description ?? template.spec.description;
  return {
    metadata: { name: metadata.name ?? "" },
    spec: {
      ...(description === undefined ? {} : { description }),
      ...share,
      access: [{ role: template.spec.role, users: [spec.requester ?? ""] }, ...access],
    },
  };
}

/** What lets the requester see, and end, what was granted. */
export function accessTo({ metadata, spec }: SupervisorNamespaceRequest): { role: Child; binding: Child } {
  const { name: request = "" } = metadata;
  const name = `${group}:request:${request}`;
  const own = { apiGroups: [group], resourceNames: [request] };
  const rules = [
    { ...own, resources: ["supervisornamespacerequests"], verbs: ["get", "delete"] },
    { ...own, resources: ["supervisornamespaces"], verbs: ["get"] },
  ];
  const subjects = [{ apiGroup: rbac, kind: "User", name: spec.requester ?? "" }];
  const roleRef = { apiGroup: rbac, kind: "ClusterRole", name };
  return {
    role: { apiVersion: `${rbac}/v1`, kind: "ClusterRole", metadata: { name }, rules },
    binding: { apiVersion: `${rbac}/v1`, kind: "ClusterRoleBinding", metadata: { name }, roleRef, subjects },
  };
}
