/**
 * What a certificate request must be before anybody decides about it: signed by the key that it is for (upstream finds
 * out only when it is to be signed), and no way into system:masters.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/certificates/subjectrestriction
 */
import { webcrypto } from "node:crypto";
import type { CertificateSigningRequest } from "@atoll/api/builtin/certificates.k8s.io/v1.types";
import { FieldErrors, Path } from "@atoll/machinery/field";
import { StatusError } from "@atoll/machinery/status";
import type { Pkcs10CertificateRequest } from "@peculiar/x509";
import { invalid } from "../registry/invalid.ts";
import type { AdmissionPlugin } from "./admission.ts";

const clientSigner = "kubernetes.io/kube-apiserver-client";
const masters = "system:masters";

/** Refuses requests that nobody may approve. */
export const certificateSubjects: AdmissionPlugin = {
  name: "CertificateSubjectRestriction",
  handles: ({ operation, kind, subresource }) =>
    operation === "CREATE" &&
    kind.group === "certificates.k8s.io" &&
    kind.plural === "certificatesigningrequests" &&
    subresource === "",
  async validate({ kind, name, object }) {
    const { spec } = object as unknown as CertificateSigningRequest;
    const request = await read(spec.request ?? "");
    // What cannot be read as far as the names, the kind's own rules have refused.
    const holds = await request?.verify(webcrypto).catch(() => false);
    if (request === undefined || holds !== true) {
      const errors = new FieldErrors();
      errors.invalid(Path.of("spec", "request"), spec.request, "unable to verify certificate request signature");
      throw invalid(kind, name, errors);
    }
    if (spec.signerName !== clientSigner || !request.subjectName.getField("O").includes(masters)) return;
    const why = `use of ${clientSigner} signer with ${masters} group is not allowed`;
    const told = `${kind.plural}.${kind.group} ${JSON.stringify(name)} is forbidden: ${why}`;
    throw new StatusError("Forbidden", told, { details: { name, group: kind.group, kind: kind.plural } });
  },
};

/** Whom a request names; undefined when it is none. */
export async function readSubject(base64: string): Promise<Pkcs10CertificateRequest["subjectName"] | undefined> {
  return (await read(base64))?.subjectName;
}

async function read(base64: string): Promise<Pkcs10CertificateRequest | undefined> {
  // Loads in a tenth of a second, so only when there is a request.
  await import("reflect-metadata");
  const { Pkcs10CertificateRequest: Request } = await import("@peculiar/x509");
  try {
    return new Request(Buffer.from(base64, "base64").toString("latin1"));
  } catch {
    return undefined;
  }
}
