import assert from "node:assert/strict";
import { test } from "node:test";
import { relocated } from "./location.ts";

const proxy = "/api/v1/namespaces/shop/services/web/proxy";
const hosts = ["10.0.0.7:80", "10.0.0.7", "api:6443"];
const at = (location: string) => relocated(location, proxy, hosts);

test("relocated() puts paths of the backend below the proxy, once", () => {
  assert.equal(at("/login?next=/"), `${proxy}/login?next=/`);
  assert.equal(at("http://10.0.0.7/a/"), `${proxy}/a/`);
  assert.equal(at("https://api:6443/a#b"), `${proxy}/a#b`);
  assert.equal(at(`${proxy}/a`), `${proxy}/a`);
  assert.equal(at(`https://api:6443${proxy}/a`), `${proxy}/a`);
});

test("relocated() leaves other hosts, relative paths and what is no path alone", () => {
  for (const location of [
    "https://example.com/a",
    "//example.com/a",
    "next",
    "?x",
    "",
    "mailto:/a",
    "http://10.0.0.70/",
  ])
    assert.equal(at(location), location);
});
