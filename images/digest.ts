/**
 * Content digests: `sha256:` or `sha512:` and lower-case hexadecimal.
 * Source: OCI image-spec, descriptor.md (Digests)
 */
import { createHash, type Hash } from "node:crypto";

/** A digest that parseDigest accepted. */
export type Digest = string & { readonly digest: unique symbol };

const shape = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** The digest in `text`; undefined for another algorithm or another spelling. */
export function parseDigest(text: unknown): Digest | undefined {
  return typeof text === "string" && shape.test(text) ? (text as Digest) : undefined;
}

/** The part after the colon. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** `sha256` or `sha512`. */
export function algorithmOf(digest: Digest): string {
  return digest.slice(0, digest.indexOf(":"));
}

/** A running hash of the digest's algorithm. */
export function hasherFor(digest: Digest): Hash {
  return createHash(algorithmOf(digest));
}

/** Ends a running hash as a digest to compare with `wanted`. */
export function finish(hash: Hash, wanted: Digest): Digest {
  return `${algorithmOf(wanted)}:${hash.digest("hex")}` as Digest;
}

/** SHA-256 digest of some bytes. */
export function digestOf(bytes: string | Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
}

/** Whether `bytes` are what `digest` names. */
export function matches(bytes: Uint8Array, digest: Digest): boolean {
  return finish(hasherFor(digest).update(bytes), digest) === digest;
}

/** A layer as it came and as it expands. */
export interface LayerIdentity {
  readonly digest: Digest;
  readonly diffId: Digest;
}

/**
 * Identity of a stack of layers, lowest first. Not OCI's chain id, which is made of diff ids alone: a config may state any
 * diff ids, and an image that names those of somebody else's private layers must not be given what they once expanded to.
 */
export function stackId(layers: readonly LayerIdentity[]): Digest {
  return digestOf(layers.map(({ digest, diffId }) => `${digest} ${diffId}\n`).join(""));
}
