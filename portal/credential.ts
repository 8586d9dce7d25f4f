/** What proves a person to the API server, and how it is sealed for the way through a link. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

/** A bearer token, or a client certificate with its key (PEM). */
export type Credential =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "certificate"; readonly cert: string; readonly key: string };

const algorithm = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;

/** A key that fits one sealed credential: 32 random bytes. */
export const newSealKey = (): Buffer => randomBytes(32);

/** The name under which what a key opens is kept; tells nothing of the key. */
export const nameOfKey = (key: Buffer): string =>
  createHash("sha256").update("atoll sign-in link\0").update(key).digest("hex").slice(0, 32);

/** Seals a credential: base64 of nonce, tag and ciphertext. */
export function seal(credential: Credential, key: Buffer): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce);
  const text = Buffer.concat([cipher.update(JSON.stringify(credential), "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64");
}

/** @throws {Error} it was not sealed under this key */
export function unseal(sealed: string, key: Buffer): Credential {
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  const text = Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
  return JSON.parse(text.toString("utf8")) as Credential;
}
