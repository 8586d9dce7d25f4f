/** Ingresses, reached from a network namespace outside the host's pod network. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Gateway } from "@atoll/api/gatewayapi/gateway";
import { HTTPRoute } from "@atoll/api/gatewayapi/httproute";
import { gatewayImage, gatewayName, gatewayNamespace } from "@atoll/api/supervisor/gateway";
import { Event, Ingress, Namespace, Pod, Secret, Service, ServiceAccount } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import type { Transport } from "@atoll/client/transport";
import { eventually } from "@atoll/harness/client";
import { remainsOf, runAtoll } from "@atoll/harness/commands";
import { ImageStore } from "@atoll/images/store/store";
import { systemClock } from "@atoll/machinery/clock";
import { run } from "@atoll/net/run";
import { inOwnNetwork, insideOwnNetwork, Neighbour } from "@atoll/net/testing";
import { gatewayImages } from "@atoll/processes/gatewayimage";
import { buildWelcomeImage } from "@atoll/processes/up/welcome";
import { selfSigned } from "@atoll/runtime/certificates/selfsigned";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { openBrowser } from "./browser.ts";
import { lacking } from "./lacking.ts";

const hostAddress = "192.0.2.1";
const patienceMs = 60_000;
const dataVariable = "ATOLL_TEST_DATA";

if (insideOwnNetwork()) gateway();
else
  test("the gateway, on a host in a namespace of its own", { skip: await lacking() }, async () => {
    const data = await mkdtemp(join(tmpdir(), "atoll-gateway-"));
    try {
      // There is no way to Debian's mirrors from within.
      await buildWelcomeImage(data);
      await gatewayImages().make(
        gatewayImage,
        await ImageStore.open({ dir: join(data, "images"), clock: systemClock }),
      );
      process.env[dataVariable] = data;
      const { code, output } = await inOwnNetwork(import.meta.filename);
      assert.equal(code, 0, output);
    } finally {
      await rm(data, { recursive: true, force: true });
    }
  });

function gateway(): void {
  describe("the gateway", () => {
    const world = new Neighbour("world");
    const data = process.env[dataVariable] ?? "";
    let client: Client;
    let transport: Transport;

    before(async () => {
      await run("ip", ["netns", "add", world.name]);
      const lines = [
        "link add wire type veth peer name eth0 netns world",
        `address add ${hostAddress}/24 dev wire`,
        "link set wire up",
        "route add default via 192.0.2.9",
      ];
      await run("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
      await world.configure(["link set lo up", "address add 192.0.2.9/24 dev eth0", "link set eth0 up"]);
      const ports = ["--api-port", "0", "--kubelet-port", "0", "--gateway-port", "0"];
      const { code, text } = await runAtoll("up", "--background", "--no-demo", "--data", data, ...ports);
      assert.equal(code, 0, text);
      ({ transport } = await openKubeconfig({ path: join(data, "admin.kubeconfig"), clock: systemClock }));
      client = new Client({ transport, clock: systemClock, userAgent: "test" });
      await Promise.all(["shop", "blog"].map(make));
    });
    after(async () => {
      transport.close();
      await runAtoll("down", "--data", data);
      const left = await remainsOf(data);
      await world.stop();
      assert.deepEqual(left, []);
    });

    /** A namespace with a pod that answers with the namespace's name, and a Service before it. */
    async function make(namespace: string): Promise<void> {
      await client.create(Namespace, { metadata: { name: namespace } });
      await eventually("there is an account", async () =>
        client.get(ServiceAccount, toKey(namespace, "default")).then(
          () => true,
          () => false,
        ),
      );
      const serve = `mkdir -p /tmp/w/deep && echo ${namespace} | tee /tmp/w/index.html > /tmp/w/deep/index.html && httpd -f -p 8080 -h /tmp/w`;
      const container = { name: "c", image: "atoll.local/welcome:v1", command: ["sh", "-c", serve] };
      const spec = { terminationGracePeriodSeconds: 1, containers: [container] };
      const metadata = { name: "web", namespace, labels: { app: "web" } };
      await client.create(Pod, { metadata, spec });
      const ports = [{ name: "http", port: 80, targetPort: 8080 }];
      await client.create(Service, { metadata, spec: { selector: { app: "web" }, ports } });
    }

    /** What is answered to somebody outside, as `200 text`. */
    async function asked(url: string, ...args: string[]): Promise<string> {
      const { hostname, port, protocol } = new URL(url);
      const number = port === "" ? { "http:": 80, "https:": 443 }[protocol] : port;
      const resolve = ["--resolve", `${hostname}:${number}:${hostAddress}`];
      const curl = ["curl", "-sS", "-m", "5", "-w", " %{http_code}", ...resolve, ...args, url];
      const answer = await run("ip", ["netns", "exec", world.name, ...curl]).catch((error: Error) => error.message);
      return answer.replace(/^(.*?)\s* (\d+)$/s, "$2 $1");
    }
    async function answers(url: string, wanted: RegExp, ...args: string[]): Promise<void> {
      let last = "";
      await eventually(
        `${url} is answered ${wanted.source}`,
        async () => wanted.test((last = await asked(url, ...args))),
        patienceMs,
      ).catch(async (error: Error) => {
        const pods = (await client.list(Pod)).items.map(({ metadata, status }) => [
          metadata.namespace,
          metadata.name,
          status,
        ]);
        const events = (await client.list(Event)).items.map(({ regarding, note, reason }) => [
          regarding?.name,
          reason,
          note,
        ]);
        assert.fail(`${error.message}, but: ${last} ${JSON.stringify([pods, events], undefined, 1)}`);
      });
    }

    const rule = (host: string, ...paths: string[]) => ({
      host,
      http: {
        paths: paths.map((path) => ({
          path,
          pathType: "Prefix",
          backend: { service: { name: "web", port: { name: "http" } } },
        })),
      },
    });

    test("an Ingress is reached by name and path, with its certificate", async () => {
      const { cert, key } = await selfSigned("shop.test", ["shop.test"], systemClock.nowMs());
      const pair = { "tls.crt": Buffer.from(cert).toString("base64"), "tls.key": Buffer.from(key).toString("base64") };
      const secret = { metadata: { name: "cert", namespace: "shop" }, type: "kubernetes.io/tls", data: pair };
      await client.create(Secret, secret);
      const tls = [{ hosts: ["shop.test"], secretName: "cert" }];
      const spec = { rules: [rule("shop.test", "/index.html", "/deep")], tls };
      await client.create(Ingress, { metadata: { name: "front", namespace: "shop" }, spec });
      await answers("http://shop.test/deep/", /^200 shop$/);
      await answers("http://shop.test/deeper", /^404/);
      await answers("http://blog.test/deep/", /^404/);
      const authority = join(data, "shop.pem");
      await writeFile(authority, cert);
      await answers("https://shop.test/index.html", /^200 shop$/, "--cacert", authority);
      await answers("https://blog.test/", /SSL|TLS/, "-k");
      await eventually("it says where", async () => {
        const { status } = await client.get(Ingress, toKey("shop", "front"));
        return status?.loadBalancer?.ingress?.[0]?.ip === hostAddress;
      });
    });

    test("why names the Ingress; the way is open as long as it is", async () => {
      const { items } = await client.list(Pod, { namespace: gatewayNamespace });
      const asks = async (namespace: string) => {
        const args = ["why", "--data", data, `${gatewayNamespace}/${items[0]?.metadata.name}`, `${namespace}/web:8080`];
        return (await runAtoll(...args)).text;
      };
      assert.match(await asks("shop"), /let through\n.*for Ingress shop\/front leads the gateway there/);
      assert.match(await asks("blog"), /refused\n.*not exported to atoll-system/);
    });

    test("another namespace's Ingress joins without a break; it cannot have the first one's host", async () => {
      const rules = [rule("blog.test", "/"), rule("shop.test", "/index.html/stolen")];
      const steady = (async () => {
        const seen = new Set<string>();
        for (let n = 0; n < 30; n++) seen.add(await asked("http://shop.test/deep/"));
        return [...seen];
      })();
      await client.create(Ingress, { metadata: { name: "front", namespace: "blog" }, spec: { rules } });
      await answers("http://blog.test/", /^200 blog$/);
      await answers("http://shop.test/index.html", /^200 shop$/);
      assert.deepEqual(await steady, ["200 shop"]);
      await eventually("it is told", async () =>
        (await client.list(Event, { namespace: "blog" })).items.some(({ note = "" }) =>
          /belongs to another/.test(note),
        ),
      );
    });

    test("an HTTPRoute joins a Gateway and leads to its Service", async () => {
      const allowedRoutes = { namespaces: { from: "All" } };
      const listeners = [{ name: "http", port: 80, protocol: "HTTP", hostname: "*.routed.test", allowedRoutes }];
      const gateway = { metadata: { name: "edge", namespace: "shop" }, spec: { gatewayClassName: "atoll", listeners } };
      await client.create(Gateway, gateway as Parameters<typeof client.create<Gateway>>[1]);
      const urlRewrite = { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/deep" } };
      const spec = {
        parentRefs: [{ name: "edge", namespace: "shop" }],
        hostnames: ["blog.routed.test"],
        rules: [
          {
            matches: [{ path: { value: "/old" }, headers: [{ name: "X-Who", value: "a b" }] }],
            filters: [{ type: "URLRewrite", urlRewrite }],
            backendRefs: [{ name: "web", port: 80 }],
          },
        ],
      };
      const route = { metadata: { name: "route", namespace: "blog" }, spec };
      await client.create(HTTPRoute, route as Parameters<typeof client.create<HTTPRoute>>[1]);
      await answers("http://blog.routed.test/old/index.html", /^200 blog$/, "-H", "X-Who: a b");
      await answers("http://blog.routed.test/old/index.html", /^404/);
      await eventually("the Gateway is programmed", async () => {
        const { status } = await client.get(Gateway, toKey("shop", "edge"));
        const isProgrammed = status?.conditions?.some(
          ({ type, status: holds }) => type === "Programmed" && holds === "True",
        );
        return (
          isProgrammed === true &&
          status?.addresses?.[0]?.value === hostAddress &&
          status.listeners?.[0]?.attachedRoutes === 1
        );
      });
      await client.delete(HTTPRoute, toKey("blog", "route"));
      await answers("http://blog.routed.test/old/index.html", /^404/, "-H", "X-Who: a b");
      await client.delete(Gateway, toKey("shop", "edge"));
    });

    test("a browser outside reaches the application", async () => {
      const program = join(data, "browser");
      await writeFile(program, `#!/bin/sh\nexec ip netns exec ${world.name} /usr/bin/chromium "$@"\n`, { mode: 0o755 });
      const browser = await openBrowser({ program, args: [`--host-resolver-rules=MAP * ${hostAddress}`] });
      try {
        const page = await browser.newPage({ ignoreHTTPSErrors: true });
        await page.goto("https://shop.test/index.html");
        assert.match((await page.textContent("body")) ?? "", /shop/);
      } finally {
        await browser.close();
      }
    });

    test("with the last one the gateway goes", async () => {
      for (const namespace of ["shop", "blog"]) await client.delete(Ingress, toKey(namespace, "front"));
      await answers("http://shop.test/", /connect|timed out/);
      await eventually(
        "its pods are gone",
        async () => {
          const { items } = await client.list(Pod, { namespace: gatewayNamespace });
          return !items.some(({ metadata }) => metadata.name?.startsWith(gatewayName));
        },
        patienceMs,
      );
    });
  });
}
