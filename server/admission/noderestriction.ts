/**
 * What a node may write, as far as the objects tell: itself, the status of pods that run on it, mirrors of its own pods,
 * its lease. The node authorizer judges what the request's path tells.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/noderestriction
 */
import type { Node, PersistentVolumeClaim, Pod } from "@atoll/api/builtin/core/v1.types";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { nodeOf } from "../authorize/node/authorizer.ts";
import { neededBy } from "../authorize/node/references.ts";
import type { Authorizer } from "../authorize/stage.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { readSubject } from "./certificaterequests.ts";
import { forbidden } from "./forbidden.ts";
import { checkAudience } from "./tokenaudiences.ts";

const mirror = "kubernetes.io/config.mirror";
const leases = "kube-node-lease";
const restricted = "node-restriction.kubernetes.io";
/** Source: k8s.io/kubelet/pkg/apis/well_known_labels.go */
const ownLabels: ReadonlySet<string> = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "node.kubernetes.io/instance-type",
  "beta.kubernetes.io/instance-type",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
]);
const ownDomains = ["kubelet.kubernetes.io", "node.kubernetes.io"];
const nodeSigners: ReadonlySet<unknown> = new Set([
  "kubernetes.io/kubelet-serving",
  "kubernetes.io/kube-apiserver-client-kubelet",
]);

/** A write of a node, and what is known of others. */
interface Write {
  readonly request: AdmissionRequest;
  readonly node: string;
  readonly catalogue: Catalogue;
  readonly authorizers: readonly Authorizer[];
}

type Judge = (write: Write) => void | Promise<void>;

const judges: Readonly<Record<string, Judge>> = {
  "/pods": judgePod,
  "/nodes": judgeNode,
  "/persistentvolumeclaims": judgeClaim,
  "/serviceaccounts": judgeToken,
  "coordination.k8s.io/leases": judgeLease,
  "storage.k8s.io/csinodes": judgeCsiNode,
  "resource.k8s.io/resourceslices": judgeSlice,
  "certificates.k8s.io/certificatesigningrequests": judgeCertificate,
};

/** The plugin; it reads pods and nodes, and asks the authorizers about tokens. */
export function nodeRestriction(catalogue: Catalogue, authorizers: readonly Authorizer[]): AdmissionPlugin {
  return {
    name: "NodeRestriction",
    handles: ({ kind, operation, user }) =>
      operation !== "CONNECT" && nodeOf(user) !== undefined && judgeOf(kind) !== undefined,
    mutate(request) {
      const node = nodeOf(request.user) ?? "";
      if (node === "") {
        throw forbidden(request, `could not determine node from user ${JSON.stringify(request.user.name)}`);
      }
      return judgeOf(request.kind)?.({ request, node, catalogue, authorizers });
    },
  };
}

function judgeOf({ group, plural }: AdmissionRequest["kind"]): Judge | undefined {
  return judges[`${group}/${plural}`];
}

function judgePod(write: Write): void | Promise<void> {
  const { request, node } = write;
  const { subresource, operation, old } = request;
  switch (subresource) {
    case "":
      if (operation === "CREATE") return judgeMirror(write);
      if (operation === "DELETE")
        return requireOwn(write, old, "can only delete pods with spec.nodeName set to itself");
      throw forbidden(
        request,
        `unexpected operation ${JSON.stringify(operation)}, node ${JSON.stringify(node)} can only create and delete mirror pods`,
      );
    case "status":
      return judgePodStatus(write);
    case "eviction":
      return judgeEviction(write);
    default:
      throw forbidden(
        request,
        `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`,
      );
  }
}

function requireOwn({ request, node }: Write, pod: ApiObject | undefined, why: string): void {
  if ((pod as unknown as Pod | undefined)?.spec.nodeName !== node) {
    throw forbidden(request, `node ${JSON.stringify(node)} ${why}`);
  }
}

async function judgeMirror(write: Write): Promise<void> {
  const { request, node } = write;
  const pod = request.object as unknown as Pod;
  const refuse = (why: string) => forbidden(request, `node ${JSON.stringify(node)} ${why}`);
  const { annotations = {}, ownerReferences = [] } = pod.metadata;
  if (annotations[mirror] === undefined) {
    const why = `pod does not have "${mirror}" annotation, node ${JSON.stringify(node)} can only create mirror pods`;
    throw forbidden(request, why);
  }
  requireOwn(write, request.object, "can only create pods with spec.nodeName set to itself");
  const [owner, ...others] = ownerReferences;
  if (others.length > 0) throw refuse("can only create pods with a single owner reference set to itself");
  if (owner?.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== node) {
    throw refuse("can only create pods with an owner reference set to itself");
  }
  if (owner.controller !== true) throw refuse("can only create pods with a controller owner reference set to itself");
  if (owner.blockOwnerDeletion === true) throw refuse("must not set blockOwnerDeletion on an owner reference");
  const stored = await stateOf(write, "nodes", { namespace: "", name: node });
  if (stored.metadata.uid !== owner.uid) {
    throw forbidden(request, `node ${node} UID mismatch: expected ${owner.uid} got ${stored.metadata.uid}`);
  }
  refuseReferences(pod, refuse);
}

/** A node that could make up pods with references could read what they refer to. */
function refuseReferences(pod: Pod, refuse: (why: string) => Error): void {
  const { [mirror]: _, ...annotations } = pod.metadata.annotations ?? {};
  const asked = neededBy({ ...pod, metadata: { ...pod.metadata, annotations } });
  const kinds = new Set([...asked].map((each) => each.slice(0, each.indexOf("/"))));
  if (kinds.has("serviceaccounts")) throw refuse("can not create pods that reference a service account");
  for (const kind of ["secrets", "configmaps", "persistentvolumeclaims", "resourceclaims"]) {
    if (kinds.has(kind)) throw refuse(`can not create pods that reference ${kind}`);
  }
  const projected = (pod.spec.volumes ?? []).flatMap(({ projected: source }) => source?.sources ?? []);
  if (projected.some(({ clusterTrustBundle }) => clusterTrustBundle !== undefined)) {
    throw refuse("can not create pods that reference clustertrustbundles");
  }
}

function judgePodStatus(write: Write): void {
  const { request, node } = write;
  if (request.operation !== "UPDATE") {
    throw forbidden(request, `unexpected operation ${JSON.stringify(request.operation)}`);
  }
  requireOwn(write, request.old, "can only update pod status for pods with spec.nodeName set to itself");
  const pod = request.object as unknown as Pod;
  const old = request.old as unknown as Pod;
  const refuse = (why: string) => forbidden(request, `node ${JSON.stringify(node)} ${why}`);
  if (!deepEqual(pod.metadata.labels ?? {}, old.metadata.labels ?? {})) {
    throw refuse("cannot update labels through pod status");
  }
  // Claims are what the node may read.
  const claims = ({ status }: Pod) => [
    status?.resourceClaimStatuses ?? [],
    status?.extendedResourceClaimStatus ?? null,
  ];
  if (!deepEqual(claims(pod), claims(old))) throw refuse("cannot update resource claim statues");
}

async function judgeEviction(write: Write): Promise<void> {
  const { request, node } = write;
  const pod = await stateOf(write, "pods", request);
  if ((pod as unknown as Pod).spec.nodeName === node) return;
  throw forbidden(request, `node ${node} can only evict pods with spec.nodeName set to itself`);
}

function judgeNode({ request, node }: Write): void {
  const { name, object, old } = request;
  const self = JSON.stringify(node);
  const other = old?.metadata.name ?? name;
  if (other !== node) {
    throw forbidden(request, `node ${self} is not allowed to modify node ${JSON.stringify(other)}`);
  }
  if (object === undefined) return;
  const why = wrongOfItself(object as unknown as Node, old as unknown as Node | undefined, self);
  if (why !== undefined) throw forbidden(request, why);
}

/** What a node says of itself that is not for it to say: by it others choose where pods go. */
function wrongOfItself(now: Node, before: Node | undefined, self: string): string | undefined {
  const bad = changedLabels(now.metadata.labels, before?.metadata.labels).filter(isKept).sort().join(", ");
  if (before === undefined) {
    return bad === "" ? undefined : `node ${self} is not allowed to set the following labels: ${bad}`;
  }
  const { spec, metadata } = now;
  const { spec: had, metadata: told } = before;
  if (spec.configSource !== undefined && !same(spec.configSource, had.configSource)) {
    return `node ${self} is not allowed to update configSource to a new non-nil configSource`;
  }
  if (!same(spec.taints, had.taints)) return `node ${self} is not allowed to modify taints`;
  // An owner that is gone would take the node with it, and with the node its taints and labels (CVE-2025-5187).
  if (!same(metadata.ownerReferences, told.ownerReferences)) {
    return `node ${self} is not allowed to modify ownerReferences`;
  }
  return bad === "" ? undefined : `is not allowed to modify labels: ${bad}`;
}

function same(a: unknown, b: unknown): boolean {
  return deepEqual(a ?? [], b ?? []);
}

function changedLabels(a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key]);
}

/** Labels by which others steer pods. */
function isKept(label: string): boolean {
  const slash = label.indexOf("/");
  const domain = slash < 0 ? "" : label.slice(0, slash);
  if (isWithin(domain, restricted)) return true;
  if (!isWithin(domain, "kubernetes.io") && !isWithin(domain, "k8s.io")) return false;
  return !ownLabels.has(label) && !ownDomains.some((each) => isWithin(domain, each));
}

function isWithin(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}

/** A volume that the node has made larger. */
function judgeClaim({ request, node }: Write): void {
  const { subresource, operation, object, old } = request;
  if (subresource !== "status") throw forbidden(request, "may only update PVC status");
  if (operation !== "UPDATE") throw forbidden(request, `unexpected operation ${JSON.stringify(operation)}`);
  const rest = (claim: ApiObject | undefined) => {
    const { metadata, status, ...others } = claim as unknown as PersistentVolumeClaim;
    const {
      capacity: _,
      conditions: __,
      allocatedResources: ___,
      allocatedResourceStatuses: ____,
      ...kept
    } = status ?? {};
    const { resourceVersion: _____, managedFields: ______, ...told } = metadata;
    return { ...others, metadata: told, status: kept };
  };
  if (deepEqual(rest(object), rest(old))) return;
  const why = "is not allowed to update fields other than status.quantity and status.conditions";
  throw forbidden(request, `node ${JSON.stringify(node)} ${why}`);
}

interface TokenRequest extends ApiObject {
  readonly spec?: {
    readonly boundObjectRef?: {
      readonly apiVersion?: string;
      readonly kind?: string;
      readonly name?: string;
      readonly uid?: string;
    };
  };
}

/** Tokens of pods that run on the node, bound to them. */
async function judgeToken(write: Write): Promise<void> {
  const { request, node } = write;
  if (request.operation !== "CREATE" || request.subresource !== "token") return;
  const { boundObjectRef: bound } = (request.object as TokenRequest | undefined)?.spec ?? {};
  if (bound?.apiVersion !== "v1" || bound.kind !== "Pod" || !bound.name) {
    throw forbidden(request, "node requested token not bound to a pod");
  }
  if (!bound.uid) throw forbidden(request, "node requested token with a pod binding without a uid");
  const pod = await stateOf(write, "pods", { namespace: request.namespace, name: bound.name });
  if (pod.metadata.uid !== bound.uid) {
    const why = `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw forbidden(request, why);
  }
  if ((pod as unknown as Pod).spec.nodeName !== node) {
    throw forbidden(request, "node requested token bound to a pod scheduled on a different node");
  }
  await checkAudience(request, pod as unknown as Pod, write);
}

function judgeLease({ request, node }: Write): void {
  if (request.namespace !== leases) {
    throw forbidden(request, `can only access leases in the "${leases}" system namespace`);
  }
  if ((request.old?.metadata.name ?? request.name) !== node) {
    throw forbidden(request, "can only access node lease with the same name as the requesting node");
  }
}

function judgeCsiNode({ request, node }: Write): void {
  if ((request.old?.metadata.name ?? request.name) === node) return;
  throw forbidden(request, "can only access CSINode with the same name as the requesting node");
}

function judgeSlice({ request, node }: Write): void {
  const { operation, object, old } = request;
  if (operation === "UPDATE") return;
  const { spec } = (object ?? old) as { spec?: { nodeName?: string } };
  if (spec?.nodeName === node) return;
  const verb = operation === "CREATE" ? "create" : "delete";
  throw forbidden(request, `can only ${verb} ResourceSlice with the same NodeName as the requesting node`);
}

async function judgeCertificate({ request, node }: Write): Promise<void> {
  const { spec } = (request.object ?? {}) as { spec?: { request?: string; signerName?: string } };
  if (request.operation !== "CREATE" || !nodeSigners.has(spec?.signerName)) return;
  const subject = await readSubject(spec?.request ?? "");
  if (subject === undefined) throw forbidden(request, "unable to parse csr");
  const [name] = subject.getField("CN");
  if (name === `system:node:${node}`) return;
  throw forbidden(request, `can only create a node CSR with CN=system:node:${node}`);
}

/** An object as this server has heard of it, or else as stored. @throws {StatusError} NotFound */
async function stateOf(
  { catalogue }: Write,
  plural: "pods" | "nodes",
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<ApiObject> {
  const resource = catalogue.resource("", plural);
  if (resource === undefined) throw new TypeError(`${plural} are not served`);
  await resource.cache.loaded();
  const entry = resource.cache.get(resource.key(namespace, name)) ?? (await resource.get(namespace, name));
  return resource.cache.object(entry);
}
