import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { cacheFolder } from "../cache.ts";
import { run } from "../run.ts";
import { writeCpio } from "./cpio.ts";
import { debianKernel } from "./debian.ts";
import { unpackLegacyLz4 } from "./lz4.ts";
import { collectModules, wantedModules } from "./modules.ts";
import { extractVmlinux, KernelImageUnusable } from "./vmlinux.ts";

/** A legacy frame of one block. */
function frame(block: readonly number[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184c2102, 0);
  head.writeUInt32LE(block.length, 4);
  return Buffer.concat([head, Buffer.from(block)]);
}

test("unpackLegacyLz4() repeats overlapping matches and takes long lengths", () => {
  // Three literals, a match of 4+2 at distance 3, then one last literal.
  const packed = frame([0x32, 0x61, 0x62, 0x63, 3, 0, 0x10, 0x21]);
  assert.equal(unpackLegacyLz4(packed, 10).toString(), "abcabcabc!");
  // One literal repeated: a match of 4+15+6 at distance 1, and no last literals but one.
  assert.equal(unpackLegacyLz4(frame([0x1f, 0x78, 1, 0, 6, 0x10, 0x79]), 27).toString(), `${"x".repeat(26)}y`);
});

test("unpackLegacyLz4() refuses damaged data", () => {
  assert.throws(() => unpackLegacyLz4(frame([0x32, 0x61, 0x62, 0x63, 9, 0, 0x10, 0x21]), 10), RangeError);
  assert.throws(() => unpackLegacyLz4(frame([0xf0]), 10), RangeError);
  assert.throws(() => unpackLegacyLz4(frame([0x10, 0x61]).subarray(0, 9), 1), RangeError);
});

test("extractVmlinux() takes no file that is not a kernel image", () => {
  assert.throws(() => extractVmlinux(Buffer.alloc(4096)), KernelImageUnusable);
});

test("writeCpio() makes an archive that others read", async () => {
  const folder = await mkdtemp(join(tmpdir(), "atoll-cpio-"));
  try {
    const entries = [
      { path: "d", mode: 0o040755 },
      { path: "d/file", mode: 0o100640, content: Buffer.from("hello") },
    ];
    await writeFile(join(folder, "a.cpio"), writeCpio(entries));
    await run("busybox", ["cpio", "-idm", "-F", "a.cpio"], { cwd: folder });
    assert.equal(await readFile(join(folder, "d", "file"), "utf8"), "hello");
    assert.deepEqual(writeCpio(entries), writeCpio(entries));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("collectModules() puts what a module needs before it", async () => {
  const { modules } = await debianKernel(cacheFolder());
  assert.ok(modules !== undefined);
  const names = (await collectModules(modules, wantedModules)).map((each) => each.name);
  for (const [first, then] of [
    ["virtio", "virtio_blk"],
    ["scsi_mod", "sd_mod"],
    ["net_failover", "virtio_net"],
    ["libcrc32c", "erofs"],
  ] as const)
    assert.ok(names.indexOf(first) >= 0 && names.indexOf(first) < names.indexOf(then), `${first} before ${then}`);
  assert.equal(new Set(names).size, names.length);
});
