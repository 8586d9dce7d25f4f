/**
 * Who approves a certificate request, or puts a certificate into it, must be allowed to for the signer it names.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/certificates/{approval,signing}
 */
import type { CertificateSigningRequest } from "@atoll/api/builtin/certificates.k8s.io/v1.types";
import { deepEqual } from "@atoll/machinery/equal";
import { resourceQuestion } from "../authorize/attributes.ts";
import { type Authorizer, decide } from "../authorize/stage.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { forbidden } from "./forbidden.ts";

const group = "certificates.k8s.io";

/** Only who may approve for a signer does. */
export function certificateApproval(authorizers: readonly Authorizer[]): AdmissionPlugin {
  return {
    name: "CertificateApproval",
    handles: (request) => isWriteOf(request, "approval"),
    validate: (request) => require(request, "approve", authorizers),
  };
}

/** Only who may sign for a signer gives certificates in its name. */
export function certificateSigning(authorizers: readonly Authorizer[]): AdmissionPlugin {
  return {
    name: "CertificateSigning",
    handles: (request) => isWriteOf(request, "status"),
    async validate(request) {
      const { status } = request.object as unknown as CertificateSigningRequest;
      const { status: old } = request.old as unknown as CertificateSigningRequest;
      const signed = status?.certificate !== old?.certificate;
      if (!signed && deepEqual(status?.conditions ?? [], old?.conditions ?? [])) return;
      await require(request, "sign", authorizers);
    },
  };
}

function isWriteOf({ kind, operation, subresource }: AdmissionRequest, wanted: string): boolean {
  const isRequest = kind.group === group && kind.plural === "certificatesigningrequests";
  return isRequest && operation === "UPDATE" && subresource === wanted;
}

/** For the signer, or for all of its domain. */
async function require(request: AdmissionRequest, verb: string, authorizers: readonly Authorizer[]): Promise<void> {
  const { signerName } = (request.old as unknown as CertificateSigningRequest).spec;
  const domain = signerName.slice(0, Math.max(signerName.indexOf("/"), 0));
  for (const name of [signerName, `${domain}/*`]) {
    const question = resourceQuestion({ verb, group, version: "*", resource: "signers", name });
    if ((await decide(authorizers, request.user, question)).decision === "allow") return;
  }
  throw forbidden(request, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`);
}
