import assert from "node:assert/strict";
import test, { after } from "node:test";
import {
  gatewayController as controllerName,
  gatewayName,
  gatewayNamespace,
  opensFor,
  routedBy,
} from "@atoll/api/supervisor/gateway";
import { Gateway, GatewayClass } from "@atoll/api/gatewayapi/gateway";
import { HTTPRoute } from "@atoll/api/gatewayapi/httproute";
import { gatewayKinds } from "@atoll/api/gatewayapi/kinds";
import { ReferenceGrant } from "@atoll/api/gatewayapi/referencegrant";
import { Deployment, Event, Ingress, IngressClass, Secret, Service } from "@atoll/client/builtin";
import { isNotFound } from "@atoll/client/errors";
import { type Resource, toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { serveKinds } from "@atoll/harness/kinds";
import { startHarness } from "@atoll/harness/server";
import type { ApiObject } from "@atoll/machinery/object";
import { selfSigned } from "@atoll/runtime/certificates/selfsigned";
import { systemClock } from "@atoll/machinery/clock";
import { gatewayController } from "./controller.ts";

const own = toKey(gatewayNamespace, gatewayName);

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());
await serveKinds(client, gatewayKinds);

async function found<T extends ApiObject>(resource: Resource<T>, key: string): Promise<T | undefined> {
  return await client.get(resource, key as ReturnType<typeof toKey>).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
}

async function makeService(namespace: string, name: string): Promise<void> {
  const ports = [{ name: "http", port: 80, targetPort: 8080 }];
  await client.create(Service, { metadata: { name, namespace }, spec: { selector: { app: name }, ports } });
}

const pathTo = (service: string, path = "/") => ({
  path,
  pathType: "Prefix" as const,
  backend: { service: { name: service, port: { name: "http" } } },
});

async function makeIngress(namespace: string, name: string, spec: object): Promise<Ingress> {
  return await client.create(Ingress, { metadata: { name, namespace }, spec } as Parameters<
    typeof client.create<Ingress>
  >[1]);
}

async function configured(): Promise<string> {
  const secret = await found(Secret, own);
  return Buffer.from(secret?.data?.["haproxy.cfg"] ?? "", "base64").toString();
}

test("an Ingress brings the gateway, is told where it is, and with the last one it goes", async () => {
  await using workshop = startControllers(harness, [gatewayController()]);
  await makeNamespace(client, "shop");
  await makeService("shop", "web");
  await eventually(
    "there is a class",
    async () => (await found(IngressClass, toKey(undefined, "atoll"))) !== undefined,
  );
  await makeIngress("shop", "front", { rules: [{ host: "shop.test", http: { paths: [pathTo("web")] } }] });
  await eventually("it is configured", async () => /use_backend shop:web:80 /.test(await configured()));
  await eventually("it is deployed", async () => (await found(Deployment, own)) !== undefined);
  const balancer = await client.get(Service, own);
  const ingress = [{ ip: "192.0.2.1", ipMode: "Proxy", ports: [{ port: 80, protocol: "TCP" }] }];
  await client.setStatus(Service, { object: balancer, status: { ...balancer.status, loadBalancer: { ingress } } }, {});
  await eventually("it is told where", async () => {
    const { status } = await client.get(Ingress, toKey("shop", "front"));
    return status?.loadBalancer?.ingress?.[0]?.ip === "192.0.2.1";
  });
  const web = await client.get(Service, toKey("shop", "web"));
  assert.equal(routedBy(web as Parameters<typeof routedBy>[0]), "Ingress shop/front");
  assert.deepEqual(opensFor(web as Parameters<typeof opensFor>[0]), [gatewayNamespace]);
  await workshop.quiet();
  await client.delete(Ingress, toKey("shop", "front"));
  await eventually("it is gone", async () => (await found(Deployment, own)) === undefined);
  await eventually("all of it", async () => (await found(Secret, own)) === undefined);
  await eventually("the way is closed", async () => {
    const { status } = await client.get(Service, toKey("shop", "web"));
    return (status?.conditions ?? []).length === 0;
  });
  assert.deepEqual(workshop.complaints, []);
});

test("what of an Ingress is not served is told, and takes nothing from the others", async () => {
  await using workshop = startControllers(harness, [gatewayController()]);
  for (const namespace of ["first", "second"]) await makeNamespace(client, namespace);
  for (const namespace of ["first", "second"]) await makeService(namespace, "web");
  await makeIngress("first", "good", { rules: [{ host: "mine.test", http: { paths: [pathTo("web")] } }] });
  await eventually("it is configured", async () => (await configured()).includes("first:web:80"));
  const paths = [pathTo("web", "/login"), pathTo("none"), pathTo("web", "/api(/|$)(.*)")];
  await makeIngress("second", "bad", {
    rules: [
      { host: "mine.test", http: { paths } },
      { host: "other.test", http: { paths } },
    ],
    tls: [{ hosts: ["other.test"], secretName: "absent" }],
  });
  await eventually("it is configured too", async () => (await configured()).includes("second:web:80"));
  const text = await configured();
  assert.equal(text.match(/acl \S+ path -m str .*login/g)?.length, 1, text);
  assert.equal(text.split("\n").filter((line) => /use_backend (?!nowhere)/.test(line)).length, 3);
  const said = async () =>
    (await client.list(Event, { namespace: "second" })).items.map(({ note = "" }) => note).join("\n");
  await eventually("it is told", async () => (await said()) !== "");
  assert.match(await said(), /host "mine\.test" belongs to another namespace/);
  assert.match(await said(), /there is no Service none; path .*expressions are not served.*; Secret absent holds no/);
  await workshop.quiet();
  assert.deepEqual(workshop.complaints, []);
  await client.delete(Ingress, toKey("first", "good"));
  await client.delete(Ingress, toKey("second", "bad"));
});

type Given<T> = Parameters<typeof client.create<T & ApiObject>>[1];
const makeRoute = async (namespace: string, name: string, spec: object) =>
  await client.create(HTTPRoute, { metadata: { name, namespace }, spec } as Given<HTTPRoute>);
/** Conditions as `Accepted=True Accepted`, at its first Gateway. */
async function routeSays(namespace: string, name: string): Promise<string> {
  const { status } = await client.get(HTTPRoute, toKey(namespace, name));
  const conditions = status?.parents[0]?.conditions ?? [];
  return conditions.map(({ type, status: holds, reason }) => `${type}=${holds} ${reason}`).join(", ");
}

test("HTTPRoutes join Gateways, and are told what of them is not served", async () => {
  await using workshop = startControllers(harness, [gatewayController()]);
  for (const namespace of ["infra", "one", "two"]) await makeNamespace(client, namespace);
  for (const namespace of ["one", "two"]) await makeService(namespace, "web");
  const allowedRoutes = { namespaces: { from: "All" } };
  const listeners = [
    { name: "http", port: 80, protocol: "HTTP", hostname: "*.example.test", allowedRoutes },
    { name: "own", port: 80, protocol: "HTTP", hostname: "infra.test" },
    { name: "odd", port: 8080, protocol: "HTTP" },
  ];
  const spec = { gatewayClassName: "atoll", listeners };
  await client.create(Gateway, { metadata: { name: "edge", namespace: "infra" }, spec } as Given<Gateway>);
  const parentRefs = [{ name: "edge", namespace: "infra" }];
  const to = (port: number, more: object = {}) => ({ name: "web", port, ...more });
  await makeRoute("one", "good", {
    parentRefs,
    hostnames: ["a.b.example.test", "elsewhere.test"],
    rules: [{ backendRefs: [to(80, { weight: 3 }), to(80, { namespace: "two" })] }],
  });
  const cases: readonly [string, object, string][] = [
    [
      "absent",
      { parentRefs, rules: [{ backendRefs: [to(81)] }] },
      "Accepted=True Accepted, ResolvedRefs=False BackendNotFound",
    ],
    [
      "stranger",
      { parentRefs, hostnames: ["stranger.test"] },
      "Accepted=False NoMatchingListenerHostname, ResolvedRefs=True ResolvedRefs",
    ],
    [
      "section",
      { parentRefs: [{ ...parentRefs[0], sectionName: "none" }] },
      "Accepted=False NoMatchingParent, ResolvedRefs=True ResolvedRefs",
    ],
    [
      "shut",
      { parentRefs: [{ ...parentRefs[0], sectionName: "own" }] },
      "Accepted=False NotAllowedByListeners, ResolvedRefs=True ResolvedRefs",
    ],
    [
      "thief",
      { parentRefs, hostnames: ["a.b.example.test"] },
      "Accepted=False HostnameTaken, ResolvedRefs=True ResolvedRefs",
    ],
    [
      "mirror",
      { parentRefs, hostnames: ["m.example.test"], rules: [{ filters: [{ type: "RequestMirror" }] }] },
      "Accepted=False UnsupportedValue, ResolvedRefs=True ResolvedRefs",
    ],
  ];
  for (const [name, asked] of cases) await makeRoute(name === "absent" ? "one" : "two", name, asked);
  for (const [name, , wanted] of cases) {
    const namespace = name === "absent" ? "one" : "two";
    await eventually(`${name}: ${wanted}`, async () => (await routeSays(namespace, name)) === wanted);
  }
  await eventually("a grant is missed", async () =>
    /ResolvedRefs=False RefNotPermitted/.test(await routeSays("one", "good")),
  );
  assert.match(await configured(), /rand\(4\) -m int lt 1/);
  const grant = {
    from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "one" }],
    to: [{ group: "", kind: "Service" }],
  };
  await client.create(ReferenceGrant, {
    metadata: { name: "g", namespace: "two" },
    spec: grant,
  } as Given<ReferenceGrant>);
  await eventually(
    "it is granted",
    async () => (await routeSays("one", "good")) === "Accepted=True Accepted, ResolvedRefs=True ResolvedRefs",
  );
  assert.match(await configured(), /server s0 \S+:80 weight 3\n {2}server s1 \S+:80 weight 1\n/);
  const { status } = await client.get(Gateway, toKey("infra", "edge"));
  assert.deepEqual(
    status?.listeners?.map(({ name, attachedRoutes, conditions = [] }) => [
      name,
      attachedRoutes,
      conditions[0]?.reason,
    ]),
    [
      ["http", 2, "Accepted"],
      ["own", 0, "Accepted"],
      ["odd", 0, "PortUnavailable"],
    ],
  );
  const classStatus = (await client.get(GatewayClass, toKey(undefined, "atoll"))).status;
  assert.equal(classStatus?.conditions?.[0]?.reason, "Accepted");
  await workshop.quiet();
  assert.deepEqual(workshop.complaints, []);
  await client.delete(Gateway, toKey("infra", "edge"));
  await eventually("it is gone", async () => (await found(Deployment, own)) === undefined);
  await eventually("the routes are told", async () => (await routeSays("one", "good")) === "");
});

const story: Story = {
  controllers: [gatewayController()],
  async begin(round) {
    // What the round before left is taken away meanwhile.
    for (const { metadata } of (await client.list(Ingress)).items)
      await client.delete(Ingress, toKey(metadata.namespace, metadata.name ?? ""));
    await makeNamespace(client, round);
    await makeService(round, "web");
    await client
      .create(IngressClass, { metadata: { name: "ours" }, spec: { controller: controllerName } })
      .catch(() => undefined);
    const { cert, key } = await selfSigned("web", [`${round}.test`], systemClock.nowMs());
    const data = { "tls.crt": Buffer.from(cert).toString("base64"), "tls.key": Buffer.from(key).toString("base64") };
    await client.create(Secret, { metadata: { name: "cert", namespace: round }, type: "kubernetes.io/tls", data });
    await makeIngress(round, "front", {
      ingressClassName: "ours",
      rules: [{ host: `${round}.test`, http: { paths: [pathTo("web")] } }],
      tls: [{ hosts: [`${round}.test`], secretName: "cert" }],
    });
  },
  ended: (round) =>
    eventually("it is served", async () => {
      const web = await client.get(Service, toKey(round, "web"));
      const isOpen = routedBy(web as Parameters<typeof routedBy>[0]) !== undefined;
      return isOpen && (await configured()).includes(`${round}:web:80`) && (await found(Deployment, own)) !== undefined;
    }),
  async check(round) {
    const { data = {} } = (await found(Secret, own)) ?? {};
    assert.ok((await configured()).includes(`use_backend ${round}:web:80`));
    assert.match(Buffer.from(data["certificates.list"] ?? "", "base64").toString(), new RegExp(`${round}\\.test`));
    const { items } = await client.list(Deployment, { namespace: gatewayNamespace });
    assert.equal(items.length, 1);
  },
};

testConvergence("the gateway's objects", harness, { name: "gateway", story, least: 3 });
