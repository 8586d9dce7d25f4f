import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type OidcProvider, startOidcProvider } from "@atoll/harness/oidc";
import { signIn } from "@atoll/harness/oidc-login";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { Followed } from "../../configuration/followed.ts";
import { issuer as ownIssuer } from "../serviceaccounts.ts";
import { readAuthentication } from "./configuration.ts";

const issuerOf = ({ issuer, clientId }: OidcProvider, ca: string, prefix: string) => ({
  issuer: { url: issuer, audiences: [clientId], certificateAuthority: ca },
  claimMappings: { username: { claim: "sub", prefix }, groups: { claim: "groups", prefix } },
});

test("each of several issuers speaks for its own people, and one whose certificate is not of the pinned CA for none", async (t) => {
  const [first, second, third] = await Promise.all([startOidcProvider(), startOidcProvider(), startOidcProvider()]);
  const text = JSON.stringify({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AuthenticationConfiguration",
    jwt: [
      issuerOf(first, first.ca, "first:"),
      issuerOf(second, second.ca, "second:"),
      issuerOf(third, first.ca, "third:"),
    ],
  });
  const folder = await mkdtemp(join(tmpdir(), "atoll-issuers-"));
  const path = join(folder, "authentication.json");
  await writeFile(path, text);
  const log = { info: () => {}, error: () => {} };
  const parse = (content: string) => readAuthentication(content, [ownIssuer]);
  const authentication = await Followed.open({ path, parse, clock: systemClock, log });
  const harness = await startHarness({ server: { authentication } });
  t.after(async () => {
    authentication.close();
    await harness.close();
    await rm(folder, { recursive: true });
    await Promise.all([first, second, third].map(async (provider) => await provider.close()));
  });
  const whoIs = async (provider: OidcProvider) => {
    provider.people.set("alice", { groups: ["devs"] });
    const spec = { token: await signIn(provider) };
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec };
    const { json } = await harness.send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { body });
    const reviewed = json?.["status"] as { user?: { username?: string; groups?: string[] } } | undefined;
    return [reviewed?.user?.username ?? "", reviewed?.user?.groups ?? []];
  };
  assert.deepEqual(await whoIs(first), ["first:alice", ["first:devs", "system:authenticated"]]);
  assert.deepEqual(await whoIs(second), ["second:alice", ["second:devs", "system:authenticated"]]);
  assert.deepEqual(await whoIs(third), ["", []]);
});
