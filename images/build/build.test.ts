import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { parseReference } from "../registry/reference.ts";
import { ImageStore } from "../store/store.ts";
import { listing } from "../testing/conversion.ts";
import { admitImage, testImage } from "../testing/image.ts";
import { testToolsMissing } from "../testing/registry.ts";
import { resolveUser } from "../users.ts";
import { debianBaseOf, debianMirrors } from "./base.ts";
import { buildImage } from "./build.ts";

const scratch = mkdtempSync(join(tmpdir(), "build-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
let count = 0;

function context(containerfile: string, files: Record<string, string> = {}): string {
  count += 1;
  const dir = join(scratch, `context${count}`);
  mkdirSync(dir);
  writeFileSync(join(dir, "Containerfile"), containerfile);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

test("debianBaseOf() knows Debian's releases and nothing else", () => {
  const of = (name: string) => debianBaseOf(parseReference(name));
  assert.deepEqual(of("debian:bookworm"), { suite: "bookworm", slim: false });
  assert.deepEqual(of("docker.io/library/debian:trixie-slim"), { suite: "trixie", slim: true });
  assert.deepEqual(of("debian:12-slim"), { suite: "bookworm", slim: true });
  assert.deepEqual(of("debian"), { suite: "stable", slim: false });
  const digest = `sha256:${"a".repeat(64)}`;
  for (const name of [
    "debian:none",
    "debian:constructor",
    "ubuntu:22.04",
    "r.io/debian:bookworm",
    "me/debian:bookworm",
    `debian@${digest}`,
  ]) {
    assert.equal(of(name), undefined, name);
  }
});

const isRoot = process.getuid?.() === 0;
const missing = isRoot ? testToolsMissing(["buildah", "mmdebstrap"]) : "building needs root";

describe("buildah", missing === false ? {} : { skip: missing }, () => {
  const open = () => ImageStore.open({ dir: join(scratch, "store") });

  test("builds from scratch and from an image of the store, and leaves nothing mounted", async () => {
    const store = await open();
    const base = testImage(
      [
        [
          { path: "base/file", content: "base" },
          { path: "gone", content: "x" },
        ],
      ],
      { Env: ["BASE=1"] },
    );
    await admitImage(store, base, { origin: "imported", names: ["localhost/base:v1"] });
    const dir = context('ARG FROM=none\nFROM $FROM\nCOPY hello /hello\nUSER 5:6\nCMD ["/hello"]\n', { hello: "hi" });
    const built = await buildImage(dir, "demo:v1", { store, buildArgs: { FROM: "localhost/base:v1" } });
    assert.deepEqual(built.names, ["docker.io/library/demo:v1"]);
    assert.deepEqual([built.config.cmd, built.config.user, built.config.env[0]], [["/hello"], "5:6", "BASE=1"]);
    assert.deepEqual(await listing(built.erofsPath), {
      base: "directory",
      "base/file": "file base",
      gone: "file x",
      hello: "file hi",
    });
    const onTop = context("FROM demo:v1 AS a\nFROM scratch\nCOPY --from=a /hello /again\n");
    const second = await buildImage(onTop, "demo:v2", { store, compress: true });
    assert.deepEqual(await listing(second.erofsPath), { again: "file hi" });
    assert.match(second.layers[0]?.mediaType ?? "", /gzip/);
    assert.ok(!readFileSync("/proc/self/mounts", "utf8").includes(scratch));
  });

  test("gives equal images for equal inputs when given a time", async () => {
    const store = await open();
    const dir = context("FROM scratch\nCOPY x /x\n", { x: "same" });
    const first = await buildImage(dir, "same:v1", { store, timestampS: 0 });
    const second = await buildImage(dir, "same:v2", { store, timestampS: 0 });
    assert.equal(first.erofsPath, second.erofsPath);
  });

  test("says what went wrong", async () => {
    const store = await open();
    const failed = { name: "ImageBuildFailed" };
    await assert.rejects(
      buildImage(context("FROM scratch\nCOPY none /x\n"), "x:v1", { store }),
      (error: { name: string; output: string }) => {
        assert.equal(error.name, "ImageBuildFailed");
        assert.match(error.output, /none/);
        return true;
      },
    );
    await assert.rejects(buildImage(context("FROM r.io/unknown:v1\n"), "x:v1", { store }), {
      ...failed,
      message: /not in the image store/,
    });
    await assert.rejects(buildImage(scratch, "x:v1", { store }), { ...failed, message: /Containerfile/ });
    await assert.rejects(buildImage(context("FROM scratch\n"), "Not A Name", { store }), { fault: "InvalidName" });
    assert.equal(await store.find("x:v1"), undefined);
  });

  test("takes over the layers of instructions that are the same, on the same, and copy the same", async () => {
    const store = await open();
    const busybox = readFileSync("/bin/busybox");
    const dir = context("", { one: "1", two: "2" });
    writeFileSync(join(dir, "busybox"), busybox, { mode: 0o755 });
    const write = (...lines: string[]) =>
      writeFileSync(
        join(dir, "Containerfile"),
        [
          "FROM scratch",
          "COPY busybox /bin/busybox",
          ...lines.map((line) => `RUN ["/bin/busybox", "sh", "-c", "${line}"]`),
        ].join("\n"),
      );
    const build = async () => {
      let output = "";
      const onOutput = (text: string) => void (output += text);
      await buildImage(dir, "cached:v1", { store, cache: true, onOutput }).catch((error: Error) => {
        output += error.message;
      });
      const steps = output.matchAll(/: RUN .*echo ran (\w+).*\n(--> Using cache)?/g);
      return [...steps].flatMap(([, word, cached]) => (cached === undefined ? [word] : [])).join(" ");
    };
    write("echo ran first", "echo ran second", "echo ran third");
    assert.equal(await build(), "first second third");
    assert.equal(await build(), "");
    write("echo ran first", "echo ran another", "echo ran third");
    assert.equal(await build(), "another third");
    // What a failed build had done is done.
    write("echo ran first", "echo ran fourth", "exit 3");
    assert.equal(await build(), "fourth");
    write("echo ran first", "echo ran fourth", "echo ran fifth");
    assert.equal(await build(), "fifth");
    writeFileSync(join(dir, "busybox"), Buffer.concat([busybox, Buffer.from([0])]), { mode: 0o755 });
    assert.equal(await build(), "first fourth fifth");
    assert.ok(await store.find("cached:v1"));
  });

  test("names the line, the command's exit code and its last words", async () => {
    const store = await open();
    // buildah 1.28 loses now and then what a command prints right before its end.
    const text = [
      "# A comment",
      "FROM scratch AS tools",
      "COPY \\",
      "  busybox /bin/busybox",
      "FROM tools",
      'RUN ["/bin/busybox", "sh", "-c", "echo first; echo last words; /bin/busybox sleep 1; exit 7"]',
    ];
    const dir = context(text.join("\n"));
    writeFileSync(join(dir, "busybox"), readFileSync("/bin/busybox"), { mode: 0o755 });
    await assert.rejects(buildImage(dir, "x:v1", { store, cache: true }), {
      code: 7,
      message: /^Containerfile, line 6: RUN .*: the command's exit code is 7; it printed last:\nfirst\nlast words$/,
    });
    await assert.rejects(buildImage(context("FROM scratch\n\nCOPY none /x\n"), "x:v1", { store }), {
      message: /^Containerfile, line 3: COPY none \/x: .*no such file/,
    });
  });

  test("stops when told to", async () => {
    const store = await open();
    const stop = new AbortController();
    const dir = context("FROM scratch\nCOPY x /x\n", { x: "x" });
    const onOutput = () => stop.abort(new Error("enough"));
    await assert.rejects(buildImage(dir, "stopped:v1", { store, onOutput, signal: stop.signal }), /enough/);
    assert.equal(await store.find("stopped:v1"), undefined);
  });

  test("builds FROM debian:bookworm-slim without any registry, from the host's mirrors", async (t) => {
    const { main } = await debianMirrors();
    const reached = spawnSync("/usr/lib/apt/apt-helper", [
      "download-file",
      `${main}/dists/bookworm/InRelease`,
      join(scratch, "InRelease"),
    ]);
    if (reached.status !== 0) return t.skip(`no Debian mirror can be reached at ${main}`);
    const store = await open();
    const dir = context(
      "FROM debian:bookworm-slim\nRUN useradd --uid 1234 app && grep -q bookworm /etc/os-release && apt-get --version\nUSER app\n",
    );
    const built = await buildImage(dir, "localhost/app:v1", { store });
    const user = await store.reading(built, (reader) => resolveUser(reader, built.config.user));
    assert.equal(user.uid, 1234);
    assert.ok(await store.find("debian:bookworm-slim"), "the base is kept for the next build");
    const at = join(scratch, "mnt");
    mkdirSync(at);
    execFileSync("mount", ["-t", "erofs", "-o", "loop,ro", built.erofsPath, at]);
    try {
      assert.match(
        execFileSync("chroot", [at, "/bin/sh", "-c", "id app; dpkg-query -W apt"], { encoding: "utf8" }),
        /uid=1234[^]*apt/,
      );
    } finally {
      execFileSync("umount", [at]);
    }
  });
});
