import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { eventually } from "@atoll/harness/client";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { openSqlite } from "@atoll/storage/sqlite";
import { Followed } from "../configuration/followed.ts";
import { readEncryption } from "./configuration.ts";
import { EncryptedStore } from "./store.ts";
import { aescbc, aesgcm, identity, Undecryptable } from "./transform.ts";

const key = (name: string) => ({ name, secret: randomBytes(32).toString("base64") });

function file(providers: readonly object[], resources: readonly string[] = ["secrets"]): string {
  const kind = { apiVersion: "apiserver.config.k8s.io/v1", kind: "EncryptionConfiguration" };
  return JSON.stringify({ ...kind, resources: [{ resources, providers }] });
}

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "atoll-encryption-"));
  const path = join(folder, "encryption.json");
  const data = await mkdtemp(join(tmpdir(), "atoll-encrypted-"));
  t.after(async () => {
    await rm(folder, { recursive: true });
    await rm(data, { recursive: true });
  });
  const write = async (text: string) => await writeFile(path, text, { mode: 0o600 });
  const log = { info: () => {}, error: () => {}, warn: () => {} };
  const follow = async () =>
    await Followed.open({ path, parse: readEncryption, clock: systemClock, log, secret: true, everyMs: 20 });
  const start = async () => {
    const followed = await follow();
    const inner = await openSqlite({ file: join(data, "store.db"), clock: systemClock, log });
    const harness = await startHarness({ store: new EncryptedStore(inner, followed) });
    const close = async () => {
      followed.close();
      await harness.close();
    };
    return { harness, close, followed };
  };
  /** All that is on disk. */
  const bytes = async () => {
    const names = await readdir(data);
    return Buffer.concat(await Promise.all(names.map((name) => readFile(join(data, name))))).toString("latin1");
  };
  return { path, write, follow, start, bytes };
}

const secretsPath = "/api/v1/namespaces/default/secrets";

function secret(name: string, word: string): object {
  return { apiVersion: "v1", kind: "Secret", metadata: { name }, stringData: { word } };
}

const base64 = (word: string) => Buffer.from(word).toString("base64");

test("a secret's bytes are never on disk, others are, and both come back", async (t) => {
  const { write, start, bytes } = await setUp(t);
  await write(file([{ aesgcm: { keys: [key("one")] } }, { identity: {} }]));
  const word = "correct-horse-battery-staple";
  const first = await start();
  assert.equal((await first.harness.send("POST", secretsPath, { body: secret("s", word) })).status, 201);
  const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m" }, data: { word: "plain-as-day" } };
  await first.harness.send("POST", "/api/v1/namespaces/default/configmaps", { body: map });
  const patch = { body: { metadata: { labels: { a: "b" } } }, contentType: "application/merge-patch+json" };
  assert.equal((await first.harness.send("PATCH", `${secretsPath}/s`, patch)).status, 200);
  await first.close();
  const disk = await bytes();
  assert.ok(!disk.includes(word) && !disk.includes(base64(word)));
  assert.ok(disk.includes("plain-as-day"));
  assert.ok(disk.includes("k8s:enc:aesgcm:v1:one:"));
  const second = await start();
  const { json } = await second.harness.send("GET", `${secretsPath}/s`);
  assert.deepEqual(json?.["data"], { word: base64(word) });
  assert.deepEqual((json?.["metadata"] as { labels?: object } | undefined)?.labels, { a: "b" });
  await second.close();
});

test("a new key is written by any update once it is first, and the old one can go after that", async (t) => {
  const { write, start } = await setUp(t);
  const [one, two] = [key("one"), key("two")];
  await write(file([{ identity: {} }]));
  const { harness, close, followed } = await start();
  t.after(close);
  await harness.send("POST", secretsPath, { body: secret("s", "x") });
  const replace = async () => {
    const { json } = await harness.send("GET", `${secretsPath}/s`);
    const answer = await harness.send("PUT", `${secretsPath}/s`, { body: json });
    assert.equal(answer.status, 200);
    return (answer.json?.["metadata"] as { resourceVersion?: string } | undefined)?.resourceVersion;
  };
  const before = await replace();
  assert.equal(await replace(), before, "nothing changes, so nothing is written");
  const turn = async (providers: readonly object[]) => {
    const last = followed.current;
    await write(file(providers));
    await eventually("the file is read", () => followed.current !== last);
  };
  await turn([{ aesgcm: { keys: [one] } }, { identity: {} }]);
  const encrypted = await replace();
  assert.notEqual(encrypted, before, "written again under the new key");
  assert.equal(await replace(), encrypted);
  await turn([{ aesgcm: { keys: [two, one] } }]);
  assert.notEqual(await replace(), encrypted);
  await turn([{ aesgcm: { keys: [two] } }]);
  assert.deepEqual((await harness.send("GET", `${secretsPath}/s`)).json?.["data"], { word: base64("x") });
});

test("without its key a secret is not served, and other resources are", async (t) => {
  const { write, start } = await setUp(t);
  await write(file([{ aesgcm: { keys: [key("one")] } }]));
  const first = await start();
  await first.harness.send("POST", secretsPath, { body: secret("s", "x") });
  await first.close();
  await write(file([{ aesgcm: { keys: [key("two")] } }, { identity: {} }]));
  const second = await start();
  t.after(second.close);
  assert.ok((await second.harness.send("GET", secretsPath)).status >= 500);
  assert.equal((await second.harness.send("GET", "/api/v1/namespaces/default/configmaps")).status, 200);
});

test("a file of keys that others may read is refused", async (t) => {
  const { path, write, follow } = await setUp(t);
  await write(file([{ identity: {} }]));
  await chmod(path, 0o644);
  await assert.rejects(follow, /mode must be 0600/);
});

test("a sealed value opens for its own key of the store alone, and not when it was changed", () => {
  const transform = aesgcm({ name: "k", secret: randomBytes(32) });
  const value = Buffer.from('{"a":1}');
  const sealed = transform.seal(value, "/registry/core/secrets/a/b");
  assert.deepEqual(transform.open(sealed, "/registry/core/secrets/a/b"), value);
  assert.throws(() => transform.open(sealed, "/registry/core/secrets/a/c"), Undecryptable);
  for (let i = transform.prefix.length; i < sealed.length; i++) {
    const changed = Buffer.from(sealed);
    changed[i] = (changed[i] ?? 0) ^ 1;
    assert.throws(() => transform.open(changed, "/registry/core/secrets/a/b"), Undecryptable);
  }
  assert.notDeepEqual(transform.seal(value, "k"), transform.seal(value, "k"), "a nonce each time");
  const cbc = aescbc({ name: "k", secret: randomBytes(16) });
  assert.deepEqual(cbc.open(cbc.seal(value, "k"), "k"), value);
  assert.throws(() => identity.open(sealed, "k"), Undecryptable);
});

const refused: Readonly<Record<string, [string, RegExp]>> = {
  "a short key": [
    file([{ aesgcm: { keys: [{ name: "a", secret: "c2hvcnQ=" }] } }]),
    /secret: Invalid value: "REDACTED"/,
  ],
  "two kinds in one provider": [file([{ identity: {}, aesgcm: { keys: [key("a")] } }]), /exactly one of/],
  "a kind that is not there": [file([{ kms: { name: "x" } }]), /Unsupported value: "kms"/],
  "two keys of one name": [file([{ aesgcm: { keys: [key("a"), key("a")] } }]), /Duplicate value/],
  "a bare wildcard": [file([{ identity: {} }], ["*"]), /use '\*\.'/],
  "no provider": [file([]), /at least one provider/],
};

for (const [what, [text, why]] of Object.entries(refused)) {
  test(`a file with ${what} is refused`, () => assert.throws(() => readEncryption(text), why));
}

test("the first rule that speaks of a resource counts, wildcards too", async (t) => {
  const { write, follow } = await setUp(t);
  const kind = { apiVersion: "apiserver.config.k8s.io/v1", kind: "EncryptionConfiguration" };
  const rules = [
    { resources: ["configmaps", "*.apps"], providers: [{ identity: {} }] },
    { resources: ["*."], providers: [{ aesgcm: { keys: [key("core")] } }] },
    { resources: ["*.*"], providers: [{ aesgcm: { keys: [key("rest")] } }] },
  ];
  await write(JSON.stringify({ ...kind, resources: rules }));
  const { openMemory } = await import("@atoll/storage/memory");
  const inner = openMemory();
  const followed = await follow();
  t.after(() => followed.close());
  const store = new EncryptedStore(inner, followed);
  const formOf = async (place: string) => {
    await store.create(place, Buffer.from("{}"));
    const raw = (await inner.get(place))?.value.toString("latin1") ?? "";
    return /^k8s:enc:aesgcm:v1:(\w+):/.exec(raw)?.[1] ?? raw;
  };
  assert.equal(await formOf("/registry/core/configmaps/a/b"), "{}");
  assert.equal(await formOf("/registry/apps/deployments/a/b"), "{}");
  assert.equal(await formOf("/registry/core/secrets/a/b"), "core");
  assert.equal(await formOf("/registry/example.com/widgets/a/b"), "rest");
});
