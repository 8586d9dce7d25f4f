/**
 * The signers that come with Kubernetes, and what each takes.
 * Source: k8s.io/kubernetes/pkg/apis/certificates/helpers.go, pkg/controller/certificates/signer/signer.go;
 * https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
 */
import type { CertificateRequest } from "@atoll/runtime/certificates/request";

/** Signs certificates of clients, which the API server takes for users. Never approved by itself. */
const clientSigner = "kubernetes.io/kube-apiserver-client";
/** Signs certificates that nodes show to the API server. */
export const nodeClientSigner = "kubernetes.io/kube-apiserver-client-kubelet";
/** Signs certificates with which nodes serve. */
export const nodeServingSigner = "kubernetes.io/kubelet-serving";

const nodePrefix = "system:node:";
const nodeGroup = "system:nodes";

type Rule = (request: CertificateRequest, usages: readonly string[]) => string | undefined;

const rules: ReadonlyMap<string, Rule> = new Map([
  [clientSigner, clientProblem],
  [nodeClientSigner, nodeClientProblem],
  [nodeServingSigner, nodeServingProblem],
]);

/** The signers whose requests are signed here. */
export const signers: ReadonlySet<string> = new Set(rules.keys());

/** Why a signer does not take a request; undefined when it does. The requester reads it. */
export function requestProblem(
  signer: string,
  request: CertificateRequest,
  usages: readonly string[],
): string | undefined {
  const rule = rules.get(signer);
  return rule === undefined ? `unrecognized signerName: ${JSON.stringify(signer)}` : rule(request, usages);
}

function clientProblem(_: CertificateRequest, usages: readonly string[]): string | undefined {
  const optional = ["digital signature", "key encipherment", "client auth"];
  const other = usages.find((usage) => !optional.includes(usage));
  if (other !== undefined) return `invalid usage for client certificate: ${other}`;
  return usages.includes("client auth") ? undefined : "missing required usage for client certificate: client auth";
}

function nodeClientProblem(request: CertificateRequest, usages: readonly string[]): string | undefined {
  const { commonName, names } = request;
  if (!isOfNodes(request)) return "subject organization is not system:nodes";
  if (names.dns.length > 0) return "DNS subjectAltNames are not allowed";
  if (names.email.length > 0) return "Email subjectAltNames are not allowed";
  if (names.ip.length > 0) return "IP subjectAltNames are not allowed";
  if (names.uri.length > 0) return "URI subjectAltNames are not allowed";
  if (!commonName.startsWith(nodePrefix)) return "subject common name does not begin with system:node:";
  return usagesProblem(usages, "client auth");
}

function nodeServingProblem(request: CertificateRequest, usages: readonly string[]): string | undefined {
  const { commonName, names } = request;
  if (!isOfNodes(request)) return "subject organization is not system:nodes";
  if (names.dns.length + names.ip.length === 0) return "DNS or IP subjectAltName is required";
  if (names.email.length > 0) return "Email subjectAltNames are not allowed";
  if (names.uri.length > 0) return "URI subjectAltNames are not allowed";
  const problem = usagesProblem(usages, "server auth");
  if (problem !== undefined) return problem;
  return commonName.startsWith(nodePrefix) ? undefined : "subject common name does not begin with system:node:";
}

function isOfNodes({ organizations }: CertificateRequest): boolean {
  return organizations.length === 1 && organizations[0] === nodeGroup;
}

/** Nodes ask for exactly these; `key encipherment` is for RSA keys. */
function usagesProblem(usages: readonly string[], purpose: string): string | undefined {
  const asked = [...new Set(usages)].sort().join(",");
  const short = ["digital signature", purpose].sort();
  const long = ["digital signature", "key encipherment", purpose].sort();
  if (asked === short.join(",") || asked === long.join(",")) return undefined;
  // As Go prints a list.
  return `usages did not match [${long.join(" ")}]`;
}
