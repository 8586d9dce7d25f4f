/**
 * Manifests and indexes: what an image is made of, by digest. Both the OCI and Docker's (schema 2) forms.
 * Source: OCI image-spec, manifest.md, image-index.md, descriptor.md; Docker "Image Manifest Version 2, Schema 2"
 */
import { type Digest, parseDigest } from "../digest.ts";
import { ImageRefused } from "../errors.ts";
import { type Limits, within } from "../limits.ts";

/** A pointer to a blob or manifest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** What a guest can run. */
export interface Platform {
  readonly os: string;
  /** Go's name: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly variant?: string;
}

/** An index's pointer. */
export interface IndexEntry extends Descriptor {
  readonly platform: Platform | undefined;
}

/** A single image: config and layers, lowest first. */
export interface ImageManifest {
  readonly kind: "image";
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** A choice of images. */
export interface ImageIndex {
  readonly kind: "index";
  readonly mediaType: string;
  readonly entries: readonly IndexEntry[];
}

/** Media type of an OCI image manifest. */
export const ociManifest = "application/vnd.oci.image.manifest.v1+json";
/** Media type of an OCI image config. */
export const ociConfig = "application/vnd.oci.image.config.v1+json";
/** Media type of an OCI layer, without its packing. */
export const ociLayer = "application/vnd.oci.image.layer.v1.tar";

/** Media type of an OCI index. */
export const ociIndex = "application/vnd.oci.image.index.v1+json";

const dockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
const manifestTypes = new Set([ociManifest, "application/vnd.docker.distribution.manifest.v2+json"]);
const indexTypes = new Set([ociIndex, "application/vnd.docker.distribution.manifest.list.v2+json"]);
const configTypes = new Set([ociConfig, "application/vnd.docker.container.image.v1+json"]);
const layerTypes = new Set([
  ociLayer,
  `${ociLayer}+gzip`,
  `${ociLayer}+zstd`,
  dockerLayer,
  `${dockerLayer}.gzip`,
  `${dockerLayer}.zstd`,
]);

/** What a client says it understands. */
export const acceptedManifests = [...manifestTypes, ...indexTypes].join(", ");

function malformed(what: string): ImageRefused {
  return new ImageRefused("Malformed", `manifest: ${what}`);
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(`${what} is no object`);
  return value as Record<string, unknown>;
}

function list(value: unknown, most: number, what: string): unknown[] {
  if (!Array.isArray(value)) throw malformed(`${what} is no list`);
  within(value.length, most, `manifest: ${what}`);
  return value;
}

/** Parses a JSON document that should be an object. @throws {ImageRefused} Malformed */
export function parseDocument(bytes: Buffer, what: string): Record<string, unknown> {
  try {
    return object(JSON.parse(bytes.toString("utf8")), what);
  } catch (cause) {
    throw cause instanceof ImageRefused ? cause : new ImageRefused("Malformed", `${what}: no JSON`, { cause });
  }
}

function descriptor(value: unknown, what: string): Descriptor {
  const { mediaType, digest, size } = object(value, what);
  const parsed = parseDigest(digest);
  if (typeof mediaType !== "string" || parsed === undefined) throw malformed(`${what} has no media type or digest`);
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw malformed(`${what} has no size`);
  return { mediaType, digest: parsed, size: size as number };
}

function platform(value: unknown): Platform | undefined {
  if (value === undefined) return undefined;
  const { os, architecture, variant } = object(value, "platform");
  if (typeof os !== "string" || typeof architecture !== "string") throw malformed("a platform without os");
  return { os, architecture, ...(typeof variant === "string" ? { variant } : {}) };
}

function imageManifest(fields: Record<string, unknown>, mediaType: string, limits: Limits): ImageManifest {
  const config = descriptor(fields["config"], "config");
  if (!configTypes.has(config.mediaType)) {
    throw new ImageRefused("Unsupported", `manifest: config of type ${config.mediaType}: not a container image`);
  }
  within(config.size, limits.configBytes, "manifest: bytes of the config");
  const layers = list(fields["layers"], limits.layers, "layers").map((layer, index) => {
    const found = descriptor(layer, `layer ${index + 1}`);
    if (!layerTypes.has(found.mediaType)) {
      throw new ImageRefused("Unsupported", `manifest: layer ${index + 1} of type ${found.mediaType}`);
    }
    within(found.size, limits.blobBytes, `manifest: bytes of layer ${index + 1}`);
    return found;
  });
  return { kind: "image", mediaType, config, layers };
}

function imageIndex(fields: Record<string, unknown>, mediaType: string, limits: Limits): ImageIndex {
  const entries = list(fields["manifests"], limits.indexEntries, "manifests").map((entry) => ({
    ...descriptor(entry, "an index's entry"),
    platform: platform(object(entry, "an index's entry")["platform"]),
  }));
  return { kind: "index", mediaType, entries };
}

/**
 * @param contentType what the registry or a descriptor said it is; undefined when nobody did
 * @throws {ImageRefused} Malformed, Unsupported, LimitExceeded. A document that could be read as both kinds is refused
 */
export function parseManifest(
  bytes: Buffer,
  contentType: string | undefined,
  limits: Limits,
): ImageManifest | ImageIndex {
  within(bytes.length, limits.manifestBytes, "manifest: bytes");
  const fields = parseDocument(bytes, "manifest");
  if (fields["schemaVersion"] !== 2) throw new ImageRefused("Unsupported", "manifest: of a schema other than 2");
  const stated = typeof fields["mediaType"] === "string" ? fields["mediaType"] : undefined;
  // Layouts' index.json need not say what it is; its fields do.
  const mediaType = stated ?? contentType ?? ("manifests" in fields ? ociIndex : ociManifest);
  if (contentType !== undefined && contentType !== mediaType) {
    throw malformed(`called ${contentType} by the registry and ${mediaType} by itself`);
  }
  if ("manifests" in fields && ("layers" in fields || "config" in fields)) {
    throw malformed("both an image and an index");
  }
  if (manifestTypes.has(mediaType)) return imageManifest(fields, mediaType, limits);
  if (indexTypes.has(mediaType)) return imageIndex(fields, mediaType, limits);
  throw new ImageRefused("Unsupported", `manifest: of type ${mediaType}`);
}

/**
 * The entry of an index for a platform; of several, the first with the wanted variant.
 * @throws {ImageRefused} Unsupported, naming the platforms there are
 */
export function choose(index: ImageIndex, wanted: Platform): IndexEntry {
  const fitting = index.entries.filter(
    ({ platform: has }) => has?.os === wanted.os && has.architecture === wanted.architecture,
  );
  const exact = fitting.find((entry) => entry.platform?.variant === wanted.variant);
  const only = index.entries.length === 1 && index.entries[0]?.platform === undefined ? index.entries[0] : undefined;
  const found = exact ?? fitting[0] ?? only;
  if (found !== undefined) return found;
  const known = index.entries.map(({ platform: has }) => (has ? `${has.os}/${has.architecture}` : "unnamed"));
  const text = [...new Set(known)].slice(0, 20).join(", ");
  throw new ImageRefused("Unsupported", `no image for ${wanted.os}/${wanted.architecture}; there are: ${text}`);
}
