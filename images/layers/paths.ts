/**
 * What a path in a layer may be. A path never meets a host's file system: it is a list of keys. The rules exist so that an
 * image means the same to every engine, and so that one made to break another engine is named as such.
 * Source: OCI image-spec, layer.md; docs/rfd/0011-images.md
 */
import { ImageRefused } from "../errors.ts";
import type { Limits } from "../limits.ts";

/** A byte string shortened and made safe for a message. */
export function shown(path: string): string {
  const text = Buffer.from(path, "latin1").toString("utf8");
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}

function refuse(path: string, why: string): ImageRefused {
  return new ImageRefused("BadPath", `entry ${shown(path)}: ${why}`);
}

/**
 * The components of an entry's or hard link's path; none for the root.
 * @param path byte string; a leading `./`, doubled slashes and `.` components mean nothing
 * @throws {ImageRefused} BadPath: absolute, `..`, NUL; LimitExceeded: longer than Linux allows
 */
export function splitPath(path: string, limits: Limits): string[] {
  if (path.includes("\0")) throw refuse(path, "holds a NUL");
  if (path.startsWith("/")) throw refuse(path, "is absolute");
  if (path === "") throw refuse(path, "is empty");
  if (path.length > limits.pathBytes) {
    throw new ImageRefused("LimitExceeded", `entry ${shown(path)}: path of ${path.length} bytes`);
  }
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  for (const part of parts) {
    if (part === "..") throw refuse(path, "leaves the image");
    if (part.length > limits.nameBytes) {
      throw new ImageRefused("LimitExceeded", `entry ${shown(path)}: name of ${part.length} bytes`);
    }
  }
  return parts;
}

/** A whiteout's meaning. */
export type Whiteout = { readonly kind: "opaque" } | { readonly kind: "name"; readonly name: string };

const prefix = ".wh.";
const opaque = ".wh..wh..opq";
const reserved = ".wh..wh.";

/**
 * What the last component hides; undefined for an ordinary name, "ignored" for names of AUFS's own bookkeeping.
 * @throws {ImageRefused} BadPath: hides nothing, `.` or `..`
 */
export function whiteoutOf(name: string, path: string): Whiteout | "ignored" | undefined {
  if (!name.startsWith(prefix)) return undefined;
  if (name === opaque) return { kind: "opaque" };
  if (name.startsWith(reserved)) return "ignored";
  const hidden = name.slice(prefix.length);
  if (hidden === "" || hidden === "." || hidden === "..") throw refuse(path, "hides no file's name");
  return { kind: "name", name: hidden };
}

/** @throws {ImageRefused} BadPath: a directory named like a whiteout */
export function checkParents(parents: readonly string[], path: string): void {
  if (parents.some((part) => part.startsWith(prefix))) throw refuse(path, "is below a whiteout");
}
