import assert from "node:assert/strict";
import { request } from "node:https";
import { test } from "node:test";
import { startHarness } from "@atoll/harness/server";

const path = "/api/v1/namespaces/default/configmaps";
const watchers = 30;
const created = 60;

test("a crowd of watchers is told of each change once and in order, each of what it selects", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  const connection = { host: "127.0.0.1", port: harness.server.port, agent: false, ...harness.tls } as const;
  const made = (i: number) => ({ metadata: { name: `c-${i}`, labels: { parity: i % 2 === 0 ? "even" : "odd" } } });
  const list = await harness.send("GET", path);
  const { resourceVersion } = (list.json?.["metadata"] ?? {}) as { resourceVersion?: string };
  const selectors = ["", "&labelSelector=parity%3Deven", "&labelSelector=parity%3Dodd"];
  const told = Array.from({ length: watchers }, (_, i) => {
    const selector = selectors[i % selectors.length] ?? "";
    return { selector, names: watched(`${path}?watch=1&resourceVersion=${resourceVersion}${selector}`) };
  });
  // Several at once, so that events of one commit and of several come together.
  for (let i = 0; i < created; i += 6) {
    const bodies = Array.from({ length: 6 }, (_, k) => made(i + k));
    await Promise.all(bodies.map((body) => harness.send("POST", path, { body })));
  }
  const versions = await harness.send("GET", path);
  const items = (versions.json?.["items"] ?? []) as ReturnType<typeof stored>[];
  const order = items.toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion));
  for (const { selector, names } of told) {
    const mine = order.filter(({ metadata }) => selector.endsWith(metadata.labels.parity) || selector === "");
    assert.deepEqual(
      await names,
      mine.map(({ metadata }) => metadata.name),
    );
  }

  function stored(i: number) {
    const { metadata } = made(i);
    return { metadata: { ...metadata, resourceVersion: "" } };
  }

  /** The names in a watch's events until all are there that are to come. */
  function watched(target: string): Promise<string[]> {
    const expected = target.includes("parity") ? created / 2 : created;
    const names: string[] = [];
    return new Promise((resolve, reject) => {
      const sent = request({ ...connection, path: target }, (response) => {
        let rest = "";
        response.on("data", (chunk: Buffer) => {
          const lines = (rest + chunk.toString()).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) names.push(JSON.parse(line).object.metadata.name);
          if (names.length >= expected) sent.destroy();
        });
        response.on("close", () => resolve(names));
      });
      sent.on("error", reject).end();
    });
  }
});
