/** Who people and programs are, as kubectl shows them: sign-in, certificates, tokens, keys that change. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { generateKeyPairSync, randomBytes, webcrypto } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { controllers } from "@atoll/controllers/index";
import { eventually } from "@atoll/harness/client";
import { startControllers, type Workshop } from "@atoll/harness/controllers";
import { type OidcProvider, startOidcProvider } from "@atoll/harness/oidc";
import { type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { clientPath } from "@atoll/processes/clients";
import { formatKubeconfig } from "@atoll/processes/kubeconfig";
import { readAuthentication } from "@atoll/server/authenticate/oidc/configuration";
import { Followed } from "@atoll/server/configuration/followed";
import { readEncryption } from "@atoll/server/encryption/configuration";
import { EncryptedStore } from "@atoll/server/encryption/store";
import { openSqlite } from "@atoll/storage/sqlite";

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let harness: Harness;
let workshop: Workshop;
let provider: OidcProvider;
let folder: string;
let kubectl: (as: string, args: string, input?: string) => Promise<Outcome>;
const auditLines: string[] = [];
const followed: Followed<unknown>[] = [];

const log = { info: () => {}, error: () => {}, warn: () => {} };

async function follow<T>(path: string, parse: (text: string) => T): Promise<Followed<T>> {
  const file = await Followed.open({ path, parse, clock: systemClock, log, everyMs: 20, secret: true });
  followed.push(file as Followed<unknown>);
  return file;
}

const keys = { one: randomBytes(32).toString("base64"), two: randomBytes(32).toString("base64") };

async function writeKeys(names: readonly (keyof typeof keys)[]): Promise<void> {
  const list = names.map((name) => ({ name, secret: keys[name] }));
  const providers = [{ aesgcm: { keys: list } }, { identity: {} }];
  const kind = { apiVersion: "apiserver.config.k8s.io/v1", kind: "EncryptionConfiguration" };
  const file = { ...kind, resources: [{ resources: ["secrets"], providers }] };
  await writeFile(join(folder, "encryption.json"), JSON.stringify(file), { mode: 0o600 });
}

async function startServer(): Promise<void> {
  const jwt = {
    issuer: { url: provider.issuer, audiences: [provider.clientId], certificateAuthority: provider.ca },
    claimMappings: { username: { claim: "sub", prefix: "oidc:" }, groups: { claim: "groups", prefix: "oidc:" } },
  };
  const kind = { apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration" };
  await writeFile(join(folder, "authentication.json"), JSON.stringify({ ...kind, jwt: [jwt] }), { mode: 0o600 });
  await writeKeys(["one"]);
  const authentication = await follow(join(folder, "authentication.json"), (text) => readAuthentication(text, []));
  const encryption = await follow(join(folder, "encryption.json"), readEncryption);
  const inner = await openSqlite({ file: join(folder, "store.db"), clock: systemClock, log });
  const sink = { write: (line: string) => void auditLines.push(line) };
  harness = await startHarness({
    store: new EncryptedStore(inner, encryption),
    server: { authentication, audit: { sink } },
  });
}

/** A kubeconfig for each of those who use kubectl here. */
async function writeKubeconfigs(): Promise<void> {
  const identity = { cert: harness.tls.cert, key: harness.tls.key };
  const text = formatKubeconfig({ server: harness.url, ca: harness.tls.ca, user: "admin", identity });
  await writeFile(join(folder, "admin"), text);
  await writeFile(join(folder, "provider.pem"), provider.ca);
  const login = createRequire(import.meta.url).resolve("@atoll/harness/oidc-login");
  const args = [login, provider.issuer, provider.clientId, provider.redirectUri, join(folder, "provider.pem")];
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: process.execPath,
    args: ["--disable-warning=ExperimentalWarning", ...args],
    interactiveMode: "Never",
  };
  await writeUser("person", { exec });
}

async function writeUser(name: string, user: object): Promise<void> {
  const config = JSON.parse(await readFile(join(folder, "admin"), "utf8")) as { users: object[] };
  config.users = [{ name: "admin", user }];
  await writeFile(join(folder, name), JSON.stringify(config));
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "atoll-identity-"));
  provider = await startOidcProvider();
  provider.people.set("alice", { email: "alice@example.com", groups: ["devs"] });
  await startServer();
  workshop = startControllers(harness, controllers({ ca: harness.tls.ca, signing: harness.pki.ca }));
  await writeKubeconfigs();
  const program = await clientPath("kubectl");
  kubectl = (as, args, input) =>
    new Promise((resolve) => {
      const env = { ...process.env, KUBECONFIG: join(folder, as), HOME: folder };
      const child = execFile(program, args.split(" "), { env, timeout: 60_000 }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
      );
      child.stdin?.end(input);
    });
});

after(async () => {
  for (const file of followed) file.close();
  await workshop.stop();
  await harness.close();
  await provider.close();
  await rm(folder, { recursive: true, force: true });
});

async function ok(as: string, args: string, input?: string): Promise<string> {
  const { code, out, err } = await kubectl(as, args, input);
  assert.equal(code, 0, `${as}: kubectl ${args}: ${err}${out}`);
  return out;
}

async function refused(as: string, args: string): Promise<string> {
  const { code, err } = await kubectl(as, args);
  assert.notEqual(code, 0, `${as}: kubectl ${args}`);
  return err;
}

test("Alice signs in at her provider, and her groups are what her roles are bound to", async () => {
  assert.match(await ok("person", "auth whoami"), /Username +oidc:alice\nGroups +\[oidc:devs system:authenticated\]/);
  assert.match(
    await refused("person", "get pods"),
    /pods is forbidden: User "oidc:alice" cannot list resource "pods" in API group "" in the namespace "default"/,
  );
  await ok("admin", "create role reader --verb=get,list --resource=pods");
  await ok("admin", "create rolebinding devs-read --role=reader --group=oidc:devs");
  await ok("person", "get pods");
  await refused("person", "get pods -A");
  await refused("person", "get secrets");
  assert.equal((await ok("person", "auth can-i list pods")).trim(), "yes");
  provider.people.set("alice", { groups: ["guests"] });
  assert.match(await ok("person", "auth whoami"), /\[oidc:guests system:authenticated\]/);
  await refused("person", "get pods");
});

test("the audit log names the human behind an impersonation", async () => {
  await ok("admin", "--as=oidc:bob --as-group=system:masters create configmap bobs");
  const line = auditLines.find((each) => each.includes('"configmaps"') && each.includes("bobs"));
  const event = JSON.parse(line ?? "{}") as { user?: { username: string }; impersonatedUser?: { username: string } };
  assert.equal(event.user?.username, "kubernetes-admin");
  assert.equal(event.impersonatedUser?.username, "oidc:bob");
  await refused("person", "delete configmap bobs");
  const forbidden = auditLines.find((each) => each.includes('"code":403') && each.includes("oidc:alice"));
  assert.match(forbidden ?? "", /"authorization\.k8s\.io\/decision":"forbid"/);
});

test("a service account's token is refused as soon as the account is gone, or made anew", async () => {
  await ok("admin", "create serviceaccount robot");
  await writeUser("robot", { token: (await ok("admin", "create token robot")).trim() });
  assert.match(await ok("robot", "auth whoami"), /system:serviceaccount:default:robot/);
  await ok("admin", "delete serviceaccount robot");
  assert.match(await refused("robot", "auth whoami"), /must be logged in|Unauthorized/);
  await ok("admin", "create serviceaccount robot");
  assert.match(await refused("robot", "auth whoami"), /must be logged in|Unauthorized/);
});

test("a certificate that is asked for and approved makes somebody known", async () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const request = await certificateRequest(
    privateKey.export({ type: "pkcs8", format: "der" }),
    privateKey.export({ format: "jwk" }),
  );
  const spec = { request, signerName: "kubernetes.io/kube-apiserver-client", usages: ["client auth"] };
  const kind = { apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest" };
  await ok("admin", "create -f -", JSON.stringify({ ...kind, metadata: { name: "carol" }, spec }));
  assert.match(await ok("admin", "get csr carol"), /Pending/);
  await ok("admin", "certificate approve carol");
  await eventually("it is issued", async () => (await ok("admin", "get csr carol")).includes("Approved,Issued"));
  const certificate = await ok("admin", "get csr carol -o jsonpath={.status.certificate}");
  const key = Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })).toString("base64");
  await writeUser("carol", { "client-certificate-data": certificate, "client-key-data": key });
  assert.match(await ok("carol", "auth whoami"), /Username +carol\nGroups +\[ops system:authenticated\]/);
});

async function certificateRequest(pkcs8: Buffer, { x = "", y = "" }: webcrypto.JsonWebKey): Promise<string> {
  await import("reflect-metadata");
  const { Pkcs10CertificateRequestGenerator } = await import("@peculiar/x509");
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const { subtle } = webcrypto;
  const keyPair = {
    privateKey: await subtle.importKey("pkcs8", pkcs8, algorithm, true, ["sign"]),
    publicKey: await subtle.importKey("jwk", { kty: "EC", crv: "P-256", x, y }, algorithm, true, ["verify"]),
  };
  const wish = { name: "O=ops, CN=carol", keys: keyPair, signingAlgorithm: algorithm };
  const made = await Pkcs10CertificateRequestGenerator.create(wish, webcrypto);
  return Buffer.from(made.toString("pem")).toString("base64");
}

test("after a change of keys, replacing all secrets writes them under the new one", async () => {
  const word = "never-in-the-clear";
  await ok("admin", `create secret generic kept --from-literal=word=${word}`);
  const disk = async () => {
    const names = (await readdir(folder)).filter((name) => name.startsWith("store.db"));
    return Buffer.concat(await Promise.all(names.map((name) => readFile(join(folder, name))))).toString("latin1");
  };
  assert.ok(!(await disk()).includes(word) && !(await disk()).includes(Buffer.from(word).toString("base64")));
  await writeKeys(["two", "one"]);
  await systemClock.sleep(200);
  await ok("admin", "replace -f -", await ok("admin", "get secrets -A -o json"));
  await writeKeys(["two"]);
  await systemClock.sleep(200);
  assert.ok((await disk()).includes("k8s:enc:aesgcm:v1:two:"));
  const found = await ok("admin", "get secret kept -o jsonpath={.data.word}");
  assert.equal(Buffer.from(found, "base64").toString(), word);
});
