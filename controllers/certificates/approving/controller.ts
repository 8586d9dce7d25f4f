/**
 * Approves certificates that nodes ask for, if whoever asks may have them so.
 *
 * The right is to create a subresource of certificatesigningrequests that exists for nothing else:
 *   nodeclient       any node's client certificate, for joining
 *   selfnodeclient   the node's own client certificate, for renewing
 *   selfnodeserver   the node's own serving certificate, for addresses that its Node object has. Upstream leaves these
 *                    to people or add-ons; the right is nobody's until it is granted.
 * Source: k8s.io/kubernetes/pkg/controller/certificates/approver
 */
import { CertificateSigningRequest, Node, SubjectAccessReview } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { formatTime } from "@atoll/machinery/clock";
import { consulting, partOf, subresourceOf } from "@atoll/runtime/claims";
import type { Controller, Reconcile, Result } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { hasCondition, isIssued } from "../decisions.ts";
import { type CertificateRequest, readRequest } from "@atoll/runtime/certificates/request";
import { nodeClientSigner, nodeServingSigner, requestProblem } from "../rules.ts";

/** A right, and what is said of a certificate that was approved by it. */
interface Way {
  readonly right: "selfnodeclient" | "nodeclient" | "selfnodeserver";
  readonly says: string;
}

const ownClient: Way = {
  right: "selfnodeclient",
  says: "Auto approving self kubelet client certificate after SubjectAccessReview.",
};
const anyClient: Way = {
  right: "nodeclient",
  says: "Auto approving kubelet client certificate after SubjectAccessReview.",
};
const ownServer: Way = {
  right: "selfnodeserver",
  says: "Auto approving self kubelet serving certificate after SubjectAccessReview.",
};

// Rights may come later than the request, and nothing tells that they did.
const lookAgainMs = 30_000;

/** Approves what nodes may have. */
export const approvingController: Controller = defineController({
  name: "certificatesigningrequest-approving-controller",
  for: CertificateSigningRequest,
  reads: [consulting(Node)],
  writes: [
    subresourceOf(CertificateSigningRequest, "approval"),
    partOf(SubjectAccessReview, "questions about who asks for certificates", ({ verb }) => verb === "create"),
  ],
  async reconcile(key, tools) {
    const wanted = tools.cache.get(CertificateSigningRequest, key);
    if (wanted === undefined || isIssued(wanted)) return settled;
    if (hasCondition(wanted, "Approved") || hasCondition(wanted, "Denied")) return settled;
    return await decide(wanted, tools);
  },
});

async function decide(wanted: CertificateSigningRequest, tools: Reconcile): Promise<Result> {
  const { cache, client, clock } = tools;
  const request = await readRequest(wanted.spec.request ?? "");
  const node = cache.get(Node, toKey("", request.commonName.replace(/^system:node:/, "")));
  const ways = waysTo(wanted, request, node);
  for (const { right, says } of ways) {
    if (!(await mayHave(wanted, right, client))) continue;
    const now = formatTime(clock.nowMs());
    const condition = {
      type: "Approved",
      status: "True",
      reason: "AutoApproved",
      message: says,
      lastUpdateTime: now,
      lastTransitionTime: now,
    };
    const conditions = [...(wanted.status.conditions ?? []), condition];
    await client.replace({ ...wanted, status: { ...wanted.status, conditions } }, "approval");
    return settled;
  }
  // A node may ask before its addresses have been heard of here.
  const mayCome = ways.length > 0 || wanted.spec.signerName === nodeServingSigner;
  return mayCome ? again({ afterMs: lookAgainMs }) : settled;
}

/** The rights by which a request could be approved, in the order in which they are asked for. */
export function waysTo(
  { spec }: CertificateSigningRequest,
  request: CertificateRequest,
  node: Node | undefined,
): readonly Way[] {
  if (requestProblem(spec.signerName, request, spec.usages ?? []) !== undefined) return [];
  const own = spec.username === request.commonName;
  // Upstream lets a token that joins hosts ask for any node's certificate. Here a node that is there is not taken over by it:
  // it renews by its own, or people approve. One that is not there any more renews nothing: its host was removed.
  if (spec.signerName === nodeClientSigner) {
    if (node === undefined) return [anyClient];
    return own ? [ownClient] : [];
  }
  const known = spec.signerName === nodeServingSigner && own && node !== undefined && hasAddresses(node, request);
  return known ? [ownServer] : [];
}

function hasAddresses({ status }: Node, { names }: CertificateRequest): boolean {
  const known = new Set((status?.addresses ?? []).map(({ address }) => address));
  return [...names.dns, ...names.ip].every((name) => known.has(name));
}

async function mayHave(
  { spec }: CertificateSigningRequest,
  subresource: string,
  client: Reconcile["client"],
): Promise<boolean> {
  const group = "certificates.k8s.io";
  const { status } = await client.create(SubjectAccessReview, {
    metadata: {},
    spec: {
      user: spec.username ?? "",
      uid: spec.uid ?? "",
      groups: spec.groups ?? [],
      extra: spec.extra ?? {},
      resourceAttributes: { group, resource: "certificatesigningrequests", verb: "create", subresource },
    },
  });
  return status.allowed;
}
