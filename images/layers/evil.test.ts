import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { digestOf } from "../digest.ts";
import type { RefusalCode } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { convertLayers, listing, type TestLayer } from "../testing/conversion.ts";
import { header, type TarPart, tarball } from "../testing/tarball.ts";

const scratch = mkdtempSync(join(tmpdir(), "evil-"));
const canary = join(scratch, "canary");
const image = join(scratch, "image");
const relative = `../${canary.split("/").at(-2)}/canary/file`;

before(() => {
  mkdirSync(join(canary, "dir"), { recursive: true });
  writeFileSync(join(canary, "file"), "untouched");
  writeFileSync(join(canary, "dir/file"), "untouched too");
  symlinkSync("file", join(canary, "link"));
});
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Everything about the canary tree that an attack could change. */
function fingerprint(): string {
  const hash = createHash("sha256");
  const visit = (path: string): void => {
    const stat = lstatSync(path);
    hash.update(`${path} ${stat.mode} ${stat.uid} ${stat.nlink} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}\n`);
    if (stat.isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
    else hash.update(stat.isSymbolicLink() ? readlinkSync(path) : readFileSync(path));
  };
  visit(canary);
  return hash.digest("hex");
}

interface Case {
  readonly name: string;
  readonly layers: readonly (readonly TarPart[] | TestLayer)[];
  readonly code: RefusalCode;
  readonly limits?: Partial<Limits>;
}

const file = (path: string, content = "evil"): TarPart => ({ path, content });
const symlink = (path: string, link: string): TarPart => ({ path, type: "2", link });
const hardlink = (path: string, link: string): TarPart => ({ path, type: "1", link });
const zeros = (bytes: number) => tarball([{ path: "zeros", content: Buffer.alloc(bytes) }]);
const good = tarball([file("a", "x".repeat(5000)), file("b")]);
const pax = (...records: [string, string][]): TarPart => ({ ...file("f"), pax: records });
const sparse10 = (map: string, realSize: string): TarPart => ({
  path: "x",
  content: Buffer.from(map.padEnd(512, "\0")),
  pax: [
    ["GNU.sparse.major", "1"],
    ["GNU.sparse.minor", "0"],
    ["GNU.sparse.name", "s"],
    ["GNU.sparse.realsize", realSize],
  ],
});
const old = (realSize: string, numbers: readonly number[]) => (block: Buffer) => {
  numbers.forEach((n, i) => block.write(`${n.toString(8).padStart(11, "0")}\0`, 386 + i * 12, "latin1"));
  block.write(realSize, 483, "latin1");
};

const cases: Case[] = [
  { name: "a parent path", layers: [[file("../x")]], code: "BadPath" },
  { name: "a parent path that names the canary", layers: [[file(relative)]], code: "BadPath" },
  { name: "a parent path in the middle", layers: [[file("a/../../x")]], code: "BadPath" },
  { name: "a parent path that stays inside", layers: [[file("a/../b")]], code: "BadPath" },
  { name: "a parent path by pax", layers: [[pax(["path", "../../x"])]], code: "BadPath" },
  {
    name: "a parent path by a GNU header",
    layers: [[{ path: "l", type: "L", content: "../x\0" }, file("f")]],
    code: "BadPath",
  },
  {
    name: "a parent path by the ustar prefix",
    layers: [[{ ...file("x"), patch: (h) => void h.write("..", 345) }]],
    code: "BadPath",
  },
  { name: "a parent path of a directory", layers: [[{ path: "../d/", type: "5" }]], code: "BadPath" },
  { name: "an absolute path", layers: [[file(join(canary, "file"))]], code: "BadPath" },
  { name: "an absolute directory", layers: [[{ path: "/etc", type: "5" }]], code: "BadPath" },
  { name: "an absolute path by pax", layers: [[pax(["path", "/x"])]], code: "BadPath" },
  { name: "a path with a NUL by pax", layers: [[pax(["path", "a\0b"])]], code: "BadPath" },
  { name: "an empty name", layers: [[file("")]], code: "BadPath" },
  { name: "a file for the root", layers: [[file("./")], [symlink(".", "/")]], code: "BadPath" },
  { name: "a file below a file", layers: [[file("a"), file("a/b")]], code: "BadPath" },
  { name: "a file below a lower layer's file", layers: [[file("a")], [file("a/b")]], code: "BadPath" },
  { name: "a file through a link of its own layer", layers: [[symlink("l", canary), file("l/file")]], code: "BadLink" },
  {
    name: "a file through a relative link of its own layer",
    layers: [[symlink("l", "../.."), file("l/x")]],
    code: "BadLink",
  },
  {
    name: "a file through a loop of links",
    layers: [[symlink("a", "b"), symlink("b", "a")], [file("a/x")]],
    code: "BadLink",
  },
  { name: "a hard link to an absolute path", layers: [[hardlink("h", join(canary, "file"))]], code: "BadPath" },
  { name: "a hard link to a parent path", layers: [[hardlink("h", relative)]], code: "BadPath" },
  { name: "a hard link through a link", layers: [[symlink("l", canary), hardlink("h", "l/file")]], code: "BadLink" },
  {
    name: "a hard link through a lower layer's link",
    layers: [[symlink("l", "/d"), file("d/f")], [hardlink("h", "l/f")]],
    code: "BadLink",
  },
  {
    name: "a hard link put through a lower layer's link",
    layers: [[symlink("l", "/d"), file("f")], [hardlink("l/h", "f")]],
    code: "BadLink",
  },
  { name: "a hard link to nothing", layers: [[hardlink("h", "missing")]], code: "BadLink" },
  { name: "a hard link to itself", layers: [[hardlink("h", "h")]], code: "BadLink" },
  { name: "a hard link to a directory", layers: [[{ path: "d", type: "5" }, hardlink("h", "d")]], code: "BadLink" },
  { name: "a hard link to the root", layers: [[hardlink("h", ".")]], code: "BadLink" },
  { name: "a link without a target", layers: [[symlink("l", "")]], code: "BadLink" },
  {
    name: "a whiteout through a link of its own layer",
    layers: [[symlink("l", canary), file("l/.wh.file")]],
    code: "BadLink",
  },
  {
    name: "a whiteout through a lower layer's link",
    layers: [[symlink("l", canary)], [file("l/.wh.file")]],
    code: "BadLink",
  },
  {
    name: "an opaque whiteout through a lower layer's link",
    layers: [[symlink("l", "/")], [file("l/.wh..wh..opq")]],
    code: "BadLink",
  },
  { name: "a whiteout of nothing", layers: [[file(".wh.")]], code: "BadPath" },
  { name: "a whiteout of the directory itself", layers: [[file("d/.wh..")]], code: "BadPath" },
  { name: "a whiteout of the parent", layers: [[file("d/.wh...")]], code: "BadPath" },
  { name: "a file below a whiteout", layers: [[file(".wh.d/f")]], code: "BadPath" },
  { name: "a name of 256 bytes", layers: [[file("n".repeat(256))]], code: "LimitExceeded" },
  { name: "a path of 5,000 bytes", layers: [[file("d/".repeat(2500))]], code: "LimitExceeded" },
  { name: "a link target of 5,000 bytes", layers: [[symlink("l", "t".repeat(5000))]], code: "LimitExceeded" },
  { name: "an extended header of 2 MiB", layers: [[pax(["comment", "c".repeat(2 << 20)])]], code: "LimitExceeded" },
  {
    name: "extended headers without end",
    layers: [
      Array.from({ length: 20 }, () => ({
        path: "x",
        type: "x",
        content: Buffer.concat([Buffer.from("99999 a="), Buffer.alloc(99_990, "b"), Buffer.from("\n")]),
      })),
    ],
    code: "LimitExceeded",
  },
  {
    name: "attributes of 80 KiB",
    layers: [[pax(["SCHILY.xattr.user.a", "a".repeat(40_000)], ["SCHILY.xattr.user.b", "b".repeat(40_000)])]],
    code: "LimitExceeded",
  },
  {
    name: "an attribute's name of 300 bytes",
    layers: [[pax([`SCHILY.xattr.user.${"n".repeat(300)}`, "v"])]],
    code: "LimitExceeded",
  },
  { name: "an owner that is no user id", layers: [[pax(["uid", "4294967295"])]], code: "Malformed" },
  { name: "a sparse file of 1 TB", layers: [[sparse10("0\n", "1000000000000")]], code: "LimitExceeded" },
  {
    name: "a sparse file of 1 TB in the old format",
    layers: [
      [{ path: "s", type: "S", patch: (h) => void h.fill(0x80, 483, 484).fill(0, 484, 489).writeUIntBE(1e12, 489, 6) }],
    ],
    code: "LimitExceeded",
  },
  {
    name: "a sparse file with overlapping pieces",
    layers: [[{ path: "s", type: "S", content: Buffer.alloc(1024), patch: old("00000020000", [0, 512, 256, 512]) }]],
    code: "Malformed",
  },
  { name: "a sparse file with more pieces than data", layers: [[sparse10("1\n0\n4096\n", "4096")]], code: "Malformed" },
  { name: "a sparse map of a billion pieces", layers: [[sparse10("1000000000\n", "4096")]], code: "LimitExceeded" },
  { name: "a sparse map that is no number", layers: [[sparse10("-1\n", "4096")]], code: "Malformed" },
  {
    name: "a gzip bomb",
    layers: [{ blob: gzipSync(zeros(64 << 20)), diffId: digestOf("") }],
    code: "LimitExceeded",
    limits: { ratioFreeBytes: 1 << 20 },
  },
  {
    name: "a zstd bomb",
    layers: [{ blob: zstdCompressSync(zeros(64 << 20)), diffId: digestOf("") }],
    code: "LimitExceeded",
    limits: { ratioFreeBytes: 1 << 20 },
  },
  {
    name: "layers that are too large together",
    layers: [[file("a", "x".repeat(6000))], [file("b", "x".repeat(6000))]],
    code: "LimitExceeded",
    limits: { expandedBytes: 12_000 },
  },
  {
    name: "more entries than allowed",
    layers: [Array.from({ length: 300 }, (_, i) => file(`f${i}`, ""))],
    code: "LimitExceeded",
    limits: { entries: 200 },
  },
  {
    name: "more implied directories than allowed",
    layers: [Array.from({ length: 20 }, (_, i) => file(`${i}/${"d/".repeat(1000)}f`, ""))],
    code: "LimitExceeded",
    limits: { entries: 10_000 },
  },
  {
    name: "more bytes of names than allowed",
    layers: [Array.from({ length: 300 }, (_, i) => file(`f${i}${"n".repeat(200)}`, ""))],
    code: "LimitExceeded",
    limits: { metadataBytes: 50_000 },
  },
  {
    name: "a file larger than the image may be",
    layers: [[file("f", "x".repeat(9000))]],
    code: "LimitExceeded",
    limits: { imageBytes: 8000 },
  },
  { name: "a layer cut short", layers: [{ blob: good.subarray(0, 3000) }], code: "Truncated" },
  { name: "a layer cut short in its padding", layers: [{ blob: good.subarray(0, 5700) }], code: "Truncated" },
  {
    name: "a gzip stream cut short",
    layers: [{ blob: gzipSync(good).subarray(0, 60), diffId: digestOf(good) }],
    code: "Truncated",
  },
  {
    name: "a zstd stream cut short",
    layers: [{ blob: zstdCompressSync(good).subarray(0, 60), diffId: digestOf(good) }],
    code: "Truncated",
  },
  {
    name: "garbage in a gzip stream",
    layers: [
      { blob: Buffer.concat([gzipSync(good).subarray(0, 40), Buffer.alloc(100, 0xff)]), diffId: digestOf(good) },
    ],
    code: "Malformed",
  },
  {
    name: "a layer that is another one",
    layers: [{ blob: gzipSync(good), diffId: digestOf("other") }],
    code: "DigestMismatch",
  },
  {
    name: "bytes behind the archive's end that the diff id does not know",
    layers: [{ blob: Buffer.concat([good, Buffer.alloc(512, 1)]), diffId: digestOf(good) }],
    code: "DigestMismatch",
  },
  {
    name: "a header whose checksum differs",
    layers: [{ blob: Buffer.concat([header(file("a"), 0).fill("b", 0, 1), Buffer.alloc(1024)]) }],
    code: "Malformed",
  },
  {
    name: "a size that is no number",
    layers: [[{ ...file("a"), patch: (h) => void h.write("99999999999", 124) }]],
    code: "Malformed",
  },
  {
    name: "a negative size",
    layers: [[{ ...file("a"), patch: (h) => void h.fill(0xff, 124, 136) }]],
    code: "Malformed",
  },
  {
    name: "a size beyond counting",
    layers: [[{ ...file("a"), patch: (h) => void h.fill(0x80, 124, 125).fill(0xff, 125, 136) }]],
    code: "Malformed",
  },
  {
    name: "a broken extended header",
    layers: [[{ path: "x", type: "x", content: "999999 path=a\n" }, file("f")]],
    code: "Malformed",
  },
  {
    name: "an extended header with no entry behind it",
    layers: [[{ path: "x", type: "x", content: "8 path=a" }]],
    code: "Malformed",
  },
  { name: "an entry of an unknown type", layers: [[{ path: "x", type: "Z" }]], code: "Unsupported" },
  { name: "no archive at all", layers: [{ blob: Buffer.alloc(2000, "<html>") }], code: "Malformed" },
];

for (const { name, layers, code, limits } of cases) {
  test(`${name} refuses the image and leaves the host alone`, async () => {
    const before = fingerprint();
    const blobs = layers.map((layer) => ("blob" in layer ? layer : { blob: tarball(layer) }));
    await assert.rejects(convertLayers(image, blobs, limits), { name: "ImageRefused", code });
    assert.equal(fingerprint(), before);
    assert.deepEqual(
      readdirSync(join(scratch)).filter((entry) => !entry.startsWith("image")),
      ["canary"],
    );
  });
}

test("links that point anywhere are only text", async () => {
  const before = fingerprint();
  await convertLayers(image, [
    { blob: tarball([symlink("l", join(canary, "file")), symlink("m", "../../../../etc/shadow")]) },
  ]);
  assert.deepEqual(await listing(image), { l: `-> ${join(canary, "file")}`, m: "-> ../../../../etc/shadow" });
  assert.equal(fingerprint(), before);
});

test("a conversion that takes too long is ended", async () => {
  const slow = gzipSync(zeros(256 << 20), { level: 1 });
  await assert.rejects(convertLayers(image, [{ blob: slow, diffId: digestOf("") }], { seconds: 0.3, ratio: 1e6 }), {
    code: "LimitExceeded",
    message: "took too long to convert",
  });
});

test("bytes changed anywhere in a layer are refused or caught by its digest, never a crash", async () => {
  const blob = tarball([
    file("a", "x".repeat(700)),
    symlink("l", "a"),
    hardlink("h", "a"),
    pax(["path", "long"], ["mtime", "5"]),
  ]);
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: blob.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const changed = Buffer.from(blob);
      changed.writeUInt8((changed.readUInt8(at) + change) & 255, at);
      await assert.rejects(convertLayers(image, [{ blob: changed, diffId: digestOf(blob) }]), { name: "ImageRefused" });
    }),
    { numRuns: 30 },
  );
  assert.ok(statSync(image).size < 1 << 20);
});
