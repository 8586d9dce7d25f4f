/** Makes tar archives for tests, honest or not: every field can be said, and what is not said is sensible. */

/** One entry; `pax` goes into an extended header before it, `raw` bytes stand in place of everything. */
export interface TarPart {
  readonly path?: string;
  readonly type?: string;
  readonly content?: Buffer | string;
  /** What the header says, where it differs from the content's length. */
  readonly size?: number;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  readonly pax?: readonly (readonly [string, string | Buffer])[];
  readonly raw?: Buffer;
  /** Changes the finished header before its checksum is made. */
  readonly patch?: (header: Buffer) => void;
}

const block = 512;

function octal(into: Buffer, value: number, field: { at: number; bytes: number }): void {
  const digits = value.toString(8);
  if (digits.length < field.bytes) {
    into.write(`${digits.padStart(field.bytes - 1, "0")}\0`, field.at, "latin1");
    return;
  }
  into.writeUInt8(0x80, field.at);
  into.writeUIntBE(value, field.at + field.bytes - 6, 6);
}

/** Puts the checksum into a header. */
function seal(header: Buffer): Buffer {
  header.write("        ", 148, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** A header block. */
export function header(part: TarPart, size: number): Buffer {
  const made = Buffer.alloc(block);
  made.write((part.path ?? "").slice(0, 100), 0, "latin1");
  octal(made, part.mode ?? 0o644, { at: 100, bytes: 8 });
  octal(made, part.uid ?? 0, { at: 108, bytes: 8 });
  octal(made, part.gid ?? 0, { at: 116, bytes: 8 });
  octal(made, size, { at: 124, bytes: 12 });
  octal(made, part.mtime ?? 0, { at: 136, bytes: 12 });
  made.write(part.type ?? "0", 156, "latin1");
  made.write((part.link ?? "").slice(0, 100), 157, "latin1");
  made.write("ustar\0" + "00", 257, "latin1");
  octal(made, part.major ?? 0, { at: 329, bytes: 8 });
  octal(made, part.minor ?? 0, { at: 337, bytes: 8 });
  part.patch?.(made);
  return seal(made);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((block - (bytes.length % block)) % block)]);
}

/** One pax record, its length counting itself. */
export function record(key: string, value: string | Buffer): Buffer {
  const body = Buffer.concat([
    Buffer.from(` ${key}=`, "latin1"),
    Buffer.from(value as string, "latin1"),
    Buffer.from("\n"),
  ]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

function encode(part: TarPart): Buffer {
  if (part.raw !== undefined) return part.raw;
  const content = Buffer.from((part.content ?? "") as string, "latin1");
  const pax = [...(part.pax ?? [])];
  if ((part.path ?? "").length > 100) pax.push(["path", part.path ?? ""]);
  if ((part.link ?? "").length > 100) pax.push(["linkpath", part.link ?? ""]);
  const records = Buffer.concat(pax.map(([key, value]) => record(key, value)));
  const before = pax.length === 0 ? [] : [header({ path: "pax", type: "x" }, records.length), padded(records)];
  return Buffer.concat([...before, header(part, part.size ?? content.length), padded(content)]);
}

/** An archive of the parts, with its end. */
export function tarball(parts: readonly TarPart[]): Buffer {
  return Buffer.concat([...parts.map(encode), Buffer.alloc(2 * block)]);
}
