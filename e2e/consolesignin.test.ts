/** Signing in to the console at a real identity provider: who people are, what they may, and what ends it. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type OidcProvider, startOidcProvider } from "@atoll/harness/oidc";
import { type Clock, systemClock } from "@atoll/machinery/clock";
import { callbackPath } from "@atoll/portal/oidc";
import { readAuthentication } from "@atoll/server/authenticate/oidc/configuration";
import { Followed } from "@atoll/server/configuration/followed";
import type { Browser } from "playwright-core";
import { noBrowser, openBrowser } from "./browser.ts";
import { assertAccessible, openStage, openWindow, picture, type Stage } from "./consolestage.ts";

describe("signing in to the console", { skip: noBrowser() ?? false }, () => {
  let stage: Stage;
  let browser: Browser;
  let provider: OidcProvider;
  let folder: string;
  let authentication: Followed<ReturnType<typeof readAuthentication>>;
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "atoll-signin-"));
    const port = await freePort();
    const url = `https://127.0.0.1:${port}`;
    provider = await startOidcProvider(url + callbackPath);
    provider.people.set("alice", { groups: ["devs"] });
    provider.people.set("bob", { groups: ["guests"] });
    const { issuer, clientId, ca } = provider;
    authentication = await trust(join(folder, "authentication.json"), provider);
    const scopes = ["openid", "email", "groups"];
    const oidc = { issuer, clientId, ca, scopes, url };
    stage = await openStage({ server: { authentication }, portal: { port, clock, oidc } });
    browser = await openBrowser();
    await stage.kubectl("create clusterrolebinding devs --clusterrole=edit --group=oidc:devs");
    await stage.kubectl("create clusterrolebinding guests --clusterrole=view --group=oidc:guests");
    await stage.kubectl("create configmap greeting --from-literal=hello=world");
  });
  after(async () => {
    await browser.close();
    await stage.close();
    await provider.close();
    authentication.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A window of somebody who is signed in at the provider. */
  async function arrive(account: string) {
    provider.signedIn = account;
    const window = await openWindow(browser, ["127.0.0.1", "localhost"]);
    await window.page.goto(stage.url);
    await window.page.getByRole("link", { name: "Sign in with your organization" }).click();
    return window;
  }

  test("two people see what each of them may", async () => {
    const alice = await arrive("alice");
    await alice.page.getByRole("button", { name: "oidc:alice" }).waitFor();
    await picture(alice.page, "signed-in");
    await alice.page.goto(`${stage.url}/k/secrets?ns=default`);
    await alice.page.getByText("No secrets here yet").waitFor();
    const bob = await arrive("bob");
    await bob.page.getByRole("button", { name: "oidc:bob" }).waitFor();
    await bob.page.goto(`${stage.url}/k/secrets?ns=default`);
    await bob.page.getByText('User "oidc:bob" cannot list resource "secrets"').waitFor();
    await bob.page.goto(`${stage.url}/k/configmaps/default/greeting`);
    await bob.page.getByRole("heading", { name: "greeting", exact: true }).waitFor();
    await bob.page.getByRole("button", { name: "Actions" }).click();
    const remove = bob.page.getByRole("menuitem", { name: "Delete…" });
    await remove.getByText("oidc:bob may not delete configmaps in default.").waitFor();
    assert.equal(await remove.getAttribute("aria-disabled"), "true");
    await bob.page.goto(`${stage.url}/k/configmaps?ns=default`);
    await bob.page.getByRole("button", { name: "Create", disabled: true }).waitFor();
    await assertAccessible(bob.page);
    alice.healthy();
    bob.healthy();
    await Promise.all([alice.page.context().close(), bob.page.context().close()]);
  });

  test("who loses a group at the provider loses its rights when the token is renewed", async () => {
    const { page, healthy } = await arrive("alice");
    await page.getByRole("button", { name: "oidc:alice" }).waitFor();
    const see = () =>
      page.evaluate(
        `fetch("/hub/api/v1/namespaces/default/secrets", {headers: {"x-atoll-console": "1"}}).then(({status}) => status)`,
      );
    assert.equal(await see(), 200);
    provider.people.set("alice", { groups: [] });
    const asked = provider.asked.length;
    aheadMs = 14 * 60_000 + 45_000;
    assert.equal(await see(), 403);
    assert(provider.asked.slice(asked).includes("/token"), "the token was renewed");
    aheadMs = 0;
    provider.people.set("alice", { groups: ["devs"] });
    healthy();
    await page.context().close();
  });

  test("whom the API server does not know is told so", async () => {
    const config = { apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration", jwt: [] };
    const { page } = await openWindow(browser);
    await page.goto(`${stage.url}${callbackPath}?code=made-up&state=made-up`);
    await page.getByText("That took too long, or was begun elsewhere.").waitFor();
    await assertAccessible(page);
    await writeFile(join(folder, "authentication.json"), JSON.stringify(config));
    await page.getByRole("link", { name: "Sign in with your organization" }).click();
    await page.getByText("The API server does not know people of this identity provider.").waitFor();
    await page.context().close();
  });
});

async function trust(path: string, { issuer, clientId, ca }: OidcProvider) {
  const jwt = {
    issuer: { url: issuer, audiences: [clientId], certificateAuthority: ca },
    claimMappings: { username: { claim: "sub", prefix: "oidc:" }, groups: { claim: "groups", prefix: "oidc:" } },
  };
  const kind = { apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration" };
  await writeFile(path, JSON.stringify({ ...kind, jwt: [jwt] }), { mode: 0o600 });
  const log = { info: () => {}, error: () => {}, warn: () => {} };
  const parse = (text: string) => readAuthentication(text, []);
  return await Followed.open({ path, parse, clock: systemClock, log, everyMs: 20, secret: true });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
