/** The API server on an etcd that takes nobody without a certificate. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { Namespace } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { atollArguments, runAtoll } from "@atoll/harness/commands";
import { systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { issue, newAuthority } from "@atoll/server/pki/authority";
import { fetchDebian } from "@atoll/tools/debian";

const folder = await mkdtemp(join(tmpdir(), "atoll-etcdtls-"));
const file = (name: string) => join(folder, name);
const data = file("data");
let etcd: ChildProcess;
let store: readonly string[];

before(async () => {
  const nowMs = systemClock.nowMs();
  const authority = await newAuthority("etcd-ca", nowMs);
  const names = ["127.0.0.1"];
  const server = await issue(authority, { commonName: "etcd", usage: "server", names, days: 1 }, nowMs);
  const client = await issue(authority, { commonName: "atoll", usage: "client", days: 1 }, nowMs);
  await writeFile(file("ca"), authority.cert);
  for (const [name, { cert, key }] of Object.entries({ server, client })) {
    await writeFile(file(`${name}.crt`), cert);
    await writeFile(file(`${name}.key`), key, { mode: 0o600 });
  }
  const [own, peers] = [await freePort(), await freePort()];
  const url = `https://127.0.0.1:${own}`;
  const bin = await fetchDebian({ suite: "trixie", packages: ["etcd-server"] });
  const tls = ["--cert-file", file("server.crt"), "--key-file", file("server.key"), "--trusted-ca-file", file("ca")];
  const clients = ["--listen-client-urls", url, "--advertise-client-urls", url];
  const peer = `http://127.0.0.1:${peers}`;
  const between = ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", `m=${peer}`];
  const args = ["--name", "m", "--data-dir", file("etcd"), ...tls, "--client-cert-auth", ...clients, ...between];
  etcd = spawn(join(bin, "usr/bin/etcd"), args, { stdio: "ignore" });
  store = ["--store", `etcd=${url}`, "--etcd-cafile", file("ca")];
});

after(async () => {
  etcd.kill("SIGKILL");
  await once(etcd, "exit");
  await rm(folder, { recursive: true, force: true });
});

const pair = ["--etcd-certfile", file("client.crt"), "--etcd-keyfile", file("client.key")];

test("a server shows etcd its certificate, and so does a backup", { timeout: 120_000 }, async () => {
  const args = atollArguments("server", "--data", data, "--api-port", "0", ...store, ...pair);
  const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface({ input: server.stdout })) if (line.startsWith("ready ")) break;
  const { transport } = await openKubeconfig({ path: join(data, "admin.kubeconfig"), clock: systemClock });
  const client = new Client({ transport, clock: systemClock, userAgent: "test" });
  await client.create(Namespace, { metadata: { name: "kept" } });
  transport.close();
  const { code, text } = await runAtoll("backup", "--data", data, ...store, ...pair, file("backup"));
  assert.equal(code, 0, text);
  assert.match(text, /objects as of revision/);
  server.kill("SIGTERM");
  await once(server, "exit");
});

test("without a certificate nothing is read", { timeout: 120_000 }, async () => {
  const { code } = await runAtoll("backup", "--data", data, ...store, file("other"));
  assert.equal(code, 1);
});

test("flags that do not fit are refused before anything is asked", async () => {
  const refused = async (...flags: readonly string[]) => {
    const { code, text } = await runAtoll("backup", "--data", data, ...flags, file("none"));
    assert.equal(code, 2, text);
    return text;
  };
  assert.match(await refused(...store, "--etcd-certfile", file("client.crt")), /go together/);
  assert.match(await refused(...store, "--etcd-cafile", file("missing")), /missing cannot be read/);
  assert.match(await refused("--store", "etcd=http://127.0.0.1:1", "--etcd-cafile", file("ca")), /is not https/);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
