import assert from "node:assert/strict";
import { test } from "node:test";
import { readAuthentication } from "./configuration.ts";

const issuer = { url: "https://issuer.example", audiences: ["a"] };
const claimMappings = { username: { claim: "sub", prefix: "" } };

function read(jwt: readonly object[], other: object = {}): void {
  const kind = { apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration" };
  readAuthentication(JSON.stringify({ ...kind, jwt, ...other }), ["https://own.example"]);
}

test("a file with one issuer is taken, and so is one with none", () => {
  read([{ issuer, claimMappings }]);
  read([]);
});

const refused: Readonly<Record<string, [object, RegExp]>> = {
  "an issuer without TLS": [{ issuer: { ...issuer, url: "http://a" } }, /jwt\[0\].issuer.url: .*must be https/],
  "the server's own issuer": [{ issuer: { ...issuer, url: "https://own.example" } }, /must not overlap/],
  "no audience": [{ issuer: { url: "https://a.example" } }, /at least one jwt\[0\].issuer.audiences is required/],
  "several audiences without a policy": [{ issuer: { ...issuer, audiences: ["a", "b"] } }, /must be MatchAny/],
  "an authority that is none": [{ issuer: { ...issuer, certificateAuthority: "x" } }, /valid certificates/],
  "no user name": [{ claimMappings: {} }, /username: Required value: claim or expression is required/],
  "a claim without a prefix": [{ claimMappings: { username: { claim: "sub" } } }, /prefix is required/],
  "a claim and an expression": [
    { claimMappings: { username: { claim: "sub", prefix: "", expression: "claims.sub" } } },
    /can't both be set/,
  ],
  "an expression that does not compile": [
    { claimMappings: { username: { expression: "claims.sub +" } } },
    /compilation failed/,
  ],
  "a rule that is no yes or no": [{ claimValidationRules: [{ expression: "'yes'" }] }, /must evaluate to bool/],
  "an address not asked to be verified": [
    { claimMappings: { username: { expression: "claims.email" } } },
    /email_verified must be used/,
  ],
  "a reserved extra key": [
    { claimMappings: { ...claimMappings, extra: [{ key: "a.k8s.io/b", valueExpression: "'x'" }] } },
    /reserved for Kubernetes/,
  ],
};

for (const [what, [change, why]] of Object.entries(refused)) {
  test(`a file with ${what} is refused`, () => {
    assert.throws(() => read([{ issuer, claimMappings, ...change }]), why);
  });
}

test("an expression over a verified address is taken", () => {
  const expression = "claims.email_verified ? claims.email : ''";
  read([{ issuer, claimMappings: { username: { expression } } }]);
});

test("two issuers of one URL are refused, and so are conditions for anonymous that is off", () => {
  const one = { issuer, claimMappings };
  assert.throws(() => read([one, one]), /Duplicate value/);
  assert.throws(
    () => read([], { anonymous: { enabled: false, conditions: [{ path: "/x" }] } }),
    /enabled should be set/,
  );
});
