import assert from "node:assert/strict";
import test from "node:test";
import type { EndpointSlice, Namespace, NetworkPolicy, Node, Pod, Service } from "@atoll/client/builtin";
import { type Given, knowledge, networkNumber } from "./plan.ts";

const node = (name: string, podCIDR: string, address: string, creationTimestamp = "2026-01-01T00:00:00Z") =>
  ({
    metadata: { name, creationTimestamp },
    spec: { podCIDR, podCIDRs: [podCIDR] },
    status: { addresses: [{ type: "InternalIP", address }] },
  }) as unknown as Node;
const pod = (name: string, nodeName: string, podIP: string, phase = "Running"): Pod => {
  const [namespace = ""] = name.split("-");
  const labels = { name };
  const ports = [{ name: "http", containerPort: 80 }];
  return {
    metadata: { name, namespace, uid: name, labels },
    spec: { nodeName, containers: [{ name: "c", ports }] },
    status: { podIP, phase },
  } as unknown as Pod;
};
const namespace = (name: string, labels: Record<string, string> = {}) =>
  ({ metadata: { name, labels } }) as unknown as Namespace;
const service = (name: string, annotations: Record<string, string> = {}) =>
  ({ metadata: { name, namespace: "red", annotations }, spec: {} }) as unknown as Service;
const slice = (name: string, ...addresses: string[]) =>
  ({
    metadata: { name, namespace: "red", labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    endpoints: [{ addresses }],
  }) as unknown as EndpointSlice;
const policy = (spec: object) => ({ metadata: { name: "p", namespace: "red" }, spec }) as unknown as NetworkPolicy;

const world: Given = {
  range: "10.244.0.0/16",
  network: 7,
  nodes: [node("one", "10.244.0.0/24", "192.0.2.1"), node("two", "10.244.1.0/24", "192.0.2.2")],
  pods: [
    pod("red-a", "one", "10.244.0.5"),
    pod("red-b", "two", "10.244.1.5"),
    pod("blue-c", "two", "10.244.1.6"),
    pod("green-d", "two", "10.244.1.7"),
  ],
  namespaces: ["red", "blue", "green"].map((name) => namespace(name)),
  services: [],
  slices: [],
  policies: [],
};
const known = (more: Partial<Given>, name = "one") => knowledge({ ...world, ...more }).get(name);

test("a host knows where the others are, and of nobody's pods without need", () => {
  const peers = [{ node: "two", address: "192.0.2.2", range: "10.244.1.0/24" }];
  assert.deepEqual(known({}), { network: 7, peers, namespaces: [], pods: [] });
});

test("a Service with an endpoint on a host makes known who may call it, and on no other host", () => {
  const given = {
    services: [service("web", { "supervisor.atoll.dev/exported-to": "blue" })],
    slices: [slice("web", "10.244.0.5")],
  };
  assert.deepEqual(known(given)?.namespaces, [
    { name: "blue", addresses: ["10.244.1.6"] },
    { name: "red", addresses: ["10.244.1.5"] },
  ]);
  assert.deepEqual(known(given, "two")?.namespaces, []);
  assert.deepEqual(known({ ...given, services: [] })?.namespaces, []);
});

test("a policy makes known the pods that it speaks of, with what it knows them by", () => {
  const from = [{ namespaceSelector: {}, podSelector: { matchLabels: { name: "green-d" } } }];
  const about = { podSelector: { matchLabels: { name: "red-a" } }, ingress: [{ from }] };
  assert.deepEqual(known({ policies: [policy(about)] })?.pods, [
    {
      namespace: "green",
      address: "10.244.1.7",
      labels: { name: "green-d" },
      ports: [{ name: "http", protocol: "TCP", port: 80 }],
    },
  ]);
  assert.deepEqual(known({ policies: [policy(about)] }, "two")?.pods, []);
});

test("a named port towards everybody means the ports of all pods", () => {
  const policies = [policy({ podSelector: {}, policyTypes: ["Egress"], egress: [{ ports: [{ port: "http" }] }] })];
  assert.deepEqual(
    known({ policies })?.pods.map(({ address }) => address),
    ["10.244.1.5", "10.244.1.6", "10.244.1.7"],
  );
});

test("hosts with pods of flat namespaces know all such pods", () => {
  const flat = { "supervisor.atoll.dev/network": "Flat" };
  const namespaces = [namespace("red", flat), namespace("blue", flat), namespace("green")];
  assert.deepEqual(
    known({ namespaces })?.namespaces.map(({ name }) => name),
    ["blue", "red"],
  );
});

test("no host names itself or its pods into another's range, and what has ended or is told twice counts for nobody", () => {
  const younger = "2026-02-01T00:00:00Z";
  const nodes = [
    ...world.nodes,
    node("thief", "10.244.1.0/25", "192.0.2.3", younger),
    node("wide", "10.0.0.0/8", "192.0.2.4"),
    node("strange", "10.96.0.0/24", "192.0.2.5"),
    node("loop", "10.244.9.0/24", "127.0.0.1"),
  ];
  assert.deepEqual(
    known({ nodes })?.peers.map((peer) => peer.node),
    ["two"],
  );
  const pods = [
    pod("red-a", "one", "10.244.0.5"),
    pod("red-x", "two", "10.244.7.5"),
    pod("red-over", "two", "10.244.1.8", "Succeeded"),
    pod("red-one", "two", "10.244.1.9"),
    pod("red-two", "two", "10.244.1.9"),
    pod("red-host", "two", "10.244.1.0"),
  ];
  const services = [service("web")];
  assert.deepEqual(known({ pods, services, slices: [slice("web", "10.244.0.5")] })?.namespaces, []);
});

test("networkNumber() is a VNI", () => {
  assert.equal(networkNumber("ffffffff-0000"), 1 + (0xffffff % 16_777_214));
  assert.equal(networkNumber("00000000-0000"), 1);
});
