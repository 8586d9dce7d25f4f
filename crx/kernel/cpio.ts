/**
 * Writes the "newc" cpio archive an initramfs is made of. Times and inode numbers are fixed, so the same files give
 * the same bytes.
 * Source: Linux Documentation/driver-api/early-userspace/buffer-format.rst.
 */

/** One entry. `mode` includes the file type, as 0o100755; device numbers only for device nodes. */
export interface CpioEntry {
  readonly path: string;
  readonly mode: number;
  readonly content?: Uint8Array;
  readonly device?: readonly [major: number, minor: number];
}

const pad = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4);

function encode(entry: CpioEntry, inode: number): Buffer[] {
  const name = Buffer.from(`${entry.path}\0`);
  const content = entry.content ?? new Uint8Array();
  const [major, minor] = entry.device ?? [0, 0];
  const fields = [inode, entry.mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, name.length, 0];
  const header = Buffer.from(`070701${fields.map((each) => each.toString(16).padStart(8, "0")).join("")}`, "latin1");
  return [header, name, pad(header.length + name.length), Buffer.from(content), pad(content.length)];
}

/** The archive of the entries, in their order; parents must come before their children. */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const chunks = entries.flatMap((entry, index) => encode(entry, index + 1));
  return Buffer.concat([...chunks, ...encode({ path: "TRAILER!!!", mode: 0 }, 0)]);
}
