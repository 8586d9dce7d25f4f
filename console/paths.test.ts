import assert from "node:assert/strict";
import { test } from "node:test";
import { resourceOf } from "./model/resources.ts";
import { paths } from "./paths.ts";

test("paths are what people have in their bookmarks", () => {
  const pods = resourceOf("pods");
  const nodes = resourceOf("nodes");
  assert(pods !== undefined && nodes !== undefined);
  assert.deepEqual(
    [
      paths.home(),
      paths.signIn(),
      paths.list(pods),
      paths.list(pods, { ns: "shop", q: "a b", sort: "-Age" }),
      paths.object(pods, "shop", "web-1"),
      paths.object(pods, "shop", "web-1", "logs"),
      paths.object(nodes, undefined, "host-1"),
      paths.create("shop"),
    ],
    [
      "/",
      "/sign-in",
      "/k/pods",
      "/k/pods?ns=shop&q=a+b&sort=-Age",
      "/k/pods/shop/web-1",
      "/k/pods/shop/web-1?tab=logs",
      "/k/nodes/-/host-1",
      "/create?ns=shop",
    ],
  );
});
