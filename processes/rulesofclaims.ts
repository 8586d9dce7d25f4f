/**
 * What the controllers' account may do, derived from what each controller declares to write. The server must know it at
 * every start and need not load the controllers for it: it is kept as data in controllersrules.ts, which writerules.ts makes.
 */
import type { PolicyRule } from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";
import type { AnyResource } from "@atoll/client/resource";
import type { Claim, Write } from "@atoll/runtime/claims";
import { everything } from "./everything.ts";

/** Beside what a controller declares: to speak of what happened, to lead, to sign, and to name owners. */
const common: readonly PolicyRule[] = [
  rule(["create", "patch", "update"], "", ["events"]),
  rule(["create", "patch", "update"], "events.k8s.io", ["events"]),
  rule(["create", "get", "patch", "update"], "coordination.k8s.io", ["leases"]),
  rule(["approve", "sign"], "certificates.k8s.io", ["signers"]),
  rule(["escalate"], "rbac.authorization.k8s.io", ["clusterroles"]),
  // What the agent of an attached cluster may do in its namespace, the controllers themselves need not.
  rule(["bind", "escalate"], "rbac.authorization.k8s.io", ["roles"]),
  // In whose name the gateway may speak. Whoever may change ClusterRoles could give themselves as much: this account is to
  // be guarded like the admin's.
  rule(["bind"], "rbac.authorization.k8s.io", ["clusterroles"]),
  // What nodes and pods use.
  rule(["get"], "", ["nodes/proxy"]),
  // The kinds of Atoll's own.
  rule(["create", "patch"], "apiextensions.k8s.io", ["customresourcedefinitions"]),
  rule(["create", "patch"], "admissionregistration.k8s.io", [
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
  ]),
  rule(["get", "list", "watch"], "*", ["*"]),
  rule(["update"], "*", ["*/finalizers"]),
];

/** Each rule once, in the order of the controllers. */
export function rulesOfControllers(): readonly PolicyRule[] {
  // What they write does not depend on which authority they serve, nor on the ranges that they give out.
  const controllers = everything({
    ca: "",
    signing: { cert: "", key: "" },
    ranges: { pods: "0.0.0.0/0", services: "0.0.0.0/0" },
  });
  const rules = controllers.flatMap(({ writes: claims }) => claims.flatMap(rulesOf));
  return [...new Map([...common, ...rules].map((each) => [JSON.stringify(each), each])).values()];
}

function rule(verbs: string[], apiGroup: string, resources: string[]): PolicyRule {
  return { verbs, apiGroups: [apiGroup], resources };
}

const writes = ["create", "delete", "deletecollection", "patch", "update"] as const;
const subresources = ["approval", "binding", "eviction", "finalize", "resize", "scale", "status"];
const nameless = { metadata: {} };

/** What of the API a claim may make one write. Claims that depend on the object are taken to be about any. */
function rulesOf(claim: Claim): readonly PolicyRule[] {
  const { resource } = claim;
  const covered = (subresource: string) =>
    writes.filter((verb) => covers(claim, { verb, subresource, object: nameless }));
  const below = subresources.filter((each) => covered(each).length > 0 && covered("nothing there is").length === 0);
  const [apiGroup, plural] = placeOf(resource);
  if (below.length > 0 && covered("").length === 0) {
    return below.map((each) =>
      rule([...covered(each)], apiGroup, [plural === "*" ? `*/${each}` : `${plural}/${each}`]),
    );
  }
  const verbs = covered("");
  return [rule(verbs.length === 0 ? [...writes] : [...verbs], apiGroup, [plural])];
}

/** A claim that cannot bear an object without a name is one that depends on the object. */
function covers(claim: Claim, write: Write): boolean {
  try {
    return claim.covers(write);
  } catch {
    return false;
  }
}

function placeOf(resource: AnyResource | "any"): readonly [string, string] {
  return resource === "any" ? ["*", "*"] : [resource.group, resource.plural];
}
