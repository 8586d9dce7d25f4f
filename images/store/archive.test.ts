import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { digestOf } from "../digest.ts";
import { defaultLimits } from "../limits.ts";
import { ociIndex, ociManifest } from "../registry/manifest.ts";
import { listing } from "../testing/conversion.ts";
import { blobsOf, testImage, writeLayout } from "../testing/image.ts";
import { testToolsMissing } from "../testing/registry.ts";
import { type TarPart, tarball } from "../testing/tarball.ts";
import { importArchive } from "./archive.ts";
import { exportLayout } from "./layout.ts";
import { ImageStore } from "./store.ts";

const scratch = mkdtempSync(join(tmpdir(), "archive-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const platform = { os: "linux", architecture: "amd64" };
const missing = testToolsMissing(["skopeo"]);
const withSkopeo = missing === false ? {} : { skip: missing };
const image = testImage([[{ path: "a", content: "1" }], [{ path: "b", content: "2" }, { path: ".wh.a" }]], {
  Cmd: ["/b"],
});
let count = 0;

function newStore(limits = defaultLimits): Promise<ImageStore> {
  count += 1;
  return ImageStore.open({ dir: join(scratch, `s${count}`), limits });
}

function archive(parts: readonly TarPart[], pack: (tar: Buffer) => Buffer = (tar) => tar): string {
  const path = join(scratch, "archive.tar");
  writeFileSync(path, pack(tarball(parts)));
  return path;
}

function blobPart(bytes: Buffer, digest = digestOf(bytes)): TarPart {
  return { path: `blobs/sha256/${digest.slice(7)}`, content: bytes };
}

const descriptor = { mediaType: ociManifest, digest: image.digest, size: image.manifest.length };
const index = (...manifests: object[]): TarPart => ({
  path: "index.json",
  content: JSON.stringify({ schemaVersion: 2, manifests }),
});
const layoutParts: TarPart[] = [
  index(descriptor),
  blobPart(image.manifest),
  ...blobsOf(image).map((bytes) => blobPart(bytes)),
];

test("archives that skopeo writes are imported, whatever their form and packing", withSkopeo, async () => {
  const layout = join(scratch, "layout");
  writeLayout(layout, image);
  for (const [kind, name] of [
    ["oci-archive", "localhost/x:v1"],
    ["docker-archive", "docker.io/library/x:v1"],
  ]) {
    const plain = join(scratch, `${kind}.tar`);
    execFileSync("skopeo", ["--insecure-policy", "copy", `oci:${layout}`, `${kind}:${plain}:${name}`], {
      stdio: "pipe",
    });
    writeFileSync(`${plain}.gz`, gzipSync(readFileSync(plain)));
    writeFileSync(`${plain}.zst`, zstdCompressSync(readFileSync(plain)));
    for (const path of [plain, `${plain}.gz`, `${plain}.zst`]) {
      const store = await newStore();
      const [found] = await importArchive(store, path, { platform });
      assert.deepEqual(found?.names, [name]);
      assert.deepEqual([found?.origin, found?.config.cmd], ["imported", ["/b"]]);
      assert.deepEqual(await listing(found?.erofsPath ?? ""), { b: "file 2" });
    }
  }
});

test("a name given replaces the archive's own", async () => {
  const store = await newStore();
  const [found] = await importArchive(store, archive(layoutParts), { platform, name: "mine" });
  assert.deepEqual(found?.names, ["docker.io/library/mine:latest"]);
});

test("an index inside a layout leads to this platform's image", async () => {
  const entry = (os: string, architecture: string) => ({ ...descriptor, platform: { os, architecture } });
  const windows = { ...entry("windows", "amd64"), digest: digestOf("none") };
  const inner = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [windows, entry("linux", "amd64")] }),
  );
  const outer = index({ mediaType: ociIndex, digest: digestOf(inner), size: inner.length });
  const [found] = await importArchive(await newStore(), archive([outer, blobPart(inner), ...layoutParts.slice(1)]), {
    platform,
  });
  assert.equal(found?.manifest.digest, image.digest);
});

test("equal layers that old archives write as links are found", async () => {
  const tar = tarball([{ path: "f", content: "x" }]);
  const config = JSON.stringify({ rootfs: { diff_ids: [digestOf(tar), digestOf(tar)] } });
  const parts: TarPart[] = [
    { path: "one/layer.tar", content: tar },
    { path: "two/layer.tar", type: "2", link: "../one/layer.tar" },
    { path: "config.json", content: config },
    {
      path: "manifest.json",
      content: JSON.stringify([
        { Config: "config.json", RepoTags: ["x:1"], Layers: ["one/layer.tar", "two/layer.tar"] },
      ]),
    },
  ];
  const [found] = await importArchive(await newStore(), archive(parts), { platform });
  assert.deepEqual(found?.names, ["docker.io/library/x:1"]);
});

const other = Buffer.from("other bytes");
const saved = (item: object): TarPart => ({ path: "manifest.json", content: JSON.stringify([item]) });
const evil: [string, readonly TarPart[], string][] = [
  ["nothing", [], "Malformed"],
  ["an empty index", [index()], "Unsupported"],
  [
    "a blob of other bytes",
    [...layoutParts.slice(0, -1), blobPart(other, digestOf(image.layers[1] ?? other))],
    "DigestMismatch",
  ],
  [
    "a manifest of other bytes",
    [index(descriptor), blobPart(other, image.digest), ...layoutParts.slice(2)],
    "DigestMismatch",
  ],
  ["a missing layer", layoutParts.slice(0, -1), "Malformed"],
  [
    "an index that is an image",
    [{ path: "index.json", content: image.manifest }, ...layoutParts.slice(1)],
    "Malformed",
  ],
  ["an index of 5 MiB", [{ path: "index.json", content: Buffer.alloc(5 << 20, " ") }], "LimitExceeded"],
  ["an index that is no JSON", [{ path: "index.json", content: "{" }], "Malformed"],
  ["a config outside the archive", [saved({ Config: "/etc/passwd", Layers: [] })], "Malformed"],
  ["a config above the archive", [saved({ Config: "../../../../etc/passwd", Layers: [] })], "Malformed"],
  [
    "a config that is a link out",
    [{ path: "c", type: "2", link: "/etc/passwd" }, saved({ Config: "c", Layers: [] })],
    "Malformed",
  ],
  [
    "a link that leads to itself",
    [{ path: "c", type: "2", link: "c" }, saved({ Config: "c", Layers: [] })],
    "Malformed",
  ],
  ["no config", [saved({ Layers: [] })], "Malformed"],
  ["a null for an image", [{ path: "manifest.json", content: "[null]" }], "Malformed"],
  ["a list that closes early", [{ path: "manifest.json", content: "[]},{" }], "Malformed"],
  ["too many entries", Array.from({ length: 10_001 }, (_, i) => ({ path: `f${i}` })), "LimitExceeded"],
  [
    "a sparse file",
    [{ path: "index.json", type: "S", patch: (header) => void header.write("00000000001\0", 483) }],
    "Unsupported",
  ],
];

for (const [name, parts, code] of evil) {
  test(`an archive with ${name} is refused and leaves nothing`, async () => {
    const store = await newStore();
    await assert.rejects(importArchive(store, archive(parts), { platform }), { name: "ImageRefused", code });
    assert.deepEqual(
      [await store.list(), readdirSync(store.workDir), readdirSync(join(store.dir, "partial"))],
      [[], [], []],
    );
  });
}

test("a packed archive that grows too large is cut off", async () => {
  const store = await newStore({ ...defaultLimits, ratioFreeBytes: 1 << 20, ratio: 20 });
  const path = archive([{ path: "zeros", content: Buffer.alloc(64 << 20) }], (tar) => gzipSync(tar));
  await assert.rejects(importArchive(store, path, { platform }), { code: "LimitExceeded" });
  assert.deepEqual(readdirSync(store.workDir), []);
});

test("what exportLayout() writes, skopeo reads", withSkopeo, async () => {
  const store = await newStore();
  const [found] = await importArchive(store, archive(layoutParts), { platform, name: "x" });
  assert.ok(found);
  const layout = join(scratch, "exported");
  await exportLayout(store, found, layout);
  const read = execFileSync("skopeo", ["inspect", "--raw", `oci:${layout}`]);
  assert.equal(digestOf(read), image.digest);
  await store.blobs.remove(digestOf(image.layers[0] ?? other));
  await assert.rejects(exportLayout(store, found, join(scratch, "again")), { code: "Unsupported" });
});
