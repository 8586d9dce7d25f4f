/** A key of one's own, and the request for a certificate of it. The key never leaves who made it. */
import { generateKeyPairSync, webcrypto } from "node:crypto";
import { x509 } from "./request.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** Who the certificate is to name. */
export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  /** DNS names and addresses, for servers. */
  readonly names?: readonly { readonly type: "dns" | "ip"; readonly value: string }[];
}

/** A new P-256 key, PEM (PKCS #8). */
export function newPrivateKey(): string {
  return generateKeyPairSync("ec", { namedCurve: "P-256" })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
}

/** @param key PEM, P-256 @returns PEM of a PKCS #10 request */
export async function newRequest(
  key: string,
  { commonName, organizations = [], names = [] }: Subject,
): Promise<string> {
  const library = await x509();
  const request = await library.Pkcs10CertificateRequestGenerator.create(
    {
      name: [...organizations.map((name) => ({ O: [name] })), { CN: [commonName] }],
      keys: await importKeys(key),
      signingAlgorithm: algorithm,
      extensions: names.length === 0 ? [] : [new library.SubjectAlternativeNameExtension([...names])],
    },
    webcrypto,
  );
  return request.toString("pem");
}

/** Both halves of a private key, as the X.509 library takes them. */
export async function importKeys(key: string): Promise<webcrypto.CryptoKeyPair> {
  const der = Buffer.from(key.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const privateKey = await webcrypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  const { d: _, ...publicJwk } = await webcrypto.subtle.exportKey("jwk", privateKey);
  const publicKey = await webcrypto.subtle.importKey("jwk", { ...publicJwk, key_ops: ["verify"] }, algorithm, true, [
    "verify",
  ]);
  return { privateKey, publicKey };
}
