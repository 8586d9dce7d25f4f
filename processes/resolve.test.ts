import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..");

test("resolveOwnModules() takes names as every package exports them", () => {
  const manifests = globSync("*/package.json", { cwd: root });
  const named = manifests.map((path) => ({ path, ...JSON.parse(readFileSync(join(root, path), "utf8")) }));
  const ours = named.filter(({ name }) => String(name).startsWith("@atoll/"));
  assert.ok(ours.length > 10);
  for (const { path, name, exports } of ours) {
    assert.equal(`${name.slice("@atoll/".length)}/package.json`, path);
    if (exports !== undefined) assert.deepEqual(exports, { "./*": "./*.ts" }, path);
  }
});

test("resolveOwnModules() finds the very module that Node finds", async () => {
  const before = import.meta.resolve("@atoll/machinery/clock");
  const { resolveOwnModules } = await import("./resolve.ts");
  resolveOwnModules();
  assert.equal(import.meta.resolve("@atoll/machinery/clock"), before);
  assert.equal(await import("@atoll/machinery/json/json"), await import("../machinery/json/json.ts"));
});
