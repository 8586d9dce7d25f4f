import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { startOidcProvider } from "@atoll/harness/oidc";
import { browse } from "@atoll/harness/oidc-login";
import { systemClock } from "@atoll/machinery/clock";
import { callbackPath, OpenIdConnect, SignInFailed } from "./oidc.ts";

const url = "https://console.example";
const redirect = `${url}${callbackPath}`;

async function setUp(t: TestContext) {
  const provider = await startOidcProvider(redirect);
  t.after(async () => await provider.close());
  provider.people.set("alice", { groups: ["devs"] });
  const { issuer, clientId, ca } = provider;
  const connect = new OpenIdConnect({ issuer, clientId, ca, scopes: ["openid"], url }, systemClock);
  /** Somebody goes to the provider, signs in, and is about to come back. */
  const away = async () => {
    const { location, state } = await connect.depart();
    const back = await browse(new URL(location), redirect, ca);
    return { state, back };
  };
  return { connect, away, ca };
}

const refused = (why: SignInFailed["why"]) => (error: unknown) => error instanceof SignInFailed && error.why === why;

test("a code and its state are good once", async (t) => {
  const { connect, away } = await setUp(t);
  const { state, back } = await away();
  await connect.arrive(back.search, state);
  await assert.rejects(connect.arrive(back.search, state), refused("late"));
});

test("a code that was used is no good with another sign-in's state, nor is one that was not", async (t) => {
  const { connect, away } = await setUp(t);
  const used = await away();
  await connect.arrive(used.back.search, used.state);
  for (const stolen of [used, await away()]) {
    const own = await away();
    const query = new URLSearchParams(own.back.searchParams);
    query.set("code", stolen.back.searchParams.get("code") ?? "");
    await assert.rejects(connect.arrive(`?${query.toString()}`, own.state), refused("refused"));
  }
});

test("who comes back with another's answer, or without having left, is nobody", async (t) => {
  const { connect, away } = await setUp(t);
  const [alice, mallory] = [await away(), await away()];
  await assert.rejects(connect.arrive(mallory.back.search, alice.state), refused("refused"));
  await assert.rejects(connect.arrive(mallory.back.search, "made-up"), refused("late"));
});

test("a token for another nonce than the one that left is refused", async (t) => {
  const { connect, ca } = await setUp(t);
  const { location, state } = await connect.depart();
  const forged = new URL(location);
  forged.searchParams.set("nonce", "another");
  const back = await browse(forged, redirect, ca);
  await assert.rejects(connect.arrive(back.search, state), refused("refused"));
});
