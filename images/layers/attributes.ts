/**
 * Which of an entry's attributes reach the image.
 *
 * Kept: mode with setuid, setgid and sticky; owner; time; `user.*`; a well-formed `security.capability` of a file.
 * Dropped: everything else, above all what overlayfs would obey (`trusted.overlay.*`, `user.overlay.*`), since the image
 * becomes the lower layer of an overlay in the guest.
 * Source: Linux Documentation/filesystems/overlayfs.rst; include/uapi/linux/capability.h (vfs_cap_data)
 */
import type { Attributes, Xattr } from "../erofs/tree.ts";
import { ImageRefused } from "../errors.ts";
import { type Limits, within } from "../limits.ts";
import { shown } from "./paths.ts";
import type { TarEntry } from "./tar.ts";

// The year 9999: what every tool prints.
const latestS = 253_402_300_799;
const mostId = 2 ** 32 - 2;
const longestXattrName = 255;
const capabilityBytes: Record<number, number> = { 0x02000000: 20, 0x03000000: 24 };
const capabilityRevisionMask = 0xff000000;

function isCapability(value: Buffer): boolean {
  if (value.length < 4) return false;
  const revision = (value.readUInt32LE(0) & capabilityRevisionMask) >>> 0;
  return capabilityBytes[revision] === value.length;
}

function isKept({ name, value }: Xattr, kind: TarEntry["kind"]): boolean {
  if (name === "security.capability") return kind === "file" && isCapability(value);
  if (kind !== "file" && kind !== "directory") return false;
  return name.startsWith("user.") && name !== "user." && !name.startsWith("user.overlay.");
}

function id(value: number, entry: TarEntry): number {
  if (value < 0 || value > mostId) throw new ImageRefused("Malformed", `entry ${shown(entry.path)}: owner ${value}`);
  return value;
}

/**
 * The attributes to keep, and how many extended ones were dropped.
 * @throws {ImageRefused} Malformed: an owner that is no user id; LimitExceeded: attributes too long
 */
export function attributesOf(entry: TarEntry, limits: Limits): { attributes: Attributes; dropped: number } {
  const xattrs = entry.xattrs.filter((xattr) => isKept(xattr, entry.kind));
  let bytes = 0;
  for (const { name, value } of xattrs) {
    within(name.length, longestXattrName, `entry ${shown(entry.path)}: bytes of an attribute's name`);
    bytes += name.length + value.length;
  }
  within(bytes, limits.xattrBytes, `entry ${shown(entry.path)}: bytes of attributes`);
  const { mode, mtimeNs } = entry;
  const mtimeS = Math.min(entry.mtimeS, latestS);
  const attributes = { mode, uid: id(entry.uid, entry), gid: id(entry.gid, entry), mtimeS, mtimeNs, xattrs };
  return { attributes, dropped: entry.xattrs.length - xattrs.length };
}
