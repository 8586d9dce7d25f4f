import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { request } from "node:https";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { eventually } from "@atoll/harness/client";
import { startOidcProvider } from "@atoll/harness/oidc";
import { signIn } from "@atoll/harness/oidc-login";
import { type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { importJWK, SignJWT } from "jose";
import { Followed } from "../../configuration/followed.ts";
import { issuer as ownIssuer } from "../serviceaccounts.ts";
import { readAuthentication } from "./configuration.ts";

interface Reviewed {
  readonly authenticated?: boolean;
  readonly user: {
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: object;
  };
}

async function setUp(t: TestContext) {
  const provider = await startOidcProvider();
  const folder = await mkdtemp(join(tmpdir(), "atoll-oidc-"));
  const path = join(folder, "authentication.json");
  const jwt = {
    issuer: { url: provider.issuer, audiences: [provider.clientId], certificateAuthority: provider.ca },
    claimMappings: {
      username: { claim: "sub", prefix: "oidc:" },
      groups: { claim: "groups", prefix: "oidc:" },
      uid: { expression: "'uid-' + claims.sub" },
      extra: [{ key: "example.com/mail", valueExpression: "has(claims.email) ? claims.email : ''" }],
    },
    claimValidationRules: [{ expression: "claims.exp - claims.iat <= 86400", message: "too long" }],
    userValidationRules: [{ expression: "!user.username.startsWith('system:')", message: "reserved" }],
  };
  const kind = { apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration" };
  const write = async (change: object) =>
    await writeFile(path, JSON.stringify({ ...kind, jwt: [{ ...jwt, ...change }] }));
  await write({});
  const complaints: string[] = [];
  const log = { info: () => {}, error: (fields: object) => void complaints.push(JSON.stringify(fields)) };
  const parse = (text: string) => readAuthentication(text, [ownIssuer]);
  const authentication = await Followed.open({ path, parse, clock: systemClock, log, everyMs: 20 });
  const harness = await startHarness({ server: { authentication } });
  t.after(async () => {
    authentication.close();
    await harness.close();
    await provider.close();
    await rm(folder, { recursive: true });
  });
  const review = async (token: string): Promise<Reviewed> => {
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
    const { json } = await harness.send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { body });
    return json?.["status"] as Reviewed;
  };
  return { provider, harness, review, write, path, complaints };
}

/** The answer to a connection that has no certificate. */
function statusWith({ url, tls }: Harness, token: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const sent = request(`${url}/api/v1/nodes`, { ca: tls.ca, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on("error", reject).end();
  });
}

test("a provider's token names a person, with groups, uid and more as the file maps them", async (t) => {
  const { provider, review } = await setUp(t);
  provider.people.set("alice", { email: "alice@example.com", groups: ["devs", "ops"] });
  assert.deepEqual(await review(await signIn(provider)), {
    authenticated: true,
    audiences: ["https://kubernetes.default.svc"],
    user: {
      username: "oidc:alice",
      uid: "uid-alice",
      groups: ["oidc:devs", "oidc:ops", "system:authenticated"],
      extra: { "example.com/mail": ["alice@example.com"] },
    },
  });
  provider.people.set("alice", { groups: ["devs"] });
  const later = await review(await signIn(provider));
  assert.deepEqual(later.user.groups, ["oidc:devs", "system:authenticated"], "a group that is gone");
  assert.equal(later.user.extra, undefined);
});

test("a token that was not issued so is refused, and so is its bearer", async (t) => {
  const { provider, review, harness } = await setUp(t);
  const key = await importJWK(provider.key, "RS256");
  const now = Math.floor(systemClock.nowMs() / 1000);
  const good = { iss: provider.issuer, aud: provider.clientId, sub: "mallory", iat: now, nbf: now, exp: now + 600 };
  const sign = (claims: object, header: object = {}) =>
    new SignJWT({ ...good, ...claims }).setProtectedHeader({ alg: "RS256", kid: "first", ...header }).sign(key);
  assert.equal((await review(await sign({}))).authenticated, true, "the signer of this test is the provider's");

  const publicKey = createPublicKey({ key: provider.key as never, format: "jwk" });
  const pem = new TextEncoder().encode(publicKey.export({ type: "spki", format: "pem" }).toString());
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const { d: _, p: __, q: ___, dp: ____, dq: _____, qi: ______, ...exposed } = provider.key;
  const evil: Readonly<Record<string, string>> = {
    "alg none": `${part({ alg: "none" })}.${part(good)}.`,
    "HS256 with the public key": await new SignJWT(good).setProtectedHeader({ alg: "HS256", kid: "first" }).sign(pem),
    "another audience": await sign({ aud: "vault" }),
    "another issuer": await sign({ iss: "https://elsewhere.example" }),
    "the server's own issuer": await sign({ iss: ownIssuer, aud: [ownIssuer] }),
    "not before the future": await sign({ nbf: now + 3600 }),
    over: await sign({ exp: now - 1 }),
    "without an end": await sign({ exp: undefined }),
    "a kid that is a path": await sign({}, { kid: "../../../../dev/null" }),
    "a key of its own": await sign({}, { kid: "mine", jwk: exposed, jku: "https://evil.example/keys" }),
    "claims changed": (await sign({})).replace(/\.[^.]+\./, `.${part({ ...good, sub: "root" })}.`),
    "longer than the rule lets": await sign({ exp: now + 90_000 }),
    "no user": await sign({ sub: "" }),
    "groups that are no strings": await sign({ groups: [1] }),
  };
  for (const [why, token] of Object.entries(evil)) {
    assert.notEqual((await review(token)).authenticated, true, why);
    assert.equal(await statusWith(harness, token), 401, why);
  }
});

test("a reserved name is refused by the user rules", async (t) => {
  const { provider, review, write } = await setUp(t);
  provider.people.set("system:admin", { groups: [] });
  provider.signedIn = "system:admin";
  const token = await signIn(provider);
  assert.equal((await review(token)).user.username, "oidc:system:admin", "the prefix makes it harmless");
  await write({ claimMappings: { username: { claim: "sub", prefix: "" } } });
  await eventually("the file is read", async () => (await review(token)).authenticated !== true);
});

test("a changed file counts without a restart, and a bad one changes nothing", async (t) => {
  const { provider, review, write, path, complaints } = await setUp(t);
  provider.people.set("alice", { groups: [] });
  const token = await signIn(provider);
  const name = async () => (await review(token)).user.username;
  assert.equal(await name(), "oidc:alice");
  await write({ claimMappings: { username: { claim: "sub", prefix: "corp:" } } });
  await eventually("the new prefix", async () => (await name()) === "corp:alice");
  await writeFile(path, "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwtt: []\n");
  await eventually("a complaint", () => complaints.length === 1);
  assert.match(complaints[0] ?? "", /unknown field .*jwtt/);
  assert.equal(await name(), "corp:alice");
});

test("an unknown key makes the server ask for the keys again, but not for each token", async (t) => {
  const { provider, review } = await setUp(t);
  provider.people.set("alice", { groups: [] });
  assert.equal((await review(await signIn(provider))).authenticated, true);
  const key = await importJWK(provider.key, "RS256");
  const now = Math.floor(systemClock.nowMs() / 1000);
  const questions = () => provider.asked.filter((path) => path.startsWith("/jwks")).length;
  const before = questions();
  for (let i = 0; i < 20; i++) {
    const claims = { iss: provider.issuer, aud: provider.clientId, sub: "m", iat: now, exp: now + 60 };
    const forged = new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: `unknown-${i}` });
    assert.notEqual((await review(await forged.sign(key))).authenticated, true);
  }
  assert.ok(questions() - before <= 1, `${questions() - before} questions`);
});

test("what may be asked without any token is as the file says", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "atoll-anonymous-"));
  const path = join(folder, "authentication.yaml");
  const write = async (anonymous: string) =>
    await writeFile(path, `apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n${anonymous}`);
  await write("anonymous: {enabled: true, conditions: [{path: /livez}]}\n");
  const log = { info: () => {}, error: () => {} };
  const parse = (text: string) => readAuthentication(text, []);
  const authentication = await Followed.open({ path, parse, clock: systemClock, log, everyMs: 20 });
  const harness = await startHarness({ server: { authentication } });
  t.after(async () => {
    authentication.close();
    await harness.close();
    await rm(folder, { recursive: true });
  });
  const ask = (asked: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const sent = request(`${harness.url}${asked}`, { ca: harness.tls.ca, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on("error", reject).end();
    });
  assert.equal(await ask("/livez"), 200);
  assert.equal(await ask("/readyz"), 401);
  await write("anonymous: {enabled: false}\n");
  await eventually("nothing is open", async () => (await ask("/livez")) === 401);
});
