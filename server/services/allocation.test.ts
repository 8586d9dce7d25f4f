import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually } from "@atoll/harness/client";
import { type Harness, startHarness } from "@atoll/harness/server";
import { openMemory } from "@atoll/storage/memory";

const services = "/api/v1/namespaces/default/services";
const store = openMemory();
let servers: readonly [Harness, Harness];

before(async () => {
  // They share a store, and the first to close closes it under the other.
  const onError = () => {};
  servers = [await startHarness({ store, onError }), await startHarness({ store, onError })];
});
after(async () => {
  for (const server of servers) await server.close();
});

const body = (name: string, port: object, spec: object = {}) => ({
  body: { metadata: { name }, spec: { type: "NodePort", ports: [{ port: 80, ...port }], ...spec } },
});

interface Given {
  readonly spec: { readonly clusterIP: string; readonly ports: readonly { readonly nodePort: number }[] };
}

test("of two servers asked for one node port at the same moment, one gives it", async () => {
  for (let i = 0; i < 20; i++) {
    const nodePort = 31_000 + i;
    const answers = await Promise.all(
      servers.map((server, j) => server.send("POST", services, body(`asked-${i}-${j}`, { nodePort }))),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201, 422]));
    assert.match(answers.map(({ text }) => text).join(), /provided port is already allocated/);
  }
});

test("of two servers asked for one address at the same moment, one gives it", async () => {
  for (let i = 0; i < 20; i++) {
    const clusterIP = `10.96.0.${20 + i}`;
    const answers = await Promise.all(
      servers.map((server, j) => server.send("POST", services, body(`address-${i}-${j}`, {}, { clusterIP }))),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201, 422]));
  }
});

test("what is given without being asked for is given once", async () => {
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) => servers[i % 2 === 0 ? 0 : 1].send("POST", services, body(`any-${i}`, {}))),
  );
  const given = answers.map(({ json }) => (json as unknown as Given).spec);
  assert.equal(new Set(given.map(({ clusterIP }) => clusterIP)).size, 60);
  assert.equal(new Set(given.map(({ ports }) => ports[0]?.nodePort)).size, 60);
});

test("what a Service had is free when it has gone, and when nothing came of it", async () => {
  const [one, other] = servers;
  const { json } = await one.send("POST", services, body("first", {}));
  const nodePort = (json as unknown as Given).spec.ports[0]?.nodePort ?? 0;
  assert.equal((await other.send("POST", services, body("second", { nodePort }))).status, 422);
  assert.equal((await one.send("DELETE", `${services}/first`)).status, 200);
  await untilFree(nodePort);
  // Of the same name as one that is there: refused after it was given a port.
  assert.equal((await one.send("POST", services, body("asked-0-0", { nodePort }))).status >= 409, true);
  await untilFree(nodePort);
  assert.equal((await other.send("POST", services, body("second", { nodePort }))).status, 201);
});

const untilFree = (nodePort: number) =>
  eventually(
    `${nodePort} is given back`,
    async () => (await store.get(`/registry/claims/services/${nodePort}/TCP`)) === undefined,
  );
