/** The commands as users run them: up, status, backup, down, restore, each a process of its own. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { clientPath } from "@atoll/processes/clients";

const main = join(import.meta.dirname, "..", "processes", "main.ts");
const folder = await mkdtemp(join(tmpdir(), "atoll-up-"));
const data = join(folder, "data");

interface Outcome {
  readonly code: number;
  readonly text: string;
}

function start(program: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 120_000 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), text: out + err }),
    );
  });
}

const atoll = (...args: string[]) => start(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args]);

async function kubectl(at: string, ...args: string[]): Promise<string> {
  const { code, text } = await start(await clientPath("kubectl"), [
    "--kubeconfig",
    join(at, "admin.kubeconfig"),
    ...args,
  ]);
  assert.equal(code, 0, text);
  return text.trim();
}

after(async () => {
  await atoll("down", "--data", data);
  await atoll("down", "--data", join(folder, "again"));
  await rm(folder, { recursive: true, force: true });
});

test("atoll up runs the system, status tells of it, and a second up is refused", async () => {
  const up = await atoll("up", "--data", data, "--api-port", "0", "--no-demo", "--background");
  assert.equal(up.code, 0, up.text);
  assert.match(up.text, /Atoll is up at https:\/\/127\.0\.0\.1:\d+/);
  const status = await atoll("status", "--data", data, "-o", "json");
  assert.equal(status.code, 0, status.text);
  assert.equal(JSON.parse(status.text).ready, true);
  const second = await atoll("up", "--data", data);
  assert.equal(second.code, 2);
  assert.match(second.text, /already up/);
});

test("the admin's kubeconfig is for its owner alone", async () => {
  assert.equal((await stat(join(data, "admin.kubeconfig"))).mode & 0o777, 0o600);
  assert.equal((await stat(data)).mode & 0o777, 0o700);
});

test("a Deployment gets its pods", async () => {
  await kubectl(data, "create", "deployment", "web", "--image=registry.example/web:1", "--replicas=2");
  await kubectl(data, "wait", "--for=jsonpath={.status.replicas}=2", "deployment/web", "--timeout=60s");
  assert.equal((await kubectl(data, "get", "pods", "-l", "app=web", "-o", "name")).split("\n").length, 2);
});

test("a backup taken while it runs comes back elsewhere with uids and revisions", async () => {
  await kubectl(data, "create", "configmap", "kept", "--from-literal=a=b");
  const seen = "jsonpath={.metadata.uid}/{.metadata.resourceVersion}";
  const before = await kubectl(data, "get", "configmap", "kept", "-o", seen);
  const file = join(folder, "backup.atoll");
  const backup = await atoll("backup", "--data", data, file);
  assert.equal(backup.code, 0, backup.text);
  assert.equal((await atoll("down", "--data", data)).code, 0);
  const again = join(folder, "again");
  const restore = await atoll("restore", file, "--data", again);
  assert.equal(restore.code, 0, restore.text);
  const up = await atoll("up", "--data", again, "--api-port", "0", "--no-demo", "--background");
  assert.equal(up.code, 0, up.text);
  assert.equal(await kubectl(again, "get", "configmap", "kept", "-o", seen), before);
});

test("wrong usage exits with 2 and says what to do", async () => {
  for (const args of [["nothing"], ["server"], ["server", "--data", folder, "--api-port", "x"], ["up", "--nothing"]]) {
    const { code, text } = await atoll(...args);
    assert.equal(code, 2, `${args.join(" ")}: ${text}`);
    assert.notEqual(text, "");
  }
});
