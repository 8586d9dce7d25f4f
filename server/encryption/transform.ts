/**
 * How a value is stored: as it is, or encrypted. The forms are kube-apiserver's, so a store can change hands:
 *
 *     k8s:enc:aesgcm:v1:KEY:  nonce (12 bytes)  ciphertext  tag (16)      the object's key is authenticated, too
 *     k8s:enc:aescbc:v1:KEY:  iv (16)           ciphertext, padded
 *
 * Source: k8s.io/apiserver/pkg/storage/value/encrypt/{aes,identity}, …/value/transformer.go
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** A value that cannot be read with the keys at hand. Says nothing of the value. */
export class Undecryptable extends Error {
  override readonly name = "Undecryptable";
}

/** One way to store a value. */
export interface Transform {
  /** What a value of this form begins with; "" for plain ones. */
  readonly prefix: string;
  /** @param key the object's key in the store */
  seal(value: Buffer, key: string): Buffer;
  /** @throws {Error} it was not sealed so, or not for this key */
  open(sealed: Buffer, key: string): Buffer;
}

const everyPrefix = Buffer.from("k8s:enc:");

/** A key of a configuration: 16, 24 or 32 bytes. */
export interface NamedKey {
  readonly name: string;
  readonly secret: Buffer;
}

/** Values as they are. */
export const identity: Transform = {
  prefix: "",
  seal: (value) => value,
  open(value, key) {
    if (!isSealed(value)) return value;
    throw new Undecryptable(`the value of ${key} is encrypted, and no key for it is configured`);
  },
};

const nonceBytes = 12;
const tagBytes = 16;

/** AES in Galois/Counter mode: secret, and tied to its place. */
export function aesgcm({ name, secret }: NamedKey): Transform {
  const algorithm = `aes-${secret.length * 8}-gcm` as "aes-256-gcm";
  const prefix = Buffer.from(`k8s:enc:aesgcm:v1:${name}:`);
  return {
    prefix: prefix.toString(),
    seal(value, key) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, secret, nonce);
      cipher.setAAD(Buffer.from(key));
      return Buffer.concat([prefix, nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, key) {
      const nonce = sealed.subarray(prefix.length, prefix.length + nonceBytes);
      const body = sealed.subarray(prefix.length + nonceBytes, -tagBytes);
      if (sealed.length < prefix.length + nonceBytes + tagBytes) throw unreadable(key);
      const decipher = createDecipheriv(algorithm, secret, nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(key));
      decipher.setAuthTag(sealed.subarray(-tagBytes));
      return finish(key, () => Buffer.concat([decipher.update(body), decipher.final()]));
    },
  };
}

const blockBytes = 16;

/** AES in cipher block chaining mode: secret, but not protected against changes. Kept for stores that have it. */
export function aescbc({ name, secret }: NamedKey): Transform {
  const algorithm = `aes-${secret.length * 8}-cbc`;
  const prefix = Buffer.from(`k8s:enc:aescbc:v1:${name}:`);
  return {
    prefix: prefix.toString(),
    seal(value) {
      const iv = randomBytes(blockBytes);
      const cipher = createCipheriv(algorithm, secret, iv);
      return Buffer.concat([prefix, iv, cipher.update(value), cipher.final()]);
    },
    open(sealed, key) {
      const iv = sealed.subarray(prefix.length, prefix.length + blockBytes);
      const body = sealed.subarray(prefix.length + blockBytes);
      if (iv.length < blockBytes || body.length % blockBytes !== 0) throw unreadable(key);
      const decipher = createDecipheriv(algorithm, secret, iv);
      return finish(key, () => Buffer.concat([decipher.update(body), decipher.final()]));
    },
  };
}

/** Whether a value is encrypted in any known or unknown way. */
function isSealed(value: Buffer): boolean {
  return (
    value.length >= everyPrefix.length && value.compare(everyPrefix, 0, everyPrefix.length, 0, everyPrefix.length) === 0
  );
}

/** Whether a value is of the form that a transform writes. */
export function isOf({ prefix }: Transform, value: Buffer): boolean {
  if (prefix === "") return !isSealed(value);
  return value.length >= prefix.length && value.toString("latin1", 0, prefix.length) === prefix;
}

function finish(key: string, open: () => Buffer): Buffer {
  try {
    return open();
  } catch (cause) {
    throw unreadable(key, cause);
  }
}

function unreadable(key: string, cause?: unknown): Undecryptable {
  return new Undecryptable(`the value of ${key} cannot be decrypted`, cause === undefined ? undefined : { cause });
}
