import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { test } from "node:test";
import { builtinKinds } from "@atoll/api/catalog";
import { systemClock } from "@atoll/machinery/clock";
import { openMemory } from "@atoll/storage/memory";
import { newKey } from "../pki/authority.ts";
import { Catalogue } from "../registry/catalogue.ts";
import { type Claims, issuer, ServiceAccountTokens, type TokenKeys } from "./serviceaccounts.ts";

const now = 1_800_000_000;
const clock = { ...systemClock, nowMs: () => now * 1000 };
const account = { name: "builder", uid: "u1" };

function claims(other: Partial<Claims> = {}): Claims {
  return {
    aud: [issuer],
    exp: now + 600,
    iat: now,
    iss: issuer,
    jti: "j",
    nbf: now,
    sub: "system:serviceaccount:ns:builder",
    "kubernetes.io": { namespace: "ns", serviceaccount: account },
    ...other,
  };
}

async function withAccount(
  run: (tokens: ServiceAccountTokens, others: (keys: TokenKeys) => ServiceAccountTokens) => Promise<void>,
): Promise<void> {
  const store = openMemory();
  const catalogue = new Catalogue(store);
  const core = builtinKinds().filter(
    ({ group, plural }) => group === "" && (plural === "serviceaccounts" || plural === "pods"),
  );
  for (const kind of core) catalogue.serve([kind], kind);
  const metadata = { ...account, namespace: "ns" };
  await catalogue.resource("", "serviceaccounts")?.create({ kind: "ServiceAccount", apiVersion: "v1", metadata });
  await catalogue.resource("", "serviceaccounts")?.cache.current();
  try {
    const make = (keys: TokenKeys) => new ServiceAccountTokens(keys, { catalogue, clock });
    await run(make({ signing: newKey() }), make);
  } finally {
    catalogue.close();
    await store.close();
  }
}

test("a token that holds names its account and groups", async () => {
  await withAccount(async (tokens) => {
    const known = await tokens.verify(tokens.sign(claims()), [issuer]);
    assert.equal(known?.user.name, "system:serviceaccount:ns:builder");
    assert.deepEqual(known?.user.groups, [
      "system:serviceaccounts",
      "system:serviceaccounts:ns",
      "system:authenticated",
    ]);
  });
});

const refused: Readonly<Record<string, Partial<Claims>>> = {
  "is over": { exp: now },
  "has not begun": { nbf: now + 1 },
  "is for others": { aud: ["vault"] },
  "is of another issuer": { iss: "https://elsewhere" },
  "is of an account that was made anew": {
    "kubernetes.io": { namespace: "ns", serviceaccount: { ...account, uid: "u2" } },
  },
  "is bound to a pod that is gone": {
    "kubernetes.io": { namespace: "ns", serviceaccount: account, pod: { name: "p", uid: "u3" } },
  },
};

for (const [why, other] of Object.entries(refused)) {
  test(`a token that ${why} is refused`, async () => {
    await withAccount(async (tokens) => {
      assert.equal(await tokens.verify(tokens.sign(claims(other)), [issuer]), undefined);
    });
  });
}

test("a token whose claims were changed, or that another key signed, is refused", async () => {
  await withAccount(async (tokens) => {
    const [head, , signature] = tokens.sign(claims()).split(".");
    const body = Buffer.from(JSON.stringify(claims({ exp: now + 9_999 }))).toString("base64url");
    assert.equal(await tokens.verify(`${head}.${body}.${signature}`, [issuer]), undefined);
    await withAccount(async (others) => {
      assert.equal(await tokens.verify(others.sign(claims()), [issuer]), undefined);
    });
  });
});

test("tokens of an old key hold for as long as its public key is kept, and new ones are signed with the new", async () => {
  await withAccount(async (_, make) => {
    const [first, second] = [newKey(), newKey()];
    const publicKey = createPublicKey(first).export({ type: "spki", format: "pem" }).toString();
    const old = make({ signing: first }).sign(claims());
    const rotated = make({ signing: second, verifying: `${publicKey}\n` });
    assert.equal((rotated.keySet as { keys: object[] }).keys.length, 2);
    for (let i = 0; i < 2; i++) assert.notEqual(await rotated.verify(old, [issuer]), undefined, "remembered or not");
    const young = rotated.sign(claims());
    assert.notEqual(await make({ signing: second }).verify(young, [issuer]), undefined);
    assert.equal(await make({ signing: second }).verify(old, [issuer]), undefined);
  });
});

test("a remembered token is over when its time is", async () => {
  const time = { nowMs: now * 1000 };
  const store = openMemory();
  const catalogue = new Catalogue(store);
  for (const kind of builtinKinds())
    if (kind.group === "" && kind.plural === "serviceaccounts") catalogue.serve([kind], kind);
  const metadata = { ...account, namespace: "ns" };
  await catalogue.resource("", "serviceaccounts")?.create({ kind: "ServiceAccount", apiVersion: "v1", metadata });
  const tokens = new ServiceAccountTokens(
    { signing: newKey() },
    { catalogue, clock: { ...systemClock, nowMs: () => time.nowMs } },
  );
  const token = tokens.sign(claims());
  assert.notEqual(await tokens.verify(token, [issuer]), undefined);
  time.nowMs += 601_000;
  assert.equal(await tokens.verify(token, [issuer]), undefined);
  catalogue.close();
  await store.close();
});
