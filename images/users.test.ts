import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ErofsReader } from "./erofs/reader.ts";
import { convertLayers } from "./testing/conversion.ts";
import { type TarPart, tarball } from "./testing/tarball.ts";
import { resolveUser } from "./users.ts";

const scratch = mkdtempSync(join(tmpdir(), "users-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const passwd =
  "root:x:0:0:root:/root:/bin/sh\n# no line\nbroken\napp:x:1000:1001::/home/app:\n4242:x:7:8::/odd:\nhuge:x:99999999999:1::/:\n";
const group = "root:x:0:\napp:x:1001:\nwheel:x:10:app,other\nmail:x:8:other\ndisk:x:6:x,app\n";
const files: TarPart[] = [
  { path: "etc/passwd", content: passwd },
  { path: "usr/group", content: group },
  { path: "etc/group", type: "2", link: "../../../usr/group" },
];

async function resolved(parts: readonly TarPart[], user: string) {
  const image = join(scratch, "image");
  await convertLayers(image, [{ blob: tarball(parts) }]);
  const file = await open(image, "r");
  try {
    return await resolveUser(await ErofsReader.open(file), user);
  } finally {
    await file.close();
  }
}

let reader: ErofsReader;
let close = async () => {};
before(async () => {
  const image = join(scratch, "shared");
  await convertLayers(image, [{ blob: tarball(files) }]);
  const file = await open(image, "r");
  close = () => file.close();
  reader = await ErofsReader.open(file);
});
after(() => close());

test("resolveUser() reads names and numbers of the image's own files", async () => {
  const root = { uid: 0, gid: 0, additionalGids: [], home: "/root", name: "root" };
  const app = { uid: 1000, gid: 1001, additionalGids: [10, 6], home: "/home/app", name: "app" };
  const cases: Record<string, object> = {
    "": root,
    root,
    "0": root,
    app,
    "1000": app,
    "app:": app,
    "app:wheel": { ...app, gid: 10, additionalGids: [] },
    "app:55": { ...app, gid: 55, additionalGids: [] },
    "5000": { uid: 5000, gid: 0, additionalGids: [], home: "/", name: "" },
    "5000:6000": { uid: 5000, gid: 6000, additionalGids: [], home: "/", name: "" },
    "4242": { uid: 7, gid: 8, additionalGids: [], home: "/odd", name: "4242" },
  };
  for (const [user, want] of Object.entries(cases)) assert.deepEqual(await resolveUser(reader, user), want, user);
});

test("resolveUser() refuses names the image does not have", async () => {
  for (const user of ["nobody", "huge", "-1", "99999999999", "app:none", ":none"]) {
    await assert.rejects(resolveUser(reader, user), { name: "ImageRefused", code: "Unsupported" }, user);
  }
});

test("resolveUser() of an image without files knows numbers only", async () => {
  assert.equal((await resolved([], "")).uid, 0);
  assert.equal((await resolved([], "12:13")).gid, 13);
  await assert.rejects(resolved([], "app"), { code: "Unsupported" });
});

test("resolveUser() does not read a file of any size or kind", async () => {
  await assert.rejects(resolved([{ path: "etc/passwd", content: Buffer.alloc(9 << 20, "\n") }], "0"), {
    code: "LimitExceeded",
  });
  assert.equal((await resolved([{ path: "etc/passwd", type: "6" }], "0")).uid, 0);
  assert.equal((await resolved([{ path: "etc/passwd", type: "2", link: "passwd" }], "0")).uid, 0);
});
