import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatReference, parseReference } from "./reference.ts";

const sha = `sha256:${"a".repeat(64)}`;

test("parseReference() fills in what is left out", () => {
  const cases: Record<string, string> = {
    nginx: "docker.io/library/nginx:latest",
    "nginx:1.25": "docker.io/library/nginx:1.25",
    "org/app": "docker.io/org/app:latest",
    "index.docker.io/nginx": "docker.io/library/nginx:latest",
    "docker.io/org/app:x": "docker.io/org/app:x",
    "localhost/app": "localhost/app:latest",
    "localhost:5000/app:v1": "localhost:5000/app:v1",
    "registry.example.com/a/b__c/d-e.f:V_1.2-3": "registry.example.com/a/b__c/d-e.f:V_1.2-3",
    "[fd00::1]:5000/app": "[fd00::1]:5000/app:latest",
    [`nginx@${sha}`]: `docker.io/library/nginx@${sha}`,
    [`r.io/app:v1@${sha}`]: `r.io/app@${sha}`,
  };
  for (const [text, want] of Object.entries(cases)) assert.equal(formatReference(parseReference(text)), want);
});

test("parseReference() keeps the tag beside a digest", () => {
  assert.equal(parseReference(`nginx:1@${sha}`).tag, "1");
  assert.equal(parseReference(`nginx@${sha}`).tag, undefined);
});

test("parseReference() refuses what is no name", () => {
  const bad = [
    "",
    ":",
    "/",
    "a//b",
    "UPPER",
    "r.io/UPPER",
    "a:",
    "a:-x",
    `a:${"t".repeat(129)}`,
    "a b",
    "../x",
    "r.io/../x",
    "a@sha256:1",
    `a@md5:${"a".repeat(32)}`,
    "http://r.io/a",
    "r.io:x/a",
    "-r.io/a",
    "a\n",
    "a".repeat(300),
    "r.io/",
    "a?b",
    "a#b",
    "user@r.io/a",
  ];
  for (const text of bad)
    assert.throws(() => parseReference(text), { name: "ImagePullFailed", fault: "InvalidName" }, text);
});

test("a normalized name means itself", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9.:/@_-]{1,40}$/), (text) => {
      let once: string;
      try {
        once = formatReference(parseReference(text));
      } catch {
        return;
      }
      assert.equal(formatReference(parseReference(once)), once);
    }),
  );
});
