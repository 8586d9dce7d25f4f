/** Lets those whom a SupervisorNamespaceTemplate names ask for SupervisorNamespaces of it: a ClusterRole, and who has it. */
import { SupervisorNamespaceTemplate } from "@atoll/api/supervisor/v1alpha1/supervisornamespacetemplate";
import { ClusterRole, ClusterRoleBinding } from "@atoll/client/builtin";
import type { Resource } from "@atoll/client/resource";
import type { ApiObject } from "@atoll/machinery/object";
import { ownedBy } from "@atoll/runtime/claims";
import { type Controller, defineController, settled } from "@atoll/runtime/controller";
import { type Child, keepChildren, ownerOf } from "../children.ts";

const rbac = "rbac.authorization.k8s.io";
const group = "supervisor.atoll.dev";

/** Keeps who may use SupervisorNamespaceTemplates. */
export const namespaceTemplateController: Controller = defineController({
  name: "supervisornamespacetemplate-controller",
  for: SupervisorNamespaceTemplate,
  reads: [ownedBy(ClusterRole, SupervisorNamespaceTemplate), ownedBy(ClusterRoleBinding, SupervisorNamespaceTemplate)],
  writes: [ownedBy(ClusterRole, SupervisorNamespaceTemplate), ownedBy(ClusterRoleBinding, SupervisorNamespaceTemplate)],
  async reconcile(key, tools) {
    const template = tools.cache.get(SupervisorNamespaceTemplate, key);
    if (template === undefined || template.metadata.deletionTimestamp !== undefined) return settled;
    const owner = ownerOf(SupervisorNamespaceTemplate, template);
    const [role, binding] = accessTo(template);
    await keepChildren(ClusterRole as Resource<ApiObject>, { owner, children: role }, tools);
    await keepChildren(ClusterRoleBinding as Resource<ApiObject>, { owner, children: binding }, tools);
    return settled;
  },
});

/** Nothing where nobody is named: an empty binding would only puzzle. */
function accessTo({ metadata, spec }: SupervisorNamespaceTemplate): readonly [Child[], Child[]] {
  const of = (kind: "User" | "Group", names: readonly string[] = []) =>
    names.toSorted().map((name) => ({ apiGroup: rbac, kind, name }));
  const subjects = [...of("User", spec.users), ...of("Group", spec.groups)];
  if (subjects.length === 0) return [[], []];
  const template = metadata.name ?? "";
  const name = `${group}:template:${template}`;
  const rules = [
    {
      apiGroups: [group],
      resources: ["supervisornamespacetemplates"],
      resourceNames: [template],
      verbs: ["get", "use"],
    },
    { apiGroups: [group], resources: ["supervisornamespacerequests"], verbs: ["create"] },
  ];
  const roleRef = { apiGroup: rbac, kind: "ClusterRole", name };
  return [
    [{ apiVersion: `${rbac}/v1`, kind: "ClusterRole", metadata: { name }, rules }],
    [{ apiVersion: `${rbac}/v1`, kind: "ClusterRoleBinding", metadata: { name }, roleRef, subjects }],
  ];
}
