/** A certificate that vouches for itself, for a server whose clients are given it. */
import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { dateOf } from "@atoll/machinery/clock";
import { importKeys, newPrivateKey } from "./newrequest.ts";
import { x509 } from "./request.ts";

/** A certificate and its key, PEM. */
export interface ServingPair {
  readonly cert: string;
  readonly key: string;
}

const dayMs = 24 * 3600_000;
const days = 3650;

/**
 * A certificate that a self-signed one vouches for: whoever trusts that one trusts this, by whatever names it has.
 * @param authority as `selfSigned` made it
 * @param names DNS names and addresses at which the server is reached
 */
export async function vouchedFor(
  authority: ServingPair,
  names: readonly string[],
  nowMs: number,
): Promise<ServingPair> {
  const library = await x509();
  const [issuer, key] = [new library.X509Certificate(authority.cert), newPrivateKey()];
  const { publicKey } = await importKeys(key);
  const { privateKey: signingKey } = await importKeys(authority.key);
  const cert = await library.X509CertificateGenerator.create(
    {
      subject: [{ CN: [`${issuer.subjectName.getField("CN").join()}-serving`] }],
      issuer: issuer.subjectName,
      notBefore: dateOf(nowMs - dayMs),
      notAfter: issuer.notAfter,
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      ...{ publicKey, signingKey },
      extensions: [
        new library.BasicConstraintsExtension(false, undefined, true),
        new library.ExtendedKeyUsageExtension(["1.3.6.1.5.5.7.3.1"]),
        new library.SubjectAlternativeNameExtension(names.map(alternativeName)),
      ],
    },
    webcrypto,
  );
  return { cert: cert.toString("pem"), key };
}

function alternativeName(value: string) {
  return { type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value };
}

/** @param names DNS names and addresses at which the server is reached */
export async function selfSigned(commonName: string, names: readonly string[], nowMs: number): Promise<ServingPair> {
  const library = await x509();
  const key = newPrivateKey();
  const cert = await library.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [commonName] }],
      notBefore: dateOf(nowMs - dayMs),
      notAfter: dateOf(nowMs + days * dayMs),
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      keys: await importKeys(key),
      extensions: [
        new library.BasicConstraintsExtension(true, 0, true),
        new library.ExtendedKeyUsageExtension(["1.3.6.1.5.5.7.3.1"]),
        new library.SubjectAlternativeNameExtension(names.map(alternativeName)),
      ],
    },
    webcrypto,
  );
  return { cert: cert.toString("pem"), key };
}
