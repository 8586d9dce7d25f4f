import assert from "node:assert/strict";
import test, { after, afterEach } from "node:test";
import { takenPortsAnnotation } from "@atoll/api/supervisor/annotations";
import { Event, Node, Service } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { loadBalancerController } from "./controller.ts";
import { parsePool } from "./pool.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());
await host("one", "192.0.2.1", true);
await host("two", "192.0.2.2", false);

afterEach(async () => {
  for (const { metadata } of (await client.list(Service)).items)
    if (metadata.name !== "kubernetes") await client.delete(Service, key(metadata.name ?? ""));
});

const key = (name: string) => toKey("default", name);
const start = (pool?: string) =>
  startControllers(harness, [loadBalancerController(pool === undefined ? undefined : parsePool(pool))]);
const make = async (name: string, spec: object = {}) =>
  await client.create(Service, {
    metadata: { name, namespace: "default" },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }], ...spec },
  } as Parameters<typeof client.create<Service>>[1]);

/** Where it is reached, as `192.0.2.1 80/TCP`. */
async function place(name: string): Promise<string> {
  const [found] = (await client.get(Service, key(name))).status?.loadBalancer?.ingress ?? [];
  const ports = (found?.ports ?? []).map(({ port, protocol }) => `${port}/${protocol}`);
  return [found?.ip ?? "nowhere", ...ports].join(" ");
}
const placed = async (name: string, wanted: string) =>
  await eventually(`${name} is at ${wanted}`, async () => (await place(name)) === wanted);

const told = async (name: string, words: RegExp) =>
  await eventually(`an event of ${name} says ${words.source}`, async () =>
    (await client.list(Event)).items.some(({ regarding, note = "" }) => regarding?.name === name && words.test(note)),
  );

async function host(name: string, address: string, ready: boolean): Promise<void> {
  const known = await client.get(Node, toKey(undefined, name)).catch(() => undefined);
  const annotations = { [takenPortsAnnotation]: "22/TCP,443/TCP" };
  const node = known ?? (await client.create(Node, { metadata: { name, annotations } }));
  const condition = { type: "Ready", status: ready ? "True" : "False" };
  const status = { conditions: [condition], addresses: [{ type: "InternalIP", address }] };
  await client.setStatus(Node, { object: node, status: status as Node["status"] }, {});
}

test("without a pool a LoadBalancer is reached at a host's own address, by its own port if that is free", async () => {
  await using workshop = start();
  await make("web");
  await placed("web", "192.0.2.1 80/TCP");
  await make("twin", { ports: [{ port: 80, nodePort: 30_777 }] });
  await placed("twin", "192.0.2.1 30777/TCP");
  await told("twin", /80\/TCP is 30777 there/);
  await make("secure", { ports: [{ port: 443, nodePort: 30_778 }] });
  await placed("secure", "192.0.2.1 30778/TCP");
  await client.delete(Service, key("web"));
  await placed("twin", "192.0.2.1 80/TCP");
  await host("two", "192.0.2.2", true);
  await host("one", "192.0.2.1", false);
  await placed("twin", "192.0.2.2 80/TCP");
  await host("one", "192.0.2.1", true);
  await host("two", "192.0.2.2", false);
  await workshop.quiet();
  assert.deepEqual(workshop.complaints, []);
});

test("a pool gives each LoadBalancer an address, says what to do when it is used up, and takes addresses back", async () => {
  await using _ = start("198.51.100.7-198.51.100.8");
  await make("a");
  await placed("a", "198.51.100.7 80/TCP");
  await make("b", { loadBalancerIP: "198.51.100.8" });
  await placed("b", "198.51.100.8 80/TCP");
  await make("c");
  await told("c", /all 2 addresses of the pool .* are taken: delete a LoadBalancer, or enlarge the pool/);
  assert.equal(await place("c"), "nowhere");
  await client.delete(Service, key("a"));
  await placed("c", "198.51.100.7 80/TCP");
  await make("d", { loadBalancerIP: "203.0.113.1" });
  await told("d", /203\.0\.113\.1 cannot be had: it is not of the pool/);
  assert.equal((await client.get(Service, key("c"))).status?.conditions?.[0]?.message, "one");
});

test("one that is no LoadBalancer any more is told so; one of another class is left alone", async () => {
  await using workshop = start();
  await make("later");
  const other = await make("other", { loadBalancerClass: "example.com/else" });
  const ingress = [{ ip: "203.0.113.1" }];
  await client.setStatus(Service, { object: other, status: { loadBalancer: { ingress } } as Service["status"] }, {});
  await placed("later", "192.0.2.1 80/TCP");
  await client.patch(Service, { key: key("later"), patch: { type: "merge", body: { spec: { type: "ClusterIP" } } } });
  await placed("later", "nowhere");
  await eventually("its condition is gone", async () => {
    return ((await client.get(Service, key("later"))).status?.conditions ?? []).length === 0;
  });
  await workshop.quiet();
  assert.equal(await place("other"), "203.0.113.1");
});
