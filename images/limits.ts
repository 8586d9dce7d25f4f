/**
 * How much of anything an image may be. Checked before the work it would cause.
 * Source: docs/rfd/0011-images.md
 */
import { ImageRefused } from "./errors.ts";

const kiB = 1024;
const miB = 1024 * kiB;
const giB = 1024 * miB;

/** Upper bounds of one image. Sizes in bytes unless the name says otherwise. */
export interface Limits {
  /** A manifest or index document. */
  readonly manifestBytes: number;
  /** The image's config document. */
  readonly configBytes: number;
  /** Entries of an index; also depth times entries of nested ones. */
  readonly indexEntries: number;
  readonly layers: number;
  /** One compressed layer. */
  readonly blobBytes: number;
  /** All layers' tar streams together. */
  readonly expandedBytes: number;
  /** Expanded over compressed bytes of a layer, beyond the first `ratioFreeBytes`. */
  readonly ratio: number;
  readonly ratioFreeBytes: number;
  /** The EROFS image, file contents counted in full where they are sparse. */
  readonly imageBytes: number;
  /** Archive entries of all layers together. */
  readonly entries: number;
  /** Names, link targets and attributes of all layers together. */
  readonly metadataBytes: number;
  /** A path inside the image. Linux's PATH_MAX less its NUL. */
  readonly pathBytes: number;
  /** One component of a path. Linux's NAME_MAX. */
  readonly nameBytes: number;
  /** Extended attributes of one file. */
  readonly xattrBytes: number;
  /** One extended header of an archive. */
  readonly extendedHeaderBytes: number;
  /** Data pieces of one sparse file. */
  readonly sparsePieces: number;
  /** Wall time of a conversion, and its processor time, in seconds. */
  readonly seconds: number;
}

/** Limits that every image met so far stays far below, and that an ordinary host survives. */
export const defaultLimits: Limits = {
  manifestBytes: 4 * miB,
  configBytes: 8 * miB,
  indexEntries: 1_000,
  layers: 127,
  blobBytes: 16 * giB,
  expandedBytes: 32 * giB,
  ratio: 200,
  ratioFreeBytes: 256 * miB,
  imageBytes: 32 * giB,
  entries: 1_000_000,
  metadataBytes: 256 * miB,
  pathBytes: 4095,
  nameBytes: 255,
  xattrBytes: 64 * kiB - 1,
  extendedHeaderBytes: miB,
  sparsePieces: 65_536,
  seconds: 1_800,
};

/** @throws {ImageRefused} LimitExceeded, naming what was counted, when `value` is above `limit` */
export function within(value: number, limit: number, what: string): void {
  if (value > limit) throw new ImageRefused("LimitExceeded", `${what}: ${value} is above the limit of ${limit}`);
}
