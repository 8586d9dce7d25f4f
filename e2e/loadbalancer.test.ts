/**
 * LoadBalancers, reached from a network namespace outside the host's pod network: at the host's own address on day one, at
 * a pool's once there is one.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Event, Pod, Service } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import type { Transport } from "@atoll/client/transport";
import { eventually } from "@atoll/harness/client";
import { remainsOf, runAtoll } from "@atoll/harness/commands";
import { systemClock } from "@atoll/machinery/clock";
import { run } from "@atoll/net/run";
import { inOwnNetwork, insideOwnNetwork, Neighbour } from "@atoll/net/testing";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { lacking } from "./lacking.ts";

const hostAddress = "192.0.2.1";
const pooled = "192.0.2.100";
const patienceMs = 120_000;

if (insideOwnNetwork()) loadBalancers();
else
  test("LoadBalancers, on a host in a namespace of its own", { skip: await lacking() }, async () => {
    const { code, output } = await inOwnNetwork(import.meta.filename);
    assert.equal(code, 0, output);
  });

function loadBalancers(): void {
  describe("LoadBalancers", () => {
    const world = new Neighbour("world");
    let data: string;
    let client: Client;
    let transport: Transport;

    before(async () => {
      data = await mkdtemp(join(tmpdir(), "atoll-balanced-"));
      await run("ip", ["netns", "add", world.name]);
      const lines = [
        "link add wire type veth peer name eth0 netns world",
        `address add ${hostAddress}/24 dev wire`,
        "link set wire up",
        "route add default via 192.0.2.9",
      ];
      await run("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
      await world.configure(["link set lo up", "address add 192.0.2.9/24 dev eth0", "link set eth0 up"]);
      await up();
    });
    after(async () => {
      transport.close();
      await runAtoll("down", "--data", data);
      const left = await remainsOf(data);
      const addresses = await run("ip", ["address", "show", "dev", "lo"]);
      await world.stop();
      await rm(data, { recursive: true, force: true });
      assert.deepEqual(left, []);
      assert.ok(!addresses.includes(pooled), addresses);
    });

    async function up(...more: string[]): Promise<void> {
      const ports = ["--api-port", "0", "--kubelet-port", "0", "--gateway-port", "0"];
      const { code, text } = await runAtoll("up", "--background", "--data", data, ...ports, ...more);
      assert.equal(code, 0, text);
      ({ transport } = await openKubeconfig({ path: join(data, "admin.kubeconfig"), clock: systemClock }));
      client = new Client({ transport, clock: systemClock, userAgent: "test" });
    }
    const make = async (name: string, spec: object = {}) =>
      await client.create(Service, {
        metadata: { name, namespace: "default" },
        spec: { type: "LoadBalancer", selector: { app: "balanced" }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
      } as Parameters<typeof client.create<Service>>[1]);
    const read = async (name: string) => await client.get(Service, toKey("default", name));
    const ingress = async (name: string) => (await read(name)).status?.loadBalancer?.ingress?.[0];
    async function isReached(address: string, port: number): Promise<boolean> {
      const get = `fetch("http://${address}:${port}/", { signal: AbortSignal.timeout(3000) }).then(async (answer) => process.stdout.write(await answer.text()))`;
      const args = ["netns", "exec", world.name, process.execPath, "-e", get];
      return (await run("ip", args).catch(() => "")).includes("Hello from a pod");
    }
    const reached = async (address: string, port: number, wanted = true) =>
      await eventually(
        `${address}:${port} is ${wanted ? "" : "not "}reached`,
        async () => (await isReached(address, port)) === wanted,
        patienceMs,
      );

    test("with no pool, an application is reached at the host's own address", async () => {
      const image = "atoll.local/welcome:v1";
      const spec = { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image }] };
      await client.create(Pod, { metadata: { name: "web", namespace: "default", labels: { app: "balanced" } }, spec });
      await make("web");
      await eventually("it is told where", async () => (await ingress("web")) !== undefined, patienceMs);
      const at = await ingress("web");
      assert.deepEqual([at?.ip, at?.ports?.[0]?.port], [hostAddress, 80]);
      await reached(hostAddress, 80);
      const { text } = await runAtoll("why", "--data", data, "192.0.2.9", "web:8080");
      assert.match(text, /let through\n {2}Service default\/web lets those outside in at 192\.0\.2\.1:80/);
      await assert.rejects(make("ported", { type: "NodePort" }), /spec\.type: "NodePort" is denied/);
    });

    test("who is in none of the source ranges gets no answer", async () => {
      const ranged = async (range: string) => {
        const patch = { type: "merge", body: { spec: { loadBalancerSourceRanges: [range] } } } as const;
        await client.patch(Service, { key: toKey("default", "web"), patch });
      };
      await ranged("198.51.100.0/24");
      await reached(hostAddress, 80, false);
      const { text } = await runAtoll("why", "--data", data, "192.0.2.9", "web:8080");
      assert.match(text, /refused\n.*192\.0\.2\.9 is in none of its source ranges/);
      await ranged("192.0.2.8/29");
      await reached(hostAddress, 80);
    });

    test("with a pool, its address is announced; the pool used up says what to do; a deleted one gives back", async () => {
      transport.close();
      assert.equal((await runAtoll("down", "--data", data)).code, 0);
      await up("--load-balancer-pool", `${pooled}-${pooled}`);
      await reached(pooled, 80);
      assert.equal((await ingress("web"))?.ip, pooled);
      await make("second");
      await eventually("an event says what to do", async () =>
        (await client.list(Event)).items.some(
          ({ regarding, note = "" }) => regarding?.name === "second" && /pool .* delete a LoadBalancer/.test(note),
        ),
      );
      assert.equal(await ingress("second"), undefined);
      await client.delete(Service, toKey("default", "web"));
      await eventually("the other has the address", async () => (await ingress("second"))?.ip === pooled);
      await reached(pooled, 80);
      await client.delete(Service, toKey("default", "second"));
      await reached(pooled, 80, false);
    });
  });
}
