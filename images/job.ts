/**
 * What the worker process is asked and what it answers: one JSON document each, on standard input and output.
 * Descriptors are inherited at fixed numbers.
 */
import type { Digest } from "./digest.ts";
import type { RefusalCode } from "./errors.ts";
import type { Limits } from "./limits.ts";
import type { TarKind } from "./layers/tar.ts";

/** Number of the descriptor a job writes to (an image) or reads from (an archive). */
export const mainFd = 3;
/** Number of the scratch file's descriptor. */
export const spoolFd = 4;
/** Number of the first layer's descriptor; the others follow. */
export const firstLayerFd = 5;

/** The user to become before anything is read; absent: stay. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** Layers, lowest first, to one EROFS image. */
export interface ConvertJob {
  readonly task: "convert";
  readonly layers: readonly { readonly size: number; readonly diffId: Digest }[];
  /** 16 bytes in hexadecimal. */
  readonly uuid: string;
  readonly limits: Limits;
  readonly become?: Identity;
}

/** The entries of an archive; expanded into the spool when it was compressed. */
export interface IndexJob {
  readonly task: "index";
  readonly size: number;
  readonly limits: Limits;
  readonly become?: Identity;
}

/** Anything the worker does. */
export type Job = ConvertJob | IndexJob;

/** What an image turned out to be. */
export interface Converted {
  /** Bytes of the EROFS image. */
  readonly bytes: number;
  readonly inodes: number;
  /** Bytes of all layers' tar streams. */
  readonly expandedBytes: number;
  readonly dropped: { readonly devices: number; readonly xattrs: number };
}

/** One entry of an archive; the path is a byte string. */
export interface IndexedEntry {
  readonly path: string;
  readonly kind: TarKind;
  readonly linkTarget: string;
  readonly size: number;
  readonly offset: number;
}

/** An archive's table of contents. */
export interface Indexed {
  /** Offsets are in the spool file, not in the archive itself. */
  readonly inSpool: boolean;
  readonly entries: readonly IndexedEntry[];
}

/** The worker's answer. */
export type Answer =
  | { readonly done: Converted | Indexed }
  | { readonly refused: { readonly code: RefusalCode; readonly message: string } }
  | { readonly failed: string };
