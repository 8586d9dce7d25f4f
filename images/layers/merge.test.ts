import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { ErofsReader } from "../erofs/reader.ts";
import { convertLayers, listing } from "../testing/conversion.ts";
import { record, type TarPart, tarball } from "../testing/tarball.ts";

const scratch = mkdtempSync(join(tmpdir(), "merge-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const image = join(scratch, "image");

async function merged(...layers: (readonly TarPart[])[]): Promise<Record<string, string>> {
  await convertLayers(
    image,
    layers.map((parts) => ({ blob: tarball(parts) })),
  );
  return listing(image);
}

const file = (path: string, content = path): TarPart => ({ path, content });
const dir = (path: string): TarPart => ({ path, type: "5", mode: 0o755 });
const symlink = (path: string, link: string): TarPart => ({ path, type: "2", link });
const hardlink = (path: string, link: string): TarPart => ({ path, type: "1", link });

test("a later layer replaces files and adds to directories", async () => {
  const lower = [dir("d/"), file("d/a", "old"), file("d/b", "b")];
  assert.deepEqual(await merged(lower, [file("./d/a", "new"), file("d/c", "c")]), {
    d: "directory",
    "d/a": "file new",
    "d/b": "file b",
    "d/c": "file c",
  });
});

test("a whiteout hides what lower layers put there and nothing of its own layer", async () => {
  const lower = [file("d/a"), file("d/b"), file("e/x"), file("f", "old")];
  const upper = [
    file("d/a", "mine"),
    file("d/.wh.a", ""),
    file("d/.wh.b", ""),
    file(".wh.e", ""),
    file("f", "new"),
    file(".wh.f", ""),
  ];
  const want = { d: "directory", "d/a": "file mine", f: "file new" };
  assert.deepEqual(await merged(lower, upper), want);
  assert.deepEqual(await merged(lower, [...upper].reverse()), want);
});

test("an opaque whiteout empties a directory of lower files wherever it stands in its layer", async () => {
  const lower = [file("d/a"), file("d/sub/b"), file("keep")];
  const upper = [file("d/mine"), file("d/.wh..wh..opq", ""), file("d/sub/own")];
  const want = {
    d: "directory",
    "d/mine": "file d/mine",
    "d/sub": "directory",
    "d/sub/own": "file d/sub/own",
    keep: "file keep",
  };
  assert.deepEqual(await merged(lower, upper), want);
  assert.deepEqual(await merged(lower, [...upper].reverse()), want);
});

test("a whiteout of a directory that comes again leaves only the new one", async () => {
  const want = { d: "directory", "d/new": "file d/new" };
  assert.deepEqual(await merged([file("d/old")], [file(".wh.d", ""), dir("d"), file("d/new")]), want);
  assert.deepEqual(await merged([file("d/old")], [dir("d"), file("d/new"), file(".wh.d", "")]), want);
});

test("a hard link to a lower layer's file outlives the name it was made from", async () => {
  const layers = [[file("a", "shared")], [hardlink("b", "a")], [file(".wh.a", "")]];
  assert.deepEqual(await merged(...layers), { b: "file shared" });
  assert.deepEqual(await merged([file("a", "shared")], [hardlink("b", "./a"), file("a", "own")]), {
    a: "file own",
    b: "file shared",
  });
});

test("a file takes the place of a directory, and a directory that of a file", async () => {
  assert.deepEqual(await merged([file("x/y"), file("z")], [file("x", "flat"), dir("z"), file("z/in")]), {
    x: "file flat",
    z: "directory",
    "z/in": "file z/in",
  });
});

test("an entry below a lower layer's link follows it inside the tree", async () => {
  const lower = [
    dir("usr/lib"),
    symlink("lib", "usr/lib"),
    symlink("abs", "/usr/lib"),
    symlink("up", "../../../usr/lib"),
    symlink("dangling", "not/there"),
  ];
  const found = await merged(lower, [file("lib/a"), file("abs/b"), file("up/c"), file("dangling/d")]);
  assert.equal(found["usr/lib/a"], "file lib/a");
  assert.equal(found["usr/lib/b"], "file abs/b");
  assert.equal(found["usr/lib/c"], "file up/c");
  assert.equal(found["not/there/d"], "file dangling/d");
  assert.equal(found["lib"], "-> usr/lib");
});

test("devices are dropped and counted, pipes stay", async () => {
  const parts = [
    file("dev/null", "x"),
    { path: "dev/null", type: "3", major: 1, minor: 3 },
    { path: "dev/sda", type: "4", major: 8 },
    { path: "p", type: "6" },
  ];
  const summary = await convertLayers(image, [{ blob: tarball(parts) }]);
  assert.equal(summary.dropped.devices, 2);
  assert.deepEqual(await listing(image), { dev: "directory", p: "fifo" });
});

test("names of 255 bytes and paths beyond the header's fields arrive whole, by pax and by GNU headers", async () => {
  const long = `${"a".repeat(255)}/${"b".repeat(255)}`;
  const gnu = `${"c".repeat(200)}/${"d".repeat(200)}`;
  const parts: TarPart[] = [
    file(long, "pax"),
    { path: "././@LongLink", type: "L", content: `${gnu}\0` },
    file("cut", "gnu"),
    { path: "././@LongLink", type: "K", content: `${"t/".repeat(150)}\0` },
    symlink("link", "cut"),
  ];
  const found = await merged(parts);
  assert.equal(found[long], "file pax");
  assert.equal(found[gnu], "file gnu");
  assert.equal(found["link"], `-> ${"t/".repeat(150)}`);
});

test("names are bytes, whatever they encode", async () => {
  const latin = Buffer.from([0x66, 0xfc, 0xff]).toString("latin1");
  const utf8 = Buffer.from("grün").toString("latin1");
  const found = await merged([file(latin, "1"), file(utf8, "2")]);
  assert.deepEqual(found, { [latin]: "file 1", [utf8]: "file 2" });
});

test("owner, mode with setuid, time and allowed attributes arrive; the others are dropped and counted", async () => {
  const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
  const parts: TarPart[] = [
    {
      ...file("ping"),
      mode: 0o4755,
      pax: [
        ["uid", "3000000000"],
        ["gid", "7"],
        ["mtime", "1700000000.123456789"],
        ["SCHILY.xattr.security.capability", capability],
        ["SCHILY.xattr.user.note", "hi"],
        ["SCHILY.xattr.user.overlay.opaque", "y"],
        ["SCHILY.xattr.trusted.overlay.redirect", "/etc"],
        ["SCHILY.xattr.security.selinux", "x"],
      ],
    },
    { ...file("odd"), pax: [["SCHILY.xattr.security.capability", "short"]] },
    { ...file("old"), pax: [["mtime", "-5.5"]] },
  ];
  const summary = await convertLayers(image, [{ blob: tarball(parts) }]);
  assert.equal(summary.dropped.xattrs, 4);
  const handle = await open(image, "r");
  const reader = await ErofsReader.open(handle);
  const inode = await reader.find("ping");
  assert.ok(inode);
  assert.deepEqual(inode.attributes, {
    mode: 0o4755,
    uid: 3_000_000_000,
    gid: 7,
    mtimeS: 1_700_000_000,
    mtimeNs: 123_456_789,
  });
  assert.deepEqual(await reader.xattrs(inode), [
    { name: "security.capability", value: capability },
    { name: "user.note", value: Buffer.from("hi") },
  ]);
  assert.equal((await reader.find("old"))?.attributes.mtimeS, 0);
  await handle.close();
});

test("sparse files of GNU's four forms come out whole", async () => {
  const data = Buffer.concat([Buffer.alloc(512, "A"), Buffer.alloc(512, "B")]);
  const want = Buffer.alloc(20_000);
  data.copy(want, 4096, 0, 512);
  data.copy(want, 8192, 512);
  const map = "2\n4096\n512\n8192\n512\n";
  const old = (header: Buffer) => {
    header.write("ustar  \0", 257, "latin1");
    const numbers = [4096, 512, 8192, 512];
    numbers.forEach((n, i) => header.write(`${n.toString(8).padStart(11, "0")}\0`, 386 + i * 12, "latin1"));
    header.write(`${(20_000).toString(8).padStart(11, "0")}\0`, 483, "latin1");
  };
  const found = await merged([
    { path: "old", type: "S", content: data, patch: old },
    {
      path: "x",
      content: data,
      pax: [
        ["GNU.sparse.size", "20000"],
        ["GNU.sparse.numblocks", "2"],
        ["GNU.sparse.offset", "4096"],
        ["GNU.sparse.numbytes", "512"],
        ["GNU.sparse.offset", "8192"],
        ["GNU.sparse.numbytes", "512"],
        ["path", "v00"],
      ],
    },
    {
      path: "x",
      content: data,
      pax: [
        ["GNU.sparse.size", "20000"],
        ["GNU.sparse.name", "v01"],
        ["GNU.sparse.map", "4096,512,8192,512"],
      ],
    },
    {
      path: "x",
      content: Buffer.concat([Buffer.from(map.padEnd(512, "\0")), data]),
      pax: [
        ["GNU.sparse.major", "1"],
        ["GNU.sparse.minor", "0"],
        ["GNU.sparse.name", "v10"],
        ["GNU.sparse.realsize", "20000"],
      ],
    },
  ]);
  for (const name of ["old", "v00", "v01", "v10"]) assert.equal(found[name], `file ${want.toString("latin1")}`, name);
});

test("layers packed by gzip and zstd, in several members or frames, give the image of the plain tar", async () => {
  const tar = tarball(Array.from({ length: 50 }, (_, i) => file(`f${i}`, String(i).repeat(3000))));
  const halves = [tar.subarray(0, 70_001), tar.subarray(70_001)];
  const skippable = Buffer.concat([Buffer.from("502a4d1804000000", "hex"), Buffer.from("skip")]);
  const small = Array.from({ length: Math.ceil(tar.length / 700) }, (_, i) => tar.subarray(i * 700, (i + 1) * 700));
  const blobs = [
    gzipSync(tar),
    Buffer.concat(halves.map((half) => gzipSync(half))),
    zstdCompressSync(tar),
    Buffer.concat([skippable, ...halves.flatMap((half) => [zstdCompressSync(half), skippable])]),
    Buffer.concat(small.map((part) => zstdCompressSync(part))),
  ];
  const want = await merged(Array.from({ length: 50 }, (_, i) => file(`f${i}`, String(i).repeat(3000))));
  for (const blob of blobs) {
    await convertLayers(image, [{ blob, expanded: tar }]);
    assert.deepEqual(await listing(image), want);
  }
});

test("an archive by the system's tar comes out as its files are", async () => {
  const run = spawnSync(
    "sh",
    [
      "-c",
      `mkdir -p ${scratch}/in/a/b && cd ${scratch}/in && printf hello > a/b/c && ln -s b/c a/l && ln a/b/c a/h && truncate -s 3M a/s && tar --sparse -cf ../real.tar . && cat ../real.tar`,
    ],
    { maxBuffer: 1 << 26 },
  );
  assert.equal(run.status, 0, String(run.stderr));
  await convertLayers(image, [{ blob: run.stdout }]);
  const handle = await open(image, "r");
  const reader = await ErofsReader.open(handle);
  assert.equal((await reader.find("a/s"))?.size, 3 << 20);
  assert.equal((await reader.find("a/h"))?.nid, (await reader.find("a/b/c"))?.nid);
  assert.equal((await reader.find("a/l"))?.size, 5);
  await handle.close();
});

test("no layers make an empty image", async () => {
  assert.deepEqual(await merged(), {});
});

test("record() counts its own length", () => {
  assert.equal(record("a", "b").toString(), "6 a=b\n");
});
