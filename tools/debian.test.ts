import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { DebianFetchFailed, fetchDebian } from "./debian.ts";

test("fetchDebian() unpacks packages of another release beside the host's, once", async (t) => {
  const cache = fs.mkdtempSync(path.join(os.tmpdir(), "atoll-debian-"));
  t.after(() => fs.rmSync(cache, { recursive: true }));
  const request = { suite: "trixie", packages: ["hello"], cache };
  const hostLists = fs.statSync("/var/lib/apt/lists").mtimeMs;
  const [one, other] = await Promise.all([fetchDebian(request), fetchDebian(request)]);
  assert.equal(one, other);
  // It may be linked against a newer libc than the host's, so it is not run.
  assert.equal(fs.statSync(path.join(one, "usr/bin/hello")).mode & 0o111, 0o111);
  assert.equal(fs.statSync("/var/lib/apt/lists").mtimeMs, hostLists);
  assert.deepEqual(fs.readdirSync(path.dirname(one)), [path.basename(one)]);
  const before = fs.statSync(one).ctimeMs;
  assert.equal(await fetchDebian(request), one);
  assert.equal(fs.statSync(one).ctimeMs, before);
});

test("fetchDebian() says what apt said about a package that is not there, and leaves nothing", async (t) => {
  const cache = fs.mkdtempSync(path.join(os.tmpdir(), "atoll-debian-"));
  t.after(() => fs.rmSync(cache, { recursive: true }));
  const failed = fetchDebian({ suite: "trixie", packages: ["atoll-has-no-such-package"], cache });
  await assert.rejects(failed, (error) => {
    assert.ok(error instanceof DebianFetchFailed);
    assert.match(error.message, /Unable to locate package/);
    return true;
  });
  assert.deepEqual(fs.readdirSync(path.join(cache, "debian", "trixie")), []);
});
