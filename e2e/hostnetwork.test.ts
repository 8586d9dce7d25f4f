/**
 * A Supervisor of two hosts, each in a network namespace of its own with a wire between: pods reach each other as on one
 * host, and a cut wire loses nothing.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Pod, Service } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { eventually } from "@atoll/harness/client";
import { runAtoll } from "@atoll/harness/commands";
import { hostNames } from "@atoll/net/name";
import { run } from "@atoll/net/run";
import { inOwnNetwork, insideOwnNetwork } from "@atoll/net/testing";
import { lacking } from "./lacking.ts";
import { addressesAtSwitch, inNamespace, secondName, TwoHosts } from "./twohosts.ts";

const image = "atoll.local/welcome:v1";
const readyMs = 120_000;

if (insideOwnNetwork()) twoHosts();
else
  test("two hosts on a wire, in a namespace of their own", { skip: await lacking() }, async () => {
    const { code, output } = await inOwnNetwork(import.meta.filename);
    assert.equal(code, 0, output);
  });

function twoHosts(): void {
  describe("two hosts on a wire", () => {
    let hosts: TwoHosts;
    let client: Client;

    before(async () => {
      hosts = await TwoHosts.start();
      ({ client } = hosts);
      await Promise.all([start("caller", hosts.firstName), start("web", secondName)]);
      for (const name of ["caller", "web"]) {
        await eventually(`${name} runs`, async () => (await pod(name)).status.phase === "Running", readyMs);
      }
    });
    after(async () => await hosts.stop());

    const pod = async (name: string) => await client.get(Pod, toKey("default", name));
    async function start(name: string, nodeName: string): Promise<void> {
      const containers = [{ name: "c", image, ports: [{ containerPort: 8080 }] }];
      await client.create(Pod, {
        metadata: { name, namespace: "default", labels: { app: name } },
        spec: { nodeName, terminationGracePeriodSeconds: 1, containers },
      });
    }
    async function calls(address: string, port: number): Promise<boolean> {
      const get = ["timeout", "3", "wget", "-q", "-O", "-", `http://${address}:${port}/`];
      const { text } = await hosts.kubectl("exec", "caller", "--", ...get);
      return text.includes("Hello from a pod");
    }
    async function counted(): Promise<number> {
      const { table } = hostNames(hosts.second);
      const text = await inNamespace(secondName, "nft", "list", "counter", "ip", table, "refused_by_pods");
      return Number(/packets (\d+)/.exec(text)?.[1]);
    }
    async function verdict(): Promise<string> {
      return (await runAtoll("why", "--data", hosts.first, "caller", "web:8080")).text;
    }
    const address = async () => (await pod("web")).status.podIP ?? "";

    test("a pod of another host is refused, there, and counted", async () => {
      const before = await counted();
      assert.equal(await calls(await address(), 8080), false);
      await eventually("it is counted", async () => (await counted()) > before);
      assert.match(await verdict(), /refused\n {2}pods do not reach each other but through a Service/);
    });

    test("a Service opens the way, by its address and the endpoint's", async () => {
      const ports = [{ port: 80, targetPort: 8080 }];
      await client.create(Service, {
        metadata: { name: "web", namespace: "default" },
        spec: { selector: { app: "web" }, ports },
      });
      const { spec } = await client.get(Service, toKey("default", "web"));
      await eventually("it is open", async () => await calls(spec.clusterIP ?? "", 80), 30_000);
      assert.equal(await calls(await address(), 8080), true);
      assert.match(await verdict(), /let through\n {2}Service default\/web opens the way/);
    });

    test("a cut wire refuses nothing for good and loses no pod", async () => {
      const uids = async () =>
        (await client.list(Pod, { namespace: "default" })).items.map(({ metadata }) => metadata.uid);
      const before = await uids();
      await run("ip", ["link", "set", "wire", "down"]);
      assert.equal(await calls(await address(), 8080), false);
      assert.deepEqual(await uids(), before);
      await run("ip", ["-batch", "-"], `link set wire up\nroute replace default via ${addressesAtSwitch.second}\n`);
      await eventually("they reach each other again", async () => await calls(await address(), 8080), 30_000);
      assert.deepEqual(await uids(), before);
      const found = await pod("web");
      assert.equal(found.status.containerStatuses?.[0]?.restartCount, 0);
    });

    test("deleting the Service closes the way", async () => {
      await client.delete(Service, toKey("default", "web"));
      await eventually("it is closed", async () => !(await calls(await address(), 8080)), 30_000);
    });
  });
}
