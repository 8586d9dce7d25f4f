/**
 * What a certificate request asks for, read from its PEM.
 * The X.509 library takes a tenth of a second to load, so it is loaded with the first request.
 * Source: RFC 2986; k8s.io/kubernetes/pkg/apis/certificates/helpers.go
 */
import { webcrypto } from "node:crypto";
import type { Pkcs10CertificateRequest, PublicKey } from "@peculiar/x509";

/** The names a certificate is to be valid for beside its subject. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly email: readonly string[];
  readonly uri: readonly string[];
}

/** A request whose text is a certificate request; its signature is not checked yet. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly names: AlternativeNames;
  /** DER of the subject, as the requester wrote it. */
  readonly subject: ArrayBuffer;
  readonly publicKey: PublicKey;
  /** Whether the requester holds the private key. */
  verify(): Promise<boolean>;
}

/** The X.509 library. */
export async function x509() {
  await import("reflect-metadata");
  return await import("@peculiar/x509");
}

/**
 * @param base64 base64 of PEM, as in `spec.request`
 * @throws {Error} it is no certificate request
 */
export async function readRequest(base64: string): Promise<CertificateRequest> {
  const library = await x509();
  const pem = Buffer.from(base64, "base64").toString("latin1");
  const request = new library.Pkcs10CertificateRequest(pem);
  const { subjectName } = request;
  return {
    commonName: subjectName.getField("CN").at(-1) ?? "",
    organizations: subjectName.getField("O"),
    names: namesOf(request, library.SubjectAlternativeNameExtension),
    subject: subjectName.toArrayBuffer(),
    publicKey: request.publicKey,
    verify: () => request.verify(webcrypto),
  };
}

type Library = Awaited<ReturnType<typeof x509>>;

function namesOf(
  request: Pkcs10CertificateRequest,
  SubjectAlternativeName: Library["SubjectAlternativeNameExtension"],
): AlternativeNames {
  const extension = request.extensions.find((each) => each instanceof SubjectAlternativeName);
  const all = extension?.names.items ?? [];
  const of = (type: string) => all.filter((name) => name.type === type).map(({ value }) => value);
  return { dns: of("dns"), ip: of("ip"), email: of("email"), uri: of("url") };
}
