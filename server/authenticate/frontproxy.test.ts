import assert from "node:assert/strict";
import { request as httpsRequest } from "node:https";
import { after, test } from "node:test";
import { systemClock } from "@atoll/machinery/clock";
import { issue, type KeyPair } from "@atoll/server/pki/authority";
import { startHarness } from "@atoll/harness/server";

const harness = await startHarness();
after(() => harness.close());

interface Reply {
  readonly status: number;
  readonly user: unknown;
}

/** Who the server takes a caller for. */
function whoAmI(pair: KeyPair | undefined, headers: Record<string, string | string[]>): Promise<Reply> {
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  const options = { host: "127.0.0.1", port: harness.server.port, path, method: "POST", agent: false } as const;
  const body = '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}';
  return new Promise((resolve, reject) => {
    const sent = { ...headers, "content-type": "application/json" };
    const request = httpsRequest({ ...options, ...pair, ca: harness.pki.ca.cert, headers: sent }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => {
        const json = JSON.parse(Buffer.concat(parts).toString()) as { status?: { userInfo?: unknown } };
        resolve({ status: response.statusCode ?? 0, user: json.status?.userInfo });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

const alice = {
  "x-remote-user": "alice",
  "x-remote-group": ["system:masters", "devs"],
  "x-remote-extra-example.org%2Fteam": "blue",
};

test("the front proxy's word counts, with groups and extra", async () => {
  const { user } = await whoAmI(harness.pki.frontProxyClient, alice);
  assert.deepEqual(user, {
    username: "alice",
    groups: ["system:masters", "devs", "system:authenticated"],
    extra: { "example.org/team": ["blue"] },
  });
});

test("X-Remote-User without the front proxy's certificate is ignored", async () => {
  assert.equal((await whoAmI(undefined, alice)).status, 401);
  const admin = await whoAmI(harness.pki.admin, alice);
  assert.deepEqual(admin.user, { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] });
});

test("a certificate of the front-proxy authority with another name is nobody's, headers or not", async () => {
  const wish = { commonName: "eve", organizations: ["system:masters"], usage: "client", days: 1 } as const;
  const eve = await issue(harness.pki.frontProxyCa, wish, systemClock.nowMs());
  assert.equal((await whoAmI(eve, alice)).status, 401);
  assert.equal((await whoAmI(eve, {})).status, 401);
});

test("the front proxy itself is nobody without a user to speak for", async () => {
  assert.equal((await whoAmI(harness.pki.frontProxyClient, {})).status, 401);
});

test("a client certificate with the front proxy's name is no front proxy", async () => {
  const wish = { commonName: "front-proxy-client", usage: "client", days: 1 } as const;
  const pair = await issue(harness.pki.ca, wish, systemClock.nowMs());
  const { status, user } = await whoAmI(pair, alice);
  assert.ok(status === 403 || (user as { username?: string } | undefined)?.username === "front-proxy-client");
});
