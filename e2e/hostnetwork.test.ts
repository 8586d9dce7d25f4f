/**
 * A Supervisor of two hosts, each in a network namespace of its own with a wire between: pods reach each other as on one
 * host, and a cut wire loses nothing.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Node, Pod, Service } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import type { Transport } from "@atoll/client/transport";
import { eventually } from "@atoll/harness/client";
import { atollArguments, remainsOf, runAtoll } from "@atoll/harness/commands";
import { systemClock } from "@atoll/machinery/clock";
import { hostNames } from "@atoll/net/name";
import { run } from "@atoll/net/run";
import { inOwnNetwork, insideOwnNetwork, obstacle } from "@atoll/net/testing";
import { missingPackages } from "@atoll/processes/hostpackages";
import { buildWelcomeImage } from "@atoll/processes/welcome";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";

const why = (await obstacle()) ?? ((await missingPackages()).length > 0 ? "needs packages" : undefined);
const image = "atoll.local/welcome:v1";
const readyMs = 120_000;

if (insideOwnNetwork()) twoHosts();
else
  test("two hosts on a wire, in a namespace of their own", { skip: why ?? false }, async () => {
    const { code, output } = await inOwnNetwork(import.meta.filename);
    assert.equal(code, 0, output);
  });

function twoHosts(): void {
  describe("two hosts on a wire", () => {
    let folder: string;
    let first: string;
    let second: string;
    let client: Client;
    let transport: Transport;
    let ended: Promise<unknown> = Promise.resolve();
    let said = "";

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "atoll-wire-"));
      [first, second] = [join(folder, "first"), join(folder, "second")];
      await run("ip", ["netns", "add", "second"]);
      const lines = [
        "link add wire type veth peer name wire netns second",
        "address add 192.0.2.1/24 dev wire",
        "link set wire up",
        "route add default via 192.0.2.2",
      ];
      await run("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
      const theirs = [
        "link set lo up",
        "address add 192.0.2.2/24 dev wire",
        "link set wire up",
        "route add default via 192.0.2.1",
      ];
      await run("ip", ["-netns", "second", "-batch", "-"], `${theirs.join("\n")}\n`);
      const up = await runAtoll(
        ...["up", "--background", "--data", first, "--bind", "192.0.2.1"],
        ...["--api-port", "0", "--kubelet-port", "0", "--gateway-port", "0"],
      );
      assert.equal(up.code, 0, up.text);
      ({ transport } = await openKubeconfig({ path: join(first, "admin.kubeconfig"), clock: systemClock }));
      client = new Client({ transport, clock: systemClock, userAgent: "test" });
      const { text } = await runAtoll("host", "token", "--data", first);
      const [, hub = "", token = ""] = /host join (\S+) --token (\S+)/.exec(text) ?? assert.fail(text);
      const join2 = ["host", "join", hub, "--token", token, "--data", second, "--node", "second", "--port", "0"];
      const child = spawn("ip", ["netns", "exec", "second", process.execPath, ...atollArguments(...join2)]);
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += String(chunk)));
      ended = once(child, "exit");
      await eventually("the second host is ready", async () => await isReady("second"), readyMs);
      for (const data of [first, second]) await buildWelcomeImage(data);
      const names = (await client.list(Node)).items.map(({ metadata }) => metadata.name ?? "");
      const here = names.find((name) => name !== "second") ?? "";
      await Promise.all([start("caller", here), start("web", "second")]);
      for (const name of ["caller", "web"]) {
        await eventually(`${name} runs`, async () => (await pod(name)).status.phase === "Running", readyMs);
      }
    });
    after(async () => {
      await run("ip", ["netns", "exec", "second", process.execPath, ...atollArguments("down", "--data", second)]).catch(
        () => undefined,
      );
      await runAtoll("down", "--data", first);
      transport.close();
      await ended;
      const left = [...(await remainsOf(first)), ...(await remainsOf(second))];
      const links = await run("ip", ["-netns", "second", "link"]);
      assert.ok(!links.includes(hostNames(second).overlay), links);
      await run("ip", ["netns", "delete", "second"]);
      await rm(folder, { recursive: true, force: true });
      assert.deepEqual(left, [], said);
    });

    async function isReady(name: string): Promise<boolean> {
      const found = await client.get(Node, toKey(undefined, name)).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      return found?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
    }
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
      const { text } = await runAtoll("kubectl", "--data", first, "exec", "caller", "--", ...get);
      return text.includes("Hello from a pod");
    }
    async function counted(): Promise<number> {
      const { table } = hostNames(second);
      const text = await run("ip", [
        "netns",
        "exec",
        "second",
        "nft",
        "list",
        "counter",
        "ip",
        table,
        "refused_by_pods",
      ]);
      return Number(/packets (\d+)/.exec(text)?.[1]);
    }
    async function verdict(): Promise<string> {
      return (await runAtoll("why", "--data", first, "caller", "web:8080")).text;
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
      await run("ip", ["-batch", "-"], "link set wire up\nroute replace default via 192.0.2.2\n");
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
