import assert from "node:assert/strict";
import { test } from "node:test";
import { keyringOf } from "./keyring.ts";
import { parseReference } from "./reference.ts";

const auth = (user: string) => ({ auth: Buffer.from(`${user}:p:w`).toString("base64") });
const config = (auths: Record<string, unknown>) => JSON.stringify({ auths });
const users = (configs: string[], image: string) =>
  keyringOf(configs.map((each) => ({ config: each })))
    .lookup(parseReference(image))
    .map(({ username }) => username);

test("credentials match by host, port and path, the most specific first", () => {
  const ring = [
    config({ "r.io": auth("host"), "r.io/team": auth("team"), "r.io:5000": auth("port"), "other.io": auth("no") }),
  ];
  assert.deepEqual(users(ring, "r.io/team/app"), ["team", "host"]);
  assert.deepEqual(users(ring, "r.io/app"), ["host"]);
  assert.deepEqual(users(ring, "r.io:5000/app"), ["port"]);
  assert.deepEqual(users(ring, "sub.r.io/app"), []);
});

test("a star stands for one label of a host and never for a dot", () => {
  const ring = [config({ "*.r.io": auth("star"), "eu-*.gcr.io": auth("part") })];
  assert.deepEqual(users(ring, "a.r.io/x"), ["star"]);
  assert.deepEqual(users(ring, "a.b.r.io/x"), []);
  assert.deepEqual(users(ring, "r.io/x"), []);
  assert.deepEqual(users(ring, "eu-west.gcr.io/x"), ["part"]);
});

test("Docker Hub is known by all its names", () => {
  for (const key of [
    "https://index.docker.io/v1/",
    "index.docker.io",
    "docker.io",
    "https://registry-1.docker.io/v2/",
  ]) {
    assert.deepEqual(users([config({ [key]: auth("hub") })], "nginx"), ["hub"]);
  }
});

test("every form of a secret is read, and a broken one passed over", () => {
  const forms = [
    config({ "r.io": { username: "u", password: "p" } }),
    JSON.stringify({ "r.io": auth("cfg") }),
    config({ "r.io": { identitytoken: "t" } }),
    "{",
    "null",
    "[]",
    config({ "r.io": null }),
    config({ "r.io": { auth: "%%%" } }),
    '{"auths":{"__proto__":{"username":"x"}}}',
  ];
  const found = keyringOf(forms.map((each) => ({ config: each }))).lookup(parseReference("r.io/a"));
  assert.deepEqual(found, [
    { username: "u", password: "p" },
    { username: "cfg", password: "p:w" },
    { username: "", password: "", identityToken: "t" },
  ]);
});

test("who vouches for a registry is taken from the secret that names it, for images by digest alone", () => {
  const ring = keyringOf([
    { config: config({ "other.io": {} }), authority: "OTHER" },
    { config: config({ "r.io:5000": {} }), authority: "PEM" },
  ]);
  const digest = `sha256:${"0".repeat(64)}`;
  assert.equal(ring.authority(parseReference(`r.io:5000/a@${digest}`)), "PEM");
  assert.equal(ring.authority(parseReference("r.io:5000/a:v1")), undefined);
  assert.equal(ring.authority(parseReference(`r.io/a@${digest}`)), undefined);
  assert.deepEqual(ring.lookup(parseReference(`r.io:5000/a@${digest}`)), []);
});
