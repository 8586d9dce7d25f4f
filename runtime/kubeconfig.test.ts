import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Namespace, Pod } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { KubeconfigInvalid } from "@atoll/client/kubeconfig";
import { toKey } from "@atoll/client/resource";
import { ManualClock } from "@atoll/harness/clock";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "./kubeconfig.ts";

async function folder(t: test.TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "atoll-kubeconfig-"));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** A kubeconfig with one server and one user, as YAML lines. */
function yaml(server: string, cluster: string[], user: string[]): string {
  return [
    "apiVersion: v1",
    "kind: Config",
    "current-context: c",
    `clusters: [{name: k, cluster: {${[`server: "${server}"`, ...cluster].join(", ")}}}]`,
    `users: [{name: u, user: {${user.join(", ")}}}]`,
    "contexts: [{name: c, context: {cluster: k, user: u, namespace: here}}]",
    "",
  ].join("\n");
}

test("openKubeconfig() reads certificates from files beside it", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  const dir = await folder(t);
  await writeFile(join(dir, "ca.pem"), harness.tls.ca);
  await writeFile(join(dir, "me.pem"), harness.tls.cert);
  await writeFile(join(dir, "me.key"), harness.tls.key);
  const user = ["client-certificate: me.pem", "client-key: me.key"];
  await writeFile(join(dir, "config"), yaml(harness.url, ["certificate-authority: ca.pem"], user));
  const { context, ca, transport } = await openKubeconfig({ path: join(dir, "config"), clock: systemClock });
  assert.equal(context.namespace, "here");
  assert.equal(ca, harness.tls.ca);
  const client = new Client({ transport, clock: systemClock, userAgent: "test" });
  assert.equal((await client.get(Namespace, toKey(undefined, "default"))).metadata.name, "default");
  transport.close();
});

test("openKubeconfig() sends a token, of the file or of one beside it, which is read anew, or name and password", async (t) => {
  const dir = await folder(t);
  const clock = new ManualClock();
  const sent: (string | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    sent.push(headers.authorization);
    response.end('{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"default"}}');
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = async (user: string[], between: () => Promise<void>) => {
    await writeFile(join(dir, "config"), yaml(url, [], user));
    const { transport } = await openKubeconfig({ path: join(dir, "config"), clock });
    const client = new Client({ transport, clock, userAgent: "test" });
    await client.get(Namespace, toKey(undefined, "default"));
    await between();
    await client.get(Namespace, toKey(undefined, "default"));
    transport.close();
  };
  await ask(["token: abc"], async () => {});
  assert.deepEqual(sent.splice(0), ["Bearer abc", "Bearer abc"]);
  await writeFile(join(dir, "token"), "one\n");
  await ask(["tokenFile: token"], async () => {
    await writeFile(join(dir, "token"), "two\n");
    await clock.advance(61_000);
  });
  assert.deepEqual(sent.splice(0), ["Bearer one", "Bearer two"]);
  await ask(["username: ann", "password: open"], async () => {});
  assert.deepEqual(new Set(sent), new Set(["Basic YW5uOm9wZW4="]));
});

test("openKubeconfig() says what is wrong with a file", async (t) => {
  const dir = await folder(t);
  const path = join(dir, "config");
  const open = () => openKubeconfig({ path, clock: systemClock });
  await assert.rejects(open(), KubeconfigInvalid);
  await writeFile(path, "a: [");
  await assert.rejects(open(), /is no YAML/);
  await writeFile(path, "kind: Config");
  await assert.rejects(open(), /no current-context/);
  await writeFile(path, yaml("nonsense", [], []));
  await assert.rejects(open(), /no server URL/);
  await writeFile(path, yaml("https://127.0.0.1", ["proxy-url: http://127.0.0.1:3128"], []));
  await assert.rejects(open(), /^KubeconfigInvalid: proxy-url: servers are reached directly/);
  await writeFile(path, yaml("https://127.0.0.1", [], ["auth-provider: {name: gcp}"]));
  await assert.rejects(open(), /^KubeconfigInvalid: auth-provider: .* exec$/);
});

test("openKubeconfig() asks a credential program, once as long as its answer holds, and again when refused", async (t) => {
  const dir = await folder(t);
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.statusCode = request.headers.authorization === "Bearer token-2" ? 401 : 200;
    response.end('{"items":[],"metadata":{}}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const clock = new ManualClock(Date.parse("2026-01-01T00:00:00Z"));
  // Each answer is good for an hour, and has a number of its own.
  const program = [
    "#!/bin/sh",
    `echo x >> ${dir}/count`,
    `n=$(wc -l < ${dir}/count | tr -d " ")`,
    'echo "$KUBERNETES_EXEC_INFO" | grep -q \'"kind":"ExecCredential"\' || exit 1',
    `echo "{\\"kind\\":\\"ExecCredential\\",\\"status\\":{\\"token\\":\\"$GREETING-$n\\",\\"expirationTimestamp\\":\\"2026-01-01T0$n:00:00Z\\"}}"`,
  ];
  await writeFile(join(dir, "login"), program.join("\n"));
  await chmod(join(dir, "login"), 0o755);
  const user = [
    "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, env: [{name: GREETING, value: token}]}",
  ];
  const { port } = server.address() as AddressInfo;
  await writeFile(join(dir, "config"), yaml(`http://127.0.0.1:${port}`, [], user));
  const { transport } = await openKubeconfig({ path: join(dir, "config"), clock });
  const client = new Client({ transport, clock, userAgent: "test" });
  await client.list(Pod);
  await client.list(Pod);
  clock.jump(3_600_000);
  await assert.rejects(client.list(Pod));
  await client.list(Pod);
  assert.deepEqual(seen, ["Bearer token-1", "Bearer token-1", "Bearer token-2", "Bearer token-3"]);
  transport.close();
});
