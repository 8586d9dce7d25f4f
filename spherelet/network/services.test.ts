import assert from "node:assert/strict";
import test from "node:test";
import type { EndpointSlice, Service } from "@atoll/client/builtin";
import { endpointNamesOf, namesOf, ruleSpecOf } from "./services.ts";

const service = (spec: object, status: object = {}): Service =>
  ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "shop" },
    spec: { clusterIP: "10.96.0.7", clusterIPs: ["10.96.0.7"], ports: [{ port: 80 }], ...spec },
    status,
  }) as unknown as Service;

/** Endpoints by their last number, each with conditions; `here` is on the host in question. */
const slice = (endpoints: Readonly<Record<number, object>>, more: object = {}): EndpointSlice =>
  ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "web-1", namespace: "shop", labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    ports: [{ name: "", port: 8080, protocol: "TCP" }],
    endpoints: Object.entries(endpoints).map(([number, of]) => ({ addresses: [`10.244.0.${number}`], ...of })),
    ...more,
  }) as unknown as EndpointSlice;

const ready = { conditions: { ready: true, serving: true, terminating: false } };
const unready = { conditions: { ready: false, serving: false, terminating: false } };
const leaving = { conditions: { ready: false, serving: true, terminating: true } };
const left = { conditions: { ready: false, serving: false, terminating: true } };
const here = { nodeName: "here" };
const there = { nodeName: "there" };

/** Last numbers of the endpoints that connections go to, of those that none go to, and of those for callers from outside. */
function ways(asked: Service, endpoints: EndpointSlice): Readonly<Record<string, string>> {
  const [port] = ruleSpecOf(asked, [endpoints], "here")?.ports ?? [];
  const numbers = (of: readonly { address: string }[] = []) =>
    of.map(({ address }) => address.split(".").at(-1)).join(" ");
  const local = port?.outside?.local;
  return {
    to: numbers(port?.endpoints),
    standby: numbers(port?.standby),
    ...(local === undefined ? {} : { local: numbers(local) }),
  };
}

test("connections go to endpoints that are ready; while none is, to those that end and still serve, and never elsewhere", () => {
  assert.deepEqual(ways(service({}), slice({ 1: ready, 2: unready, 3: leaving, 4: left, 5: ready })), {
    to: "1 5",
    standby: "2 3 4",
  });
  assert.deepEqual(ways(service({}), slice({ 2: unready, 3: leaving, 4: left })), { to: "3", standby: "2 4" });
  assert.deepEqual(ways(service({}), slice({ 2: unready, 4: left })), { to: "", standby: "2 4" });
});

test("an internal traffic policy of Local keeps to the host's own endpoints, ending ones too, also when there are none", () => {
  const local = service({ internalTrafficPolicy: "Local" });
  const both = { 1: { ...ready, ...here }, 2: { ...ready, ...there } };
  assert.equal(ways(local, slice(both))["to"], "1");
  assert.equal(ways(local, slice({ 1: { ...leaving, ...here }, 2: { ...ready, ...there } }))["to"], "1");
  assert.equal(ways(local, slice({ 2: { ...ready, ...there } }))["to"], "");
});

test("an external traffic policy of Local keeps callers from outside to the host's own endpoints, and nobody else", () => {
  const asked = service(
    { type: "LoadBalancer", externalTrafficPolicy: "Local" },
    { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] } },
  );
  const both = slice({ 1: { ...leaving, ...here }, 2: { ...ready, ...there } });
  assert.deepEqual(ways(asked, both), { to: "2", standby: "1", local: "1" });
  assert.deepEqual(ways(asked, slice({ 2: { ...ready, ...there } })), { to: "2", standby: "", local: "" });
});

test("a distribution of traffic keeps to endpoints that are meant for this host, or its zone, while there are any", () => {
  const meantFor = (node: string, zone: string) => ({
    ...ready,
    hints: { forNodes: [{ name: node }], forZones: [{ name: zone }] },
  });
  const to = (endpoints: EndpointSlice) => {
    const [port] = ruleSpecOf(service({}), [endpoints], "here", "east")?.ports ?? [];
    return port?.endpoints.map(({ address }) => address.split(".").at(-1)).join(" ");
  };
  assert.equal(to(slice({ 1: meantFor("here", "east"), 2: meantFor("there", "east") })), "1");
  assert.equal(to(slice({ 2: meantFor("there", "east"), 3: meantFor("far", "west") })), "2");
  assert.equal(to(slice({ 3: meantFor("far", "west") })), "3");
  assert.equal(to(slice({ 1: meantFor("here", "east"), 2: ready })), "1 2");
});

test("a client stays three hours with its endpoint unless the Service says how long", () => {
  const of = (spec: object) => ruleSpecOf(service(spec), [], "here")?.affinitySeconds;
  assert.equal(of({}), undefined);
  assert.equal(of({ sessionAffinity: "ClientIP" }), 10_800);
  assert.equal(of({ sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 9 } } }), 9);
});

test("a port is found by its name and protocol in each slice, and SCTP is not spoken", () => {
  const ports = [
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "dns-tcp", port: 53, protocol: "TCP" },
    { name: "odd", port: 9, protocol: "SCTP" },
  ];
  const spec = ruleSpecOf(service({ ports }), [
    slice({ 1: ready }, { ports: [{ name: "dns", port: 1053, protocol: "UDP" }] }),
    slice({ 2: ready }, { ports: [{ name: "dns-tcp", port: 2053, protocol: "TCP" }] }),
  ]);
  assert.deepEqual(
    spec?.ports.map(({ protocol, port, endpoints }) => [protocol, port, endpoints]),
    [
      ["udp", 53, [{ address: "10.244.0.1", port: 1053 }]],
      ["tcp", 53, [{ address: "10.244.0.2", port: 2053 }]],
    ],
  );
});

test("a Service without an address is its endpoints by name, and each address has the name back", () => {
  const headless = service({ clusterIP: "None", clusterIPs: ["None"] });
  const endpoints = slice({ 1: { ...ready, hostname: "web-0" }, 2: ready, 3: unready });
  const names = namesOf(headless, [endpoints]);
  assert.ok(names.type === "headless");
  assert.deepEqual(
    names.endpoints.map(({ address, hostname, ready: isReady }) => [address, hostname, isReady]),
    [
      ["10.244.0.1", "web-0", true],
      ["10.244.0.2", undefined, true],
      ["10.244.0.3", undefined, false],
    ],
  );
  const labels = { "kubernetes.io/service-name": "web", "service.kubernetes.io/headless": "" };
  const marked = { ...endpoints, metadata: { ...endpoints.metadata, labels } };
  const back = (number: number, of: EndpointSlice = marked) =>
    endpointNamesOf(of, `10.244.0.${number}`, "cluster.local").join();
  assert.equal(back(1), "web-0.web.shop.svc.cluster.local");
  assert.equal(back(2), "10-244-0-2.web.shop.svc.cluster.local");
  assert.equal(back(3), "");
  assert.equal(back(2, endpoints), "");
});
