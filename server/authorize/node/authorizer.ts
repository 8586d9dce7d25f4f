/**
 * What nodes may do. A node is a member of system:nodes named system:node:NAME, and has to do with the objects of its own
 * pods only; what it may write beyond that is for admission (NodeRestriction) to judge, which sees the objects.
 * Source: k8s.io/kubernetes/plugin/pkg/auth/authorizer/node/node_authorizer.go
 */
import type { PersistentVolume, Pod } from "@atoll/api/builtin/core/v1.types";
import type { ApiObject } from "@atoll/machinery/object";
import { type LabelSelector, parseLabelSelector, type Requirement } from "@atoll/machinery/selectors/labels";
import { nodeRules } from "../../bootstrap/rbacroles.ts";
import type { User } from "../../call.ts";
import { type Fed, Mirror, type MirrorOptions } from "../../registry/mirror.ts";
import type { RequestInfo } from "../../request.ts";
import { fieldSelectorOf, fieldTerm } from "../attributes.ts";
import { askedOf, type RbacOptions } from "../rbac/authorizer.ts";
import { Rule } from "../rbac/rules.ts";
import { allowed, type Authorizer, noOpinion, type RulesAnswer, type Verdict } from "../stage.ts";
import { NodeGraph } from "./graph.ts";
import { type Needed, reference } from "./references.ts";

const prefix = "system:node:";
const leases = "kube-node-lease";

/** Decides about nodes; follows their pods from the first request of a node on. */
export class NodeAuthorizer implements Authorizer {
  readonly #graph = new NodeGraph();
  readonly #rules = nodeRules.map((rule) => new Rule(rule));
  readonly #mirrors: readonly Mirror[];
  #ready: Promise<unknown> | undefined;
  #started = false;

  constructor({ catalogue, clock, onError }: RbacOptions) {
    const graph = this.#graph;
    const mirrors: Mirror[] = [];
    const feed = (group: string, plural: string, into: (nameOf: (key: string) => string) => Fed) => {
      const resource = catalogue.resource(group, plural);
      if (resource === undefined) return;
      const options: MirrorOptions = { resource, clock, onError, into: into((key) => resource.place(key).name) };
      mirrors.push(new Mirror(options));
    };
    feed("", "pods", () => podsInto(graph));
    feed("", "persistentvolumes", (nameOf) => ({
      put: (key, _entry, read) => graph.putVolume(nameOf(key), read() as PersistentVolume),
      drop: (key) => graph.dropVolume(nameOf(key)),
    }));
    feed("storage.k8s.io", "volumeattachments", (nameOf) => ownedInto(graph, "volumeattachments", nameOf));
    feed("resource.k8s.io", "resourceslices", (nameOf) => ownedInto(graph, "resourceslices", nameOf));
    this.#mirrors = mirrors;
  }

  close(): void {
    for (const mirror of this.#mirrors) mirror.close();
  }

  authorize(user: User, info: RequestInfo): Verdict | Promise<Verdict> {
    const node = nodeOf(user);
    if (node === undefined) return noOpinion;
    if (node === "") return no(`unknown node for user ${JSON.stringify(user.name)}`);
    if (this.#started) return this.#judge(node, info);
    this.#ready ??= Promise.all(this.#mirrors.map((mirror) => mirror.start()));
    return this.#ready.then(
      () => {
        this.#started = true;
        return this.#judge(node, info);
      },
      (error: unknown) => {
        this.#ready = undefined;
        throw error;
      },
    );
  }

  rulesFor(user: User): RulesAnswer {
    if (nodeOf(user) === undefined) return { rules: [], incomplete: false, errors: [] };
    return { rules: [], incomplete: true, errors: ["node authorizer does not support user rule resolution"] };
  }

  #judge(node: string, info: RequestInfo): Verdict {
    const judge = judges[`${info.group}/${info.resource}`];
    if (judge !== undefined) return judge({ node, info, graph: this.#graph });
    return this.#rules.some((rule) => rule.allows(askedOf(info))) ? allowed : noOpinion;
  }
}

/** The name of the node; undefined when it is none. */
export function nodeOf({ name, groups }: User): string | undefined {
  return name.startsWith(prefix) && groups.includes("system:nodes") ? name.slice(prefix.length) : undefined;
}

function podsInto(graph: NodeGraph): Fed {
  const nodeName = Buffer.from('"nodeName"');
  return {
    // Pods that wait for a node are many, and need not be parsed.
    put: (key, { value }, read) => {
      if (value.includes(nodeName)) graph.putPod(key, read() as Pod);
      else graph.dropPod(key);
    },
    drop: (key) => graph.dropPod(key),
  };
}

function ownedInto(graph: NodeGraph, kind: string, nameOf: (key: string) => string): Fed {
  return {
    put: (key, _entry, read) => {
      const { spec } = read() as ApiObject & { spec?: { nodeName?: string } };
      graph.own(kind, nameOf(key), spec?.nodeName);
    },
    drop: (key) => graph.own(kind, nameOf(key), undefined),
  };
}

/** A request about a resource of which not every node may see everything. */
interface Case {
  readonly node: string;
  readonly info: RequestInfo;
  readonly graph: NodeGraph;
}

type Judge = (request: Case) => Verdict;

const judges: Readonly<Record<string, Judge>> = {
  "/secrets": readOf("secrets"),
  "/configmaps": readOf("configmaps"),
  "/persistentvolumeclaims": (request) =>
    request.info.subresource === "status" ? claimStatus(request) : getOf("persistentvolumeclaims")(request),
  "/persistentvolumes": getOf("persistentvolumes"),
  "resource.k8s.io/resourceclaims": getOf("resourceclaims"),
  "storage.k8s.io/volumeattachments": getOf("volumeattachments"),
  "/serviceaccounts": token,
  "coordination.k8s.io/leases": lease,
  "storage.k8s.io/csinodes": csiNode,
  "resource.k8s.io/resourceslices": slice,
  "/nodes": ownNode,
  "supervisor.atoll.dev/hostnetworks": ownNetwork,
  "supervisor.atoll.dev/hostvms": ownMachines,
  "/pods": pod,
};

const no = (reason: string): Verdict => ({ ...noOpinion, reason });

/** Related to the node by the graph. */
function related({ node, info, graph }: Case, kind: Needed | "volumeattachments" | "resourceslices"): Verdict {
  const { namespace, name } = info;
  if (name === "") return no("No Object name found");
  return isRelated({ node, info, graph }, kind, namespace)
    ? allowed
    : no(`no relationship found between node '${node}' and this object`);
}

function isRelated({ node, info, graph }: Case, kind: Parameters<typeof related>[1], namespace: string): boolean {
  switch (kind) {
    case "volumeattachments":
    case "resourceslices":
      return graph.owns(node, kind, info.name);
    case "persistentvolumes":
      return graph.mounts(node, info.name);
    default:
      return graph.needs(node, reference(kind, namespace, info.name));
  }
}

const reads: ReadonlySet<string> = new Set(["get", "list", "watch"]);

function readOf(kind: "secrets" | "configmaps"): Judge {
  return (request) => {
    const { verb, subresource, namespace } = request.info;
    if (!reads.has(verb)) return no("can only read resources of this type");
    if (subresource !== "") return no("cannot read subresource");
    if (namespace === "") return no("can only read namespaced object of this type");
    return related(request, kind);
  };
}

function getOf(kind: Parameters<typeof related>[1]): Judge {
  return (request) => {
    if (request.info.verb !== "get") return no("can only get individual resources of this type");
    if (request.info.subresource !== "") return no("cannot get subresource");
    return related(request, kind);
  };
}

function claimStatus(request: Case): Verdict {
  const { verb } = request.info;
  if (verb !== "update" && verb !== "patch") return no("can only get/update/patch this type");
  return related(request, "persistentvolumeclaims");
}

/** Tokens for the accounts of the node's pods; that one is bound to such a pod, admission sees to. */
function token({ node, info, graph }: Case): Verdict {
  const { verb, name, subresource, namespace } = info;
  if (verb !== "create" || name === "") return no("can only create tokens for individual service accounts");
  if (subresource !== "token") return no("can only create token subresource of serviceaccount");
  if (graph.needs(node, reference("serviceaccounts", namespace, name))) return allowed;
  return no(`no relationship found between node '${node}' and this object`);
}

const ownVerbs: ReadonlySet<string> = new Set(["get", "create", "update", "patch", "delete"]);

function lease({ node, info: { verb, namespace, name } }: Case): Verdict {
  if (!ownVerbs.has(verb)) return no("can only get, create, update, patch, or delete a node lease");
  if (namespace !== leases) return no(`can only access leases in the ${JSON.stringify(leases)} system namespace`);
  if (verb !== "create" && name !== node) {
    return no("can only access node lease with the same name as the requesting node");
  }
  return allowed;
}

function csiNode({ node, info: { verb, subresource, name } }: Case): Verdict {
  if (!ownVerbs.has(verb)) return no("can only get, create, update, patch, or delete a CSINode");
  if (subresource !== "") return no("cannot authorize CSINode subresources");
  if (verb !== "create" && name !== node) {
    return no("can only access CSINode with the same name as the requesting node");
  }
  return allowed;
}

function slice(request: Case): Verdict {
  const { node, info } = request;
  if (info.subresource !== "") return no("cannot authorize ResourceSlice subresources");
  switch (info.verb) {
    case "create":
      return allowed;
    case "get":
    case "update":
    case "patch":
    case "delete":
      return related(request, "resourceslices");
    case "list":
    case "watch":
    case "deletecollection":
      if (selects(info, "spec.nodeName", node)) return allowed;
      return no("can only list/watch/deletecollection resourceslices with nodeName field selector");
    default:
      return no(
        "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection",
      );
  }
}

function ownNode({ node, info: { verb, subresource, name } }: Case): Verdict {
  const writes = verb === "update" || verb === "patch";
  if (subresource === "status") return writes ? allowed : noOpinion;
  if (subresource !== "") return noOpinion;
  if (writes || verb === "create") return allowed;
  if (!reads.has(verb)) return noOpinion;
  if (name === node) return allowed;
  const what = name === "" ? "all nodes" : `'${name}'`;
  return no(`node '${node}' cannot read ${what}, only its own Node object`);
}

/** What a host knows of others' pods says who calls its own, and is no other host's business. */
function ownNetwork({ node, info: { verb, subresource, name } }: Case): Verdict {
  if (reads.has(verb) && subresource === "" && name === node) return allowed;
  return no("can only read the HostNetwork of the requesting node");
}

/** By which a node's machines are found. */
const machineLabel = "supervisor.atoll.dev/node";
const machineVerbs: ReadonlySet<string> = new Set(["create", "update", "delete"]);

/** Whose a machine is that somebody writes, only admission can see; which machines run elsewhere is nobody's business here. */
function ownMachines({ node, info }: Case): Verdict {
  const { verb, subresource, query } = info;
  if (subresource !== "") return no("can only access HostVMs themselves");
  if (machineVerbs.has(verb)) return allowed;
  if (verb === "list" || verb === "watch") {
    const selector = labelSelectorOf(query.get("labelSelector") ?? "");
    const isOwn = ({ key, operator, values }: Requirement) =>
      key === machineLabel && operator === "In" && values.length === 1 && values[0] === node;
    if (selector.some(isOwn)) return allowed;
  }
  return no(`can only list/watch HostVMs with the label selector ${machineLabel}=${node}`);
}

/** One that cannot be read selects nothing in particular. */
function labelSelectorOf(text: string): LabelSelector {
  try {
    return parseLabelSelector(text);
  } catch {
    return [];
  }
}

function pod(request: Case): Verdict {
  const { verb, subresource } = request.info;
  const writes = verb === "update" || verb === "patch";
  if (subresource === "status") return writes ? allowed : noOpinion;
  if (subresource === "eviction") return verb === "create" ? allowed : noOpinion;
  if (subresource !== "") return noOpinion;
  if (verb === "create" || verb === "delete") return allowed;
  if (verb === "get") return related(request, "pods");
  return verb === "list" || verb === "watch" ? podsOf(request) : noOpinion;
}

function podsOf(request: Case): Verdict {
  if (selects(request.info, "spec.nodeName", request.node)) return allowed;
  if (request.info.name !== "") return related(request, "pods");
  return no("can only list/watch pods with spec.nodeName field selector");
}

function selects(info: RequestInfo, field: string, value: string): boolean {
  return fieldTerm(fieldSelectorOf(info), field) === value;
}
