import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { ImageRefused } from "../errors.ts";
import { crc32c } from "./crc32c.ts";
import { ErofsReader, type FoundInode } from "./reader.ts";
import { type Attributes, type DirectoryNode, directory, type Node, unplaced } from "./tree.ts";
import { ErofsWriter } from "./writer.ts";

const scratch = mkdtempSync(join(tmpdir(), "erofs-"));
const identity = { uuid: new Uint8Array(16).fill(7), timeS: 0 };
const plain: Attributes = { mode: 0o644, uid: 0, gid: 0, mtimeS: 0, mtimeNs: 0, xattrs: [] };
const root = process.getuid?.() === 0;

after(() => rmSync(scratch, { recursive: true, force: true }));
before(() => mkdirSync(join(scratch, "mnt")));

/** A file tree in memory, to compare with what comes back. */
type Model =
  | { kind: "file"; size: number; seed: number; attributes: Attributes }
  | { kind: "symlink"; target: string; attributes: Attributes }
  | { kind: "fifo"; attributes: Attributes }
  | { kind: "directory"; children: Record<string, Model>; attributes: Attributes };

/** Bytes that differ from place to place; short to print when a property fails. */
function patterned({ size, seed }: { size: number; seed: number }): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i * seed + (i >> 8)) & 255));
}

function fill(writer: ErofsWriter, into: DirectoryNode, children: Record<string, Model>): void {
  for (const [name, model] of Object.entries(children)) {
    into.entries.set(name, { node: nodeOf(writer, model), layer: 0 });
  }
}

function nodeOf(writer: ErofsWriter, model: Model): Node {
  const { attributes } = model;
  if (model.kind === "file") return writeFile(writer, patterned(model), attributes);
  if (model.kind === "symlink") return { kind: "symlink", target: model.target, attributes, place: unplaced() };
  if (model.kind === "fifo") return { kind: "fifo", major: 0, minor: 0, attributes, place: unplaced() };
  const node = directory(attributes);
  fill(writer, node, model.children);
  return node;
}

function writeFile(writer: ErofsWriter, bytes: Buffer, attributes = plain): Node {
  const file = writer.file(bytes.length, attributes);
  // Odd pieces: the split between blocks and tail must not depend on how the bytes arrive.
  for (let at = 0; at < bytes.length; at += 3001) file.write(bytes.subarray(at, at + 3001));
  return file.end();
}

function image(name: string, build: (writer: ErofsWriter, top: DirectoryNode) => void): string {
  const path = join(scratch, name);
  const fds = { imageFd: openSync(path, "w+"), spoolFd: openSync(`${path}.spool`, "w+") };
  const writer = new ErofsWriter(fds);
  const top = directory();
  build(writer, top);
  const summary = writer.finish(top, identity);
  closeSync(fds.imageFd);
  closeSync(fds.spoolFd);
  assert.equal(statSync(path).size, summary.bytes);
  return path;
}

function fsck(path: string): void {
  const run = spawnSync("fsck.erofs", [path], { encoding: "utf8" });
  assert.equal(run.status, 0, run.stdout + run.stderr);
}

function mounted<T>(path: string, look: (at: string) => T): T {
  const at = join(scratch, "mnt");
  execFileSync("mount", ["-t", "erofs", "-o", "loop,ro", path, at]);
  try {
    return look(at);
  } finally {
    execFileSync("umount", [at]);
  }
}

async function reading<T>(path: string, look: (reader: ErofsReader) => Promise<T>): Promise<T> {
  const file = await open(path, "r");
  try {
    return await look(await ErofsReader.open(file));
  } finally {
    await file.close();
  }
}

const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
const haveFsck = spawnSync("fsck.erofs", ["--help"]).error === undefined;
const withFsck = haveFsck ? {} : { skip: "erofs-utils is not installed" };
const canMount = root && haveFsck ? {} : { skip: "needs root to mount, and erofs-utils" };

test("crc32c() agrees with the published check value", () => {
  // Source: RFC 3720, appendix B.4 (32 bytes of zeros), before the final inversion.
  assert.equal(~crc32c(new Uint8Array(32)) >>> 0, 0x8a9136aa);
});

function everything(writer: ErofsWriter, top: DirectoryNode): void {
  const bytes = (count: number, seed: number) =>
    Buffer.from(Array.from({ length: count }, (_, i) => (i * seed + (i >> 8)) & 255));
  for (const size of [0, 1, 4031, 4032, 4033, 4095, 4096, 4097, 8192, 8192 + 4032, 100_000]) {
    top.entries.set(`f${size}`, { node: writeFile(writer, bytes(size, 31)), layer: 0 });
  }
  const twice = writeFile(writer, bytes(5000, 7), {
    ...plain,
    mode: 0o4755,
    uid: 4_000_000_000,
    gid: 70_000,
    mtimeS: 1_700_000_000,
    mtimeNs: 5,
  });
  const sub = directory({ ...plain, mode: 0o1777 });
  sub.entries.set("also", { node: twice, layer: 0 });
  top.entries.set("once", { node: twice, layer: 0 });
  top.entries.set("sub", { node: sub, layer: 0 });
  const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
  const xattrs = [
    { name: "security.capability", value: capability },
    { name: "user.note", value: Buffer.from("héllo") },
  ];
  top.entries.set("cap", { node: writeFile(writer, bytes(3990, 3), { ...plain, xattrs }), layer: 0 });
  const bulky = [{ name: "user.big", value: bytes(9000, 5) }];
  top.entries.set("bulky", { node: writeFile(writer, bytes(10, 3), { ...plain, xattrs: bulky }), layer: 0 });
  top.entries.set("link", {
    node: { kind: "symlink", target: "sub/../once", attributes: plain, place: unplaced() },
    layer: 0,
  });
  top.entries.set("long", {
    node: { kind: "symlink", target: "x/".repeat(2040), attributes: plain, place: unplaced() },
    layer: 0,
  });
  top.entries.set("null", {
    node: { kind: "char", major: 1, minor: 3, attributes: plain, place: unplaced() },
    layer: 0,
  });
  top.entries.set("sd", {
    node: { kind: "block", major: 8, minor: 300, attributes: plain, place: unplaced() },
    layer: 0,
  });
  top.entries.set("n".repeat(255), { node: writeFile(writer, Buffer.from("long name")), layer: 0 });
  top.entries.set("!before-dot", { node: writeFile(writer, Buffer.from("!")), layer: 0 });
  const many = directory();
  for (let i = 0; i < 3000; i++)
    many.entries.set(`entry-${i}-${"y".repeat(i % 90)}`, { node: writeFile(writer, Buffer.from(String(i))), layer: 0 });
  top.entries.set("many", { node: many, layer: 0 });
}

test("an image of everything passes fsck.erofs", withFsck, () => fsck(image("all", everything)));

test("an image of everything mounts and reads back through the kernel", canMount, () => {
  mounted(image("all", everything), (at) => {
    const st = (name: string) => lstatSync(join(at, name));
    for (const size of [0, 1, 4031, 4032, 4033, 4095, 4096, 4097, 8192, 8192 + 4032, 100_000]) {
      const want = Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 255));
      assert.deepEqual(readFileSync(join(at, `f${size}`)), want, `f${size}`);
    }
    assert.equal(st("once").ino, st("sub/also").ino);
    assert.deepEqual(
      [st("once").nlink, st("once").mode & 0o7777, st("once").uid, st("once").gid],
      [2, 0o4755, 4_000_000_000, 70_000],
    );
    assert.equal(st("once").mtimeMs, 1_700_000_000_000);
    assert.equal(st("sub").mode & 0o7777, 0o1777);
    assert.equal(lstatSync(at).nlink, 4);
    assert.equal(readlinkSync(join(at, "link")), "sub/../once");
    assert.equal(readlinkSync(join(at, "long")), "x/".repeat(2040));
    assert.equal(readFileSync(join(at, "link")).length, 5000);
    assert.equal(st("null").rdev, 0x103);
    assert.equal(st("sd").rdev, (8 << 8) | (300 & 0xff) | ((300 & ~0xff) << 12));
    assert.equal(readFileSync(join(at, "n".repeat(255)), "utf8"), "long name");
    assert.equal(readdirSync(join(at, "many")).length, 3000);
    for (let i = 0; i < 3000; i += 7)
      assert.equal(readFileSync(join(at, `many/entry-${i}-${"y".repeat(i % 90)}`), "utf8"), String(i));
    const dump = execFileSync("getfattr", ["--absolute-names", "-d", "-m", "-", "-e", "hex", join(at, "cap")], {
      encoding: "utf8",
    });
    assert.match(dump, /security\.capability=0x0100000200040000/);
    assert.match(dump, /user\.note=0x68c3a96c6c6f/);
    assert.equal(
      execFileSync("getfattr", ["--absolute-names", "-n", "user.big", "--only-values", join(at, "bulky")]).length,
      9000,
    );
  });
});

test("the same tree gives the same bytes, whatever the order of its names", () => {
  const entries = ["b", "a", "c/d", "e"];
  const build = (names: readonly string[]) => (writer: ErofsWriter, top: DirectoryNode) => {
    const files = new Map(entries.map((name) => [name, writeFile(writer, Buffer.alloc(5000, name))]));
    for (const name of names) {
      const node = files.get(name);
      if (node !== undefined) top.entries.set(name.replace("/", "_"), { node, layer: 0 });
    }
  };
  assert.equal(digest(image("one", build(entries))), digest(image("two", build([...entries].reverse()))));
});

test("files hidden before the end leave no blocks behind", withFsck, async () => {
  const keep = Buffer.alloc(50_000, "keep");
  const lean = image(
    "lean",
    (writer, top) => void top.entries.set("kept", { node: writeFile(writer, keep), layer: 0 }),
  );
  const slid = image("slid", (writer, top) => {
    writeFile(writer, Buffer.alloc(3_000_000, "gone"));
    top.entries.set("kept", { node: writeFile(writer, keep), layer: 0 });
    writeFile(writer, Buffer.alloc(1_234_567, "gone"));
  });
  fsck(slid);
  assert.equal(digest(slid), digest(lean));
});

test("a sparse file costs no blocks on the host", () => {
  const path = image("sparse", (writer, top) => {
    const file = writer.file(1 << 30, plain);
    file.skip((1 << 30) - 5);
    file.write(Buffer.from("hello"));
    top.entries.set("sparse", { node: file.end(), layer: 0 });
  });
  assert.ok(statSync(path).size > 1 << 30);
  assert.ok(statSync(path).blocks * 512 < 4 << 20);
});

test("a file that gets more or fewer bytes than announced is an error", () => {
  image("short", (writer) => {
    const file = writer.file(10, plain);
    assert.throws(() => file.write(Buffer.alloc(11)), RangeError);
  });
  image("short", (writer) => {
    const file = writer.file(10, plain);
    file.write(Buffer.alloc(9));
    assert.throws(() => file.end(), RangeError);
  });
});

const byteName = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((bytes) => Buffer.from(bytes).toString("latin1").replaceAll("/", "_").replaceAll("\0", "0"))
  .filter((name) => name !== "." && name !== "..");
const attributes: fc.Arbitrary<Attributes> = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.nat({ max: 2 ** 31 - 1 }),
  gid: fc.nat({ max: 2 ** 31 - 1 }),
  mtimeS: fc.nat({ max: 2 ** 31 - 1 }),
  mtimeNs: fc.nat({ max: 999_999_999 }),
  xattrs: fc.uniqueArray(
    fc.record({
      name: byteName.map((name) => `user.${name}`),
      value: fc.uint8Array({ maxLength: 3000 }).map((v) => Buffer.from(v)),
    }),
    { maxLength: 3, selector: (x) => x.name },
  ),
});
const { tree } = fc.letrec<{ tree: Model; node: Model }>((tie) => ({
  tree: fc.record({
    kind: fc.constant("directory" as const),
    attributes,
    children: fc.dictionary(byteName, tie("node"), { maxKeys: 8 }),
  }),
  node: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.record({
      kind: fc.constant("file" as const),
      attributes,
      size: fc.nat({ max: 13_000 }),
      seed: fc.nat({ max: 255 }),
    }),
    fc.record({ kind: fc.constant("symlink" as const), attributes, target: byteName }),
    fc.record({ kind: fc.constant("fifo" as const), attributes }),
    tie("tree"),
  ),
}));

async function compare(reader: ErofsReader, inode: FoundInode, model: Model): Promise<void> {
  assert.equal(inode.kind, model.kind);
  const { xattrs, ...rest } = model.attributes;
  assert.deepEqual(inode.attributes, rest);
  assert.deepEqual(
    await reader.xattrs(inode),
    xattrs.map((xattr) => ({ ...xattr })),
  );
  if (model.kind === "file") assert.deepEqual(await reader.contents(inode, 20_000), patterned(model));
  if (model.kind === "symlink") assert.equal((await reader.contents(inode, 4095)).toString("latin1"), model.target);
  if (model.kind !== "directory") return;
  const entries = await reader.entries(inode);
  assert.deepEqual([...entries.keys()], Object.keys(model.children).sort());
  for (const [name, nid] of entries) {
    const child = model.children[name];
    if (child !== undefined) await compare(reader, await reader.inode(nid), child);
  }
}

test("whatever tree is written is read back the same, and fsck.erofs agrees", async () => {
  await fc.assert(
    fc.asyncProperty(tree, async (model) => {
      if (model.kind !== "directory") return;
      const path = image("random", (writer, top) => {
        top.attributes = model.attributes;
        fill(writer, top, model.children);
      });
      if (haveFsck) fsck(path);
      await reading(path, async (reader) => compare(reader, await reader.root(), model));
    }),
    { numRuns: 60 },
  );
});

test("find() follows links inside the image and nowhere else", async () => {
  const link = (target: string): Node => ({ kind: "symlink", target, attributes: plain, place: unplaced() });
  const path = image("links", (writer, top) => {
    const etc = directory();
    etc.entries.set("passwd", { node: writeFile(writer, Buffer.from("inside")), layer: 0 });
    etc.entries.set("up", { node: link("../../../../etc/passwd"), layer: 0 });
    etc.entries.set("loop", { node: link("loop"), layer: 0 });
    top.entries.set("etc", { node: etc, layer: 0 });
    top.entries.set("abs", { node: link("/etc/up"), layer: 0 });
  });
  await reading(path, async (reader) => {
    const text = async (name: string) => {
      const inode = await reader.find(name);
      return inode && (await reader.contents(inode, 100)).toString();
    };
    assert.equal(await text("/etc/passwd"), "inside");
    assert.equal(await text("abs"), "inside");
    assert.equal(await text("etc/../../etc/./up"), "inside");
    assert.equal(await text("etc/loop"), undefined);
    assert.equal(await text("etc/passwd/x"), undefined);
    assert.equal(await text("nothing"), undefined);
  });
});

test("a reader of a damaged image refuses it or reads on, and never fails otherwise", async () => {
  const path = image("damaged", (writer, top) => {
    const etc = directory();
    etc.entries.set("passwd", { node: writeFile(writer, Buffer.alloc(6000, "p")), layer: 0 });
    const link: Node = { kind: "symlink", target: "etc/passwd", attributes: plain, place: unplaced() };
    const xattrs = [{ name: "user.a", value: Buffer.from("b") }];
    top.entries.set("etc", { node: etc, layer: 0 });
    top.entries.set("link", { node: link, layer: 0 });
    top.entries.set("x", { node: writeFile(writer, Buffer.from("x"), { ...plain, xattrs }), layer: 0 });
  });
  const whole = readFileSync(path);
  const change = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 20 }), async (changes) => {
      const bytes = Buffer.from(whole);
      for (const [at, byte] of changes) bytes.writeUInt8(byte, at);
      writeFileSync(path, bytes);
      try {
        await reading(path, async (reader) => {
          for (const name of ["link", "etc/passwd", "x"]) {
            const inode = await reader.find(name);
            if (inode !== undefined) await reader.contents(inode, 10_000);
            if (inode !== undefined) await reader.xattrs(inode);
          }
        });
      } catch (error) {
        assert.ok(error instanceof ImageRefused, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test("contents() refuses a file larger than the caller will hold", async () => {
  const path = image(
    "large",
    (writer, top) => void top.entries.set("f", { node: writeFile(writer, Buffer.alloc(9000)), layer: 0 }),
  );
  await reading(path, async (reader) => {
    const inode = await reader.find("f");
    assert.ok(inode);
    await assert.rejects(reader.contents(inode, 8999), { code: "LimitExceeded" });
  });
});
