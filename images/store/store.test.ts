import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestOf } from "../digest.ts";
import { TestClock } from "../testing/clock.ts";
import { listing } from "../testing/conversion.ts";
import { admitImage, blobsOf, testImage } from "../testing/image.ts";
import { collect } from "./collect.ts";
import { parseConfig } from "./config.ts";
import { locked } from "./files.ts";
import { ImageStore } from "./store.ts";

const scratch = mkdtempSync(join(tmpdir(), "store-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
let count = 0;
const newStore = (clock = new TestClock()) => {
  count += 1;
  return ImageStore.open({ dir: join(scratch, `s${count}`), clock });
};
const image = (content: string, run = {}) =>
  testImage([[{ path: "shared", content: "base" }], [{ path: "own", content }]], run);
const pulled = (name: string) => ({ origin: "pulled" as const, names: [`r.io/${name}:v1`] });

test("an image is found by name, digest and id, and listed", async () => {
  const store = await newStore();
  const made = image("a", {
    Entrypoint: ["/e"],
    Cmd: ["c"],
    Env: ["A=b"],
    User: "me",
    WorkingDir: "/w",
    StopSignal: "SIGINT",
    Volumes: { "/v": {} },
    ExposedPorts: { "80/tcp": {} },
    Labels: { l: "1" },
  });
  const names = ["docker.io/library/a:v1", `docker.io/library/a@${made.digest}`];
  await admitImage(store, made, { origin: "pulled", names });
  for (const name of ["a:v1", `a@${made.digest}`, `a:other@${made.digest}`, made.digest, digestOf(made.config)]) {
    const found = await store.find(name);
    assert.deepEqual(found?.names, names, name);
  }
  for (const name of ["a", "b:v1", `b@${made.digest}`, digestOf("x")]) assert.equal(await store.find(name), undefined);
  const [only] = await store.list();
  assert.deepEqual(
    { ...only?.config, diffIds: [] },
    {
      ...{ os: "linux", architecture: "amd64", entrypoint: ["/e"], cmd: ["c"], env: ["A=b"], user: "me" },
      ...{
        workingDir: "/w",
        stopSignal: "SIGINT",
        volumes: ["/v"],
        exposedPorts: ["80/tcp"],
        labels: { l: "1" },
        diffIds: [],
      },
    },
  );
});

test("an EROFS image is read-only for all, its directory only its owner's", async () => {
  const store = await newStore();
  const found = await admitImage(store, image("a"), pulled("a"));
  assert.equal(statSync(found.erofsPath).mode & 0o777, 0o444);
  assert.equal(statSync(join(store.dir, "erofs")).mode & 0o777, 0o700);
});

test("a store opened again, or by somebody else meanwhile, has the same images", async () => {
  const store = await newStore();
  const found = await admitImage(store, image("a"), pulled("a"));
  const other = await ImageStore.open({ dir: store.dir });
  assert.deepEqual(await other.list(), [found]);
  await other.tag(found.manifest.digest, "b:v2");
  assert.equal((await store.find("b:v2"))?.manifest.digest, found.manifest.digest);
});

test("a name that moves leaves the old image without it", async () => {
  const store = await newStore();
  const [first, second] = [image("1"), image("2")];
  await admitImage(store, first, pulled("a"));
  await admitImage(store, second, pulled("a"));
  assert.equal((await store.find("r.io/a:v1"))?.manifest.digest, second.digest);
  assert.deepEqual((await store.get(first.digest))?.names, []);
});

test("removing the last name removes the image, but not an EROFS image that another one shares", async () => {
  const store = await newStore();
  const layers = [[{ path: "x", content: "x" }]];
  const one = await admitImage(store, testImage(layers, { Cmd: ["1"] }), pulled("one"));
  const two = await admitImage(store, testImage(layers, { Cmd: ["2"] }), pulled("two"));
  assert.equal(one.erofsPath, two.erofsPath);
  assert.equal(await store.remove("r.io/one:v1"), true);
  assert.equal(await store.remove("r.io/one:v1"), false);
  assert.ok(existsSync(two.erofsPath));
  await store.tag(two.manifest.digest, "r.io/more:v1");
  await store.remove("r.io/two:v1");
  assert.equal((await store.list()).length, 1);
  await store.remove("r.io/more:v1");
  assert.equal(existsSync(two.erofsPath), false);
  assert.deepEqual(await store.list(), []);
});

test("an image whose EROFS file is gone or cut is not there, and comes back when admitted again", async () => {
  const store = await newStore();
  const made = image("a");
  const found = await admitImage(store, made, pulled("a"));
  unlinkSync(found.erofsPath);
  assert.equal(await store.find("r.io/a:v1"), undefined);
  await admitImage(store, made, pulled("a"));
  assert.deepEqual((await listing(found.erofsPath))["own"], "file a");
});

test("a damaged document on the disk is noticed", async () => {
  const store = await newStore();
  const made = image("a");
  await admitImage(store, made, pulled("a"));
  writeFileSync(store.blobs.path(digestOf(made.config)), "damaged");
  await assert.rejects(store.blobs.read(digestOf(made.config), 1000), { code: "DigestMismatch" });
});

test("what a killed process left is cleared away or taken up, and every image that was told done is whole", async () => {
  const dir = join(scratch, "killed");
  const program = `
    import { ImageStore } from ${JSON.stringify(join(import.meta.dirname, "store.ts"))};
    import { admitImage, testImage } from ${JSON.stringify(join(import.meta.dirname, "../testing/image.ts"))};
    const store = await ImageStore.open({ dir: ${JSON.stringify(dir)} });
    for (let i = 0; ; i++) {
      const image = testImage([[{ path: "f", content: process.pid + " " + i + "x".repeat(200_000) }]]);
      await admitImage(store, image, { origin: "pulled", names: ["r.io/k:" + process.pid + "-" + i] });
      console.log("r.io/k:" + process.pid + "-" + i);
    }`;
  const told: string[] = [];
  for (const delayMs of [400, 650, 900]) {
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
    told.push(...output.split("\n").slice(0, -1));
  }
  const store = await ImageStore.open({ dir });
  assert.ok(told.length >= 3);
  for (const name of told)
    assert.match((await listing((await store.find(name))?.erofsPath ?? ""))["f"] ?? "", /^file \d+ \d+x/);
  assert.deepEqual(readdirSync(store.workDir), []);
  assert.deepEqual(
    readdirSync(join(dir, "partial")).filter((name) => name.includes(".")),
    [],
  );
});

test("locked() lets one in at a time and takes over from a dead one", async () => {
  const clock = new TestClock();
  const path = join(scratch, "lock");
  let inside = 0;
  const work = async () => {
    inside += 1;
    assert.equal(inside, 1);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
  };
  await Promise.all([locked(path, { clock }, work), locked(path, { clock }, work), locked(path, { clock }, work)]);
  writeFileSync(path, "999999999");
  await locked(path, { clock }, work);
  assert.equal(existsSync(path), false);
});

test("collection drops layers first, then images by last use, and keeps what runs, is young, or cannot be had again", async () => {
  const clock = new TestClock();
  const store = await newStore(clock);
  const names = ["old", "older", "running", "young"];
  const made = new Map(names.map((name) => [name, image(name.repeat(3000))]));
  for (const [name, one] of made) await admitImage(store, one, pulled(name));
  await admitImage(store, image("built"), { origin: "built", names: ["localhost/built:v1"] });
  const digest = (name: string) => made.get(name)?.digest ?? digestOf("");
  const minutesAgo = async (name: string, minutes: number) =>
    store.records.use(digest(name), clock.nowMs() - minutes * 60_000);
  await minutesAgo("older", 90);
  await minutesAgo("old", 60);
  await minutesAgo("running", 200);
  await minutesAgo("young", 1);
  const inUse = new Set([digest("running")]);
  let used = 80;
  const diskUse = async () => ({ totalBytes: 100, usedBytes: used });
  const idle = await collect(store, { inUse, diskUse });
  assert.deepEqual([idle.removed, idle.enough, (await store.list()).length], [[], true, 5]);

  used = 90;
  const layers = (name: string) => (made.get(name)?.layers ?? []).map(digestOf);
  const dropping = async () => ({
    totalBytes: 100,
    usedBytes: (await store.blobs.has(layers("old")[1] ?? digestOf(""))) ? 90 : 79,
  });
  assert.deepEqual((await collect(store, { inUse, diskUse: dropping })).removed, []);
  assert.equal(await store.blobs.has(layers("older")[1] ?? digestOf("")), false);
  assert.equal(await store.blobs.has(layers("running")[1] ?? digestOf("")), true);
  assert.equal(
    await store.blobs.has(layers("older")[0] ?? digestOf("")),
    true,
    "the built image needs the shared layer",
  );
  assert.equal((await store.list()).length, 5);

  const fuller = async () => ({ totalBytes: 100, usedBytes: (await store.list()).length > 4 ? 90 : 79 });
  assert.deepEqual((await collect(store, { inUse, diskUse: fuller })).removed, ["r.io/older:v1"]);

  const full = await collect(store, { inUse, diskUse });
  assert.deepEqual([full.removed, full.enough], [["r.io/old:v1"], false]);
  assert.deepEqual(
    (await store.list()).flatMap((one) => one.names),
    ["localhost/built:v1", "r.io/running:v1", "r.io/young:v1"],
  );
  const again = await collect(store, { inUse, diskUse });
  assert.deepEqual([again.removed, again.freedBytes], [[], 0], "a second run does nothing");
});

test("collection removes what nobody refers to once it is old, and images whose names have gone", async () => {
  const clock = new TestClock();
  const store = await newStore(clock);
  const [kept, gone] = [image("kept"), image("gone")];
  await admitImage(store, gone, pulled("a"));
  await admitImage(store, kept, pulled("a"));
  const orphan = await store.blobs.put(Buffer.from("orphan"));
  const young = await store.blobs.put(Buffer.from("young"));
  const hours = (count: number) => clock.nowMs() / 1000 - count * 3600;
  await store.records.use(gone.digest, clock.nowMs() - 600_000);
  await store.records.use(kept.digest, clock.nowMs() - 600_000);
  for (const bytes of [gone.manifest, ...blobsOf(gone)])
    utimesSync(store.blobs.path(digestOf(bytes)), hours(7), hours(7));
  utimesSync(store.blobs.path(orphan), hours(7), hours(7));
  utimesSync(store.blobs.path(young), hours(5), hours(5));
  const diskUse = async () => ({ totalBytes: 100, usedBytes: 10 });
  const linked = (await store.get(gone.digest))?.erofsPath ?? "";
  linkSync(linked, join(scratch, "machine"));
  const { freedBytes } = await collect(store, { inUse: new Set(), diskUse });
  assert.ok(freedBytes > 0);
  assert.deepEqual(
    (await store.list()).map(({ manifest }) => manifest.digest),
    [kept.digest],
  );
  assert.deepEqual([await store.blobs.has(orphan), await store.blobs.has(young)], [false, true]);
  assert.equal(await store.blobs.has(digestOf(kept.config)), true);
  assert.equal((await listing(join(scratch, "machine")))["own"], "file gone", "a machine's hard link goes on");
});

test("parseConfig() takes odd configs and refuses those that do not fit their layers", () => {
  const parse = (value: unknown, layers = 0) => parseConfig(Buffer.from(JSON.stringify(value)), layers);
  assert.deepEqual(
    parse({ config: { Env: "x", Cmd: [1, "a"], Volumes: null, Labels: { a: 1, b: "2" } }, rootfs: null }).cmd,
    ["a"],
  );
  assert.throws(() => parse({ rootfs: { diff_ids: ["sha256:1"] } }, 1), { code: "Malformed" });
  assert.throws(() => parse({}, 1), { code: "Malformed" });
  assert.throws(() => parse([]), { code: "Malformed" });
});
