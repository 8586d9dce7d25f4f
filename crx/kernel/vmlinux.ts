/**
 * Takes the uncompressed kernel out of a bzImage: QEMU's microvm enters it directly by PVH, which spares the guest
 * its own decompression.
 * Source: Linux Documentation/arch/x86/boot.rst (setup_sects, payload_offset, payload_length).
 */
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { isLegacyLz4, unpackLegacyLz4 } from "./lz4.ts";

const at = { setupSectors: 0x1f1, magic: 0x202, version: 0x206, payloadOffset: 0x248, payloadLength: 0x24c };

/** The image is not one this module can open. */
export class KernelImageUnusable extends Error {
  override readonly name = "KernelImageUnusable";
}

/**
 * The ELF file inside a bzImage.
 * @throws {KernelImageUnusable} no bzImage of boot protocol 2.08 or later, or packed otherwise than by gzip, LZ4 or zstd
 */
export function extractVmlinux(bzImage: Buffer): Buffer {
  if (bzImage.toString("latin1", at.magic, at.magic + 4) !== "HdrS") throw new KernelImageUnusable("no bzImage header");
  if (bzImage.readUInt16LE(at.version) < 0x208) throw new KernelImageUnusable("boot protocol is older than 2.08");
  const setupSectors = bzImage[at.setupSectors] || 4;
  const start = (setupSectors + 1) * 512 + bzImage.readUInt32LE(at.payloadOffset);
  const packed = bzImage.subarray(start, start + bzImage.readUInt32LE(at.payloadLength));
  const vmlinux = unpack(packed);
  if (vmlinux.toString("latin1", 1, 4) !== "ELF") throw new KernelImageUnusable("payload is no ELF file");
  return vmlinux;
}

function unpack(packed: Buffer): Buffer {
  // The build appends the unpacked size, so stream decoders must not see those four bytes.
  const body = packed.subarray(0, -4);
  const size = packed.readUInt32LE(packed.length - 4);
  if (isLegacyLz4(body)) return unpackLegacyLz4(body, size);
  if (body[0] === 0x1f && body[1] === 0x8b) return gunzipSync(body);
  if (body.readUInt32LE(0) === 0xfd2fb528) return zstdDecompressSync(body);
  throw new KernelImageUnusable(`payload is packed in an unknown way (${body.toString("hex", 0, 6)})`);
}
