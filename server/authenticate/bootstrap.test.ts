import assert from "node:assert/strict";
import { request as httpsRequest } from "node:https";
import { test } from "node:test";
import { type Harness, startHarness } from "@atoll/harness/server";

const id = "abcdef";
const secret = "0123456789abcdef";
const base = { "token-id": id, "token-secret": secret, "usage-bootstrap-authentication": "true" };

async function make(harness: Harness, stringData: Record<string, string>, type = "bootstrap.kubernetes.io/token") {
  await harness.send("DELETE", `/api/v1/namespaces/kube-system/secrets/bootstrap-token-${id}`);
  const metadata = { name: `bootstrap-token-${id}`, namespace: "kube-system" };
  const body = { apiVersion: "v1", kind: "Secret", type, metadata, stringData };
  const { status, text } = await harness.send("POST", "/api/v1/namespaces/kube-system/secrets", { body });
  assert.equal(status, 201, text);
}

/** Whom the server takes the bearer for, asked through a TokenReview of the admin's. */
async function review(harness: Harness, token: string, audiences?: readonly string[]) {
  const kind = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview" };
  const body = { ...kind, spec: { token, ...(audiences === undefined ? {} : { audiences }) } };
  const answer = await harness.send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { body });
  return answer.json?.["status"] as { authenticated?: boolean; user: { username?: string; groups?: string[] } };
}

function ask(harness: Harness, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(harness.url);
    const options = { host: "127.0.0.1", port, path: "/api/v1/nodes", ca: harness.tls.ca, headers, agent: false };
    const sent = httpsRequest(options, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += String(chunk)));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject).end();
  });
}

test("a bootstrap token is its Secret's word, and no longer than that", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  const token = `${id}.${secret}`;
  assert.notEqual((await review(harness, token)).authenticated, true, "nothing is there yet");

  await make(harness, {
    ...base,
    "auth-extra-groups": "system:bootstrappers:workers",
    expiration: "2999-01-01T00:00:00Z",
  });
  const known = await review(harness, token);
  assert.equal(known.user.username, "system:bootstrap:abcdef");
  assert.deepEqual(known.user.groups, ["system:bootstrappers", "system:bootstrappers:workers", "system:authenticated"]);
  assert.notEqual((await review(harness, `${id}.0123456789abcdeX`.toLowerCase())).authenticated, true);
  assert.notEqual((await review(harness, token, ["vault"])).authenticated, true, "for others");

  const forbidden = await ask(harness, { authorization: `Bearer ${token}` });
  assert.equal(forbidden.status, 403, "known, and without rights");
  assert.match(forbidden.text, /User \\"system:bootstrap:abcdef\\" cannot list resource/);
  const wrong = await ask(harness, { authorization: `Bearer ${id}.aaaaaaaaaaaaaaaa` });
  assert.equal(wrong.status, 401);
  assert.deepEqual(JSON.parse(wrong.text), {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "Unauthorized",
    reason: "Unauthorized",
    code: 401,
  });
});

const refused: Readonly<Record<string, [Record<string, string>, string?]>> = {
  "is over": [{ ...base, expiration: "2020-01-01T00:00:00Z" }],
  "ends at a time that cannot be read": [{ ...base, expiration: "soon" }],
  "is not for authentication": [{ ...base, "usage-bootstrap-authentication": "false" }],
  "names another id": [{ ...base, "token-id": "fedcba" }],
  "gives a group that is not a bootstrapper's": [{ ...base, "auth-extra-groups": "system:masters" }],
  "is in a Secret of another type": [base, "Opaque"],
};

test("a bootstrap token is refused that", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  for (const [why, [data, type]] of Object.entries(refused)) {
    await t.test(why, async () => {
      await make(harness, data, type);
      assert.notEqual((await review(harness, `${id}.${secret}`)).authenticated, true);
    });
  }
});

test("a WebSocket's subprotocol may carry the token", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  await make(harness, base);
  const carrier = `base64url.bearer.authorization.k8s.io.${Buffer.from(`${id}.${secret}`).toString("base64url")}`;
  assert.equal((await ask(harness, { "sec-websocket-protocol": `v5.channel.k8s.io, ${carrier}` })).status, 403);
  assert.equal((await ask(harness, { "sec-websocket-protocol": carrier })).status, 401);
});
