import assert from "node:assert/strict";
import test, { after } from "node:test";
import { startHarness } from "@atoll/harness/server";

const space = "/api/v1/namespaces/default";

const harness = await startHarness();
after(() => harness.close());
await made("serviceaccounts", { metadata: { name: "default" } });
await made("serviceaccounts", {
  metadata: { name: "narrow", annotations: { "kubernetes.io/enforce-mountable-secrets": "true" } },
  secrets: [{ name: "own" }],
  imagePullSecrets: [{ name: "pull" }],
});

async function made(plural: string, body: object): Promise<void> {
  const { status, text } = await harness.send("POST", `${space}/${plural}`, { body });
  assert.equal(status, 201, text);
}

const container = (extra: object = {}) => ({ name: "c", image: "i", ...extra });
const variable = (name: string) => ({ env: [{ name: "V", valueFrom: { secretKeyRef: { name, key: "k" } } }] });
const from = (name: string) => ({ envFrom: [{ secretRef: { name } }] });
const volume = (secretName: string) => ({ volumes: [{ name: "v", secret: { secretName } }] });
const why = "is not allowed because service account narrow does not reference that secret";

const uses = [
  { used: "volume", spec: volume, says: 'volume with secret.secretName="other"' },
  {
    used: "variable of an init container",
    spec: (name: string) => ({ initContainers: [{ ...container(variable(name)), name: "i" }] }),
    says: 'init container i with envVar V referencing secret.secretName="other"',
  },
  {
    used: "variable",
    spec: (name: string) => ({ containers: [container(variable(name))] }),
    says: 'container c with envVar V referencing secret.secretName="other"',
  },
  {
    used: "whole environment",
    spec: (name: string) => ({ containers: [container(from(name))] }),
    says: 'container c with envFrom referencing secret.secretName="other"',
  },
];

async function podOf(name: string, spec: object, annotations: object = {}): Promise<{ status: number; says: unknown }> {
  const body = { metadata: { name, annotations }, spec: { containers: [container()], ...spec } };
  const { status, json } = await harness.send("POST", `${space}/pods`, { body });
  return { status, says: json?.["message"] };
}

for (const [i, { used, spec, says }] of uses.entries()) {
  test(`a secret as ${used} is refused unless the account that is held to its secrets lists it`, async () => {
    const narrow = (name: string) => ({ serviceAccountName: "narrow", ...spec(name) });
    const refused = await podOf(`u${i}`, narrow("other"));
    assert.deepEqual(refused, { status: 403, says: `pods "u${i}" is forbidden: ${says} ${why}` });
    assert.equal((await podOf(`u${i}`, narrow("own"))).status, 201);
    assert.equal((await podOf(`free${i}`, spec("other"))).status, 201);
  });
}

test("pull secrets are held to those of the account", async () => {
  const pulling = (name: string) => ({ serviceAccountName: "narrow", imagePullSecrets: [{ name }] });
  const { status, says } = await podOf("pulls", pulling("own"));
  const told = 'imagePullSecrets[0].name="own" is not allowed because service account narrow does not reference that';
  assert.deepEqual([status, says], [403, `pods "pulls" is forbidden: ${told} imagePullSecret`]);
  assert.equal((await podOf("pulls", pulling("pull"))).status, 201);
});

test("an ephemeral container that is added later is held to the account's secrets, too", async () => {
  assert.equal((await podOf("later", { serviceAccountName: "narrow" })).status, 201);
  const add = async (secret: string) => {
    const body = { spec: { ephemeralContainers: [{ name: "e", image: "i", ...variable(secret) }] } };
    const contentType = "application/strategic-merge-patch+json";
    return await harness.send("PATCH", `${space}/pods/later/ephemeralcontainers`, { body, contentType });
  };
  const refused = await add("other");
  assert.equal(refused.status, 403);
  assert.match(refused.text, /ephemeral container e with envVar V referencing secret/);
  assert.equal((await add("own")).status, 200);
});

const mirrors = [
  { what: "service accounts", spec: { serviceAccountName: "default" }, says: "reference service accounts" },
  { what: "secrets", spec: volume("own"), says: "reference secrets" },
];

for (const { what, spec, says } of mirrors) {
  test(`a mirror pod gives no ${what}`, async () => {
    const { status, says: told } = await podOf(
      "mirror",
      { nodeName: "n", ...spec },
      { "kubernetes.io/config.mirror": "x" },
    );
    assert.deepEqual([status, told], [403, `pods "mirror" is forbidden: a mirror pod may not ${says}`]);
  });
}
