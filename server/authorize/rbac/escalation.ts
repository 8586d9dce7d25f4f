/**
 * Nobody grants what they do not have: who writes a role must hold all of its rules or the verb `escalate` on it; who
 * writes a binding all rules of the role it grants, or the verb `bind` on that. Judged on the object as it is to be
 * stored, after everything that could still change it.
 * Source: k8s.io/kubernetes/pkg/registry/rbac/{escalation_check.go,validation,role,rolebinding,…}/policybased
 */
import type { PolicyRule, RoleRef } from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import type { AdmissionPlugin, AdmissionRequest } from "../../admission/admission.ts";
import { resourceQuestion } from "../attributes.ts";
import { type Authorizer, decide } from "../stage.ts";
import type { Rbac } from "./authorizer.ts";
import { describeRules, quoted, uncovered } from "./covers.ts";

const group = "rbac.authorization.k8s.io";
const everything: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

/** The plugin that refuses such grants. */
export function escalationCheck(rbac: Rbac, authorizers: readonly Authorizer[]): AdmissionPlugin {
  return {
    name: "RBACEscalationCheck",
    handles: ({ operation, kind, subresource, user }) =>
      kind.group === group &&
      (operation === "CREATE" || operation === "UPDATE") &&
      subresource === "" &&
      !user.groups.includes("system:masters"),
    async validate(request) {
      const { kind, object, old } = request;
      if (object === undefined || (old !== undefined && isLettingGo(object, old))) return;
      const isRole = kind.plural === "roles" || kind.plural === "clusterroles";
      if (isRole) await checkRole(request, object, { rbac, authorizers });
      else await checkBinding(request, object, { rbac, authorizers });
    },
  };
}

interface Judges {
  readonly rbac: Rbac;
  readonly authorizers: readonly Authorizer[];
}

async function checkRole(request: AdmissionRequest, object: ApiObject, judges: Judges): Promise<void> {
  const { kind, operation, namespace, name } = request;
  const asked = operation === "CREATE" ? "" : name;
  if (await may(request, judges, { verb: "escalate", resource: kind.plural, namespace, name: asked })) return;
  const { rules, aggregationRule } = object as { rules?: PolicyRule[] | null; aggregationRule?: unknown };
  const aggregated = aggregationRule !== undefined || request.old?.["aggregationRule"] !== undefined;
  // It may come to hold anything.
  if (aggregated && missing(request, judges, everything) !== undefined) {
    throw refusal(request, "must have cluster-admin privileges to use the aggregationRule");
  }
  refuse(request, missing(request, judges, rules ?? []));
}

async function checkBinding(request: AdmissionRequest, object: ApiObject, judges: Judges): Promise<void> {
  const { roleRef } = object as unknown as { roleRef: RoleRef };
  const { namespace } = request;
  const resource = roleRef.kind === "ClusterRole" ? "clusterroles" : "roles";
  if (await may(request, judges, { verb: "bind", resource, namespace, name: roleRef.name })) return;
  const rules = judges.rbac.grants.rulesOf(namespace, roleRef);
  if (rules === undefined) {
    const told = `${resource}.${group} ${JSON.stringify(roleRef.name)} not found`;
    throw new StatusError("NotFound", told, { details: { name: roleRef.name, group, kind: resource } });
  }
  refuse(request, missing(request, judges, rules));
}

async function may(
  { user }: AdmissionRequest,
  { authorizers }: Judges,
  asked: { verb: string; resource: string; namespace: string; name: string },
): Promise<boolean> {
  const { decision } = await decide(authorizers, user, resourceQuestion({ ...asked, group, version: "v1" }));
  return decision === "allow";
}

/** What the user lacks of the rules, in words; undefined when nothing. */
function missing({ user, namespace }: AdmissionRequest, { rbac }: Judges, rules: readonly PolicyRule[]) {
  const { rules: held, errors } = rbac.rulesFor(user, namespace);
  const lacked = uncovered(held as readonly PolicyRule[], rules);
  if (lacked.length === 0) return undefined;
  const who = `user ${JSON.stringify(user.name)} (groups=${quoted(user.groups)})`;
  const what = `is attempting to grant RBAC permissions not currently held:\n${describeRules(lacked).join("\n")}`;
  return `${who} ${what}${errors.length === 0 ? "" : `; resolution errors: [${errors.join(" ")}]`}`;
}

function refuse(request: AdmissionRequest, why: string | undefined): void {
  if (why !== undefined) throw refusal(request, why);
}

function refusal({ kind, name }: AdmissionRequest, why: string): StatusError {
  const told = `${kind.plural}.${group} ${JSON.stringify(name)} is forbidden: ${why}`;
  return new StatusError("Forbidden", told, { details: { name, group, kind: kind.plural } });
}

/** Whether only what holds the object in the world changes, as the garbage collector changes it. */
function isLettingGo(object: ApiObject, old: ApiObject): boolean {
  return deepEqual(held(object), held(old));
}

function held({ metadata, ...rest }: ApiObject): object {
  const { ownerReferences: _, finalizers: __, managedFields: ___, resourceVersion: ____, ...stays } = metadata;
  return { ...rest, metadata: stays };
}
