import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { examine, type Finding } from "./examine.ts";

const root = join(import.meta.dirname, "..", "..");

/** A server of its own, until the test ends. @returns its data directory */
async function serve(t: TestContext, ...flags: readonly string[]): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), "atoll-cis-"));
  const main = join(root, "processes", "main.ts");
  const args = [main, "server", "--data", data, "--api-port", "0", ...flags];
  const server: ChildProcess = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(async () => {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await ended;
    await rm(data, { recursive: true, force: true });
  });
  await new Promise<void>((resolve, reject) => {
    server.stdout?.on("data", (text: Buffer) => {
      if (text.includes("ready")) resolve();
    });
    server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return data;
}

function wrongOf(findings: readonly Finding[]): readonly string[] {
  return findings.flatMap(({ ids, wrong }) => (wrong === undefined ? [] : [`${ids.join(" ")}: ${wrong}`]));
}

test("a server with encryption and the plugins that are not usual passes every item that a program can check", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "atoll-cis-keys-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "encryption.yaml");
  const key = { name: "k1", secret: randomBytes(32).toString("base64") };
  const resources = [{ resources: ["secrets"], providers: [{ aesgcm: { keys: [key] } }, { identity: {} }] }];
  const body = { apiVersion: "apiserver.config.k8s.io/v1", kind: "EncryptionConfiguration", resources };
  await writeFile(file, JSON.stringify(body), { mode: 0o600 });
  const plugins = "DenyServiceExternalIPs,AlwaysPullImages";
  const data = await serve(t, "--encryption-config", file, "--enable-admission-plugins", plugins);
  assert.deepEqual(wrongOf(await examine(data)), []);
  // The checks see what is wrong, too.
  await chmod(join(data, "pki", "ca.key"), 0o644);
  const [wrong, ...more] = wrongOf(await examine(data));
  assert.match(wrong ?? "", /^1\.1\.19 1\.1\.20 1\.1\.21: .*ca\.key has mode 644$/);
  assert.deepEqual(more, []);
});

test("a server without flags fails the items about them alone", async (t) => {
  const findings = wrongOf(await examine(await serve(t)));
  assert.deepEqual(findings, [
    "1.2.3: one does: give --enable-admission-plugins DenyServiceExternalIPs",
    "1.2.11: they need not be: give --enable-admission-plugins AlwaysPullImages",
    "1.2.27 1.2.28: one can be read in the store: give --encryption-config",
  ]);
});
