import assert from "node:assert/strict";
import test from "node:test";
import type { EndpointSlice, Node, Pod, Service } from "@atoll/client/builtin";
import { deepFreeze } from "@atoll/machinery/equal";
import fc from "fast-check";
import { desiredEndpoints } from "./endpoints.ts";
import type { Step } from "./plan.ts";
import { manager, managerLabel, mostEndpoints, plan, serviceLabel } from "./plan.ts";

const node: Node = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": "z1" } },
  spec: {},
  status: {} as never,
};
const nodeOf = (name: string) => (name === "n1" ? node : undefined);

function service(spec: Partial<Service["spec"]> = {}, labels: Record<string, string> = {}): Service {
  const ports = [{ name: "http", port: 80, targetPort: "web" }];
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "svc", namespace: "n", uid: "s", labels },
    spec: { selector: { app: "web" }, clusterIP: "10.0.0.1", ipFamilies: ["IPv4"], ports, ...spec },
    status: {} as never,
  };
}

interface Facts {
  readonly ready?: boolean;
  readonly port?: number;
  readonly terminating?: boolean;
  readonly phase?: string;
  readonly ips?: string[];
  readonly spec?: object;
}

function pod(
  name: string,
  { ready = true, port = 8080, terminating = false, phase = "Running", ips, spec }: Facts = {},
): Pod {
  const number = [...name].reduce((sum, c) => sum + c.charCodeAt(0), 0);
  const podIPs = (ips ?? [`10.1.${number % 250}.1`]).map((ip) => ({ ip }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "n", uid: name, ...(terminating && { deletionTimestamp: "2026-01-01T00:00:00Z" }) },
    spec: {
      nodeName: "n1",
      containers: [{ name: "c", resources: {}, ports: [{ name: "web", containerPort: port }] }],
      ...spec,
    },
    status: {
      phase,
      podIPs,
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastProbeTime: null, lastTransitionTime: null }],
    },
  };
}

let made = 0;

/** The slices after the steps. */
function apply(slices: readonly EndpointSlice[], steps: readonly Step[]): EndpointSlice[] {
  const after = new Map(slices.map((slice) => [slice.metadata.name, slice]));
  for (const step of steps) {
    if (step.do === "delete") after.delete(step.slice.metadata.name);
    else if (step.do === "update") after.set(step.slice.metadata.name, step.slice);
    else {
      const name = `svc-${made++}`;
      const slice = { ...step.slice, apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" } as EndpointSlice;
      after.set(name, { ...slice, metadata: { ...slice.metadata, name } });
    }
  }
  return [...after.values()];
}

const run = (svc: Service, pods: readonly Pod[], slices: readonly EndpointSlice[] = []) =>
  apply(slices, plan(svc, desiredEndpoints(svc, pods, nodeOf), deepFreeze([...slices])));

test("plan() puts a Pod with its conditions, node and zone into a slice of the Service", () => {
  const [slice] = run(service({}, { team: "a" }), [pod("p1")]);
  assert.ok(slice);
  assert.equal(slice.addressType, "IPv4");
  assert.deepEqual(slice.metadata.labels, { team: "a", [serviceLabel]: "svc", [managerLabel]: manager });
  assert.deepEqual(slice.ports, [{ name: "http", port: 8080, protocol: "TCP" }]);
  assert.deepEqual(slice.endpoints, [
    {
      addresses: ["10.1.161.1"],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: "Pod", namespace: "n", name: "p1", uid: "p1" },
      nodeName: "n1",
      zone: "z1",
    },
  ]);
});

test("plan() tells for whom endpoints are meant where the Service keeps its traffic near, of ready ones alone", () => {
  const hints = (trafficDistribution?: string) => {
    const pods = [pod("p1"), pod("p2", { ready: false })];
    const [slice] = run(service(trafficDistribution === undefined ? {} : { trafficDistribution }), pods);
    return slice?.endpoints?.map((endpoint) => endpoint.hints);
  };
  const forZones = [{ name: "z1" }];
  assert.deepEqual(hints(), [undefined, undefined]);
  assert.deepEqual(hints("PreferSameZone"), [{ forZones }, undefined]);
  assert.deepEqual(hints("PreferClose"), [{ forZones }, undefined]);
  assert.deepEqual(hints("PreferSameNode"), [{ forZones, forNodes: [{ name: "n1" }] }, undefined]);
});

test("plan() tells Pods that are not ready or going, and leaves out those that have ended or have no address", () => {
  const pods = [
    pod("a", { ready: false }),
    pod("b", { terminating: true }),
    pod("c", { phase: "Failed" }),
    pod("d", { ips: [] }),
  ];
  const [slice] = run(service(), pods);
  assert.deepEqual(
    slice?.endpoints?.map(({ targetRef, conditions }) => [targetRef?.name, conditions]),
    [
      ["a", { ready: false, serving: false, terminating: false }],
      ["b", { ready: false, serving: true, terminating: true }],
    ],
  );
  const [eager] = run(service({ publishNotReadyAddresses: true }), pods);
  assert.deepEqual(
    eager?.endpoints?.map(({ conditions }) => conditions.ready),
    [true, true],
  );
});

test("plan() groups Pods by the number that a named port has in them", () => {
  const slices = run(service(), [pod("a"), pod("b", { port: 9090 }), pod("c")]);
  const spelled = slices.map(
    ({ ports, endpoints }) => `${ports?.[0]?.port}: ${endpoints?.map(({ targetRef }) => targetRef?.name).join(" ")}`,
  );
  assert.deepEqual(spelled.sort(), ["8080: a c", "9090: b"]);
});

test("plan() makes slices for each address family", () => {
  const both = pod("a", { ips: ["10.1.0.1", "fd00::1"] });
  const slices = run(service({ ipFamilies: ["IPv4", "IPv6"] }), [both, pod("b")]);
  const spelled = slices.map(
    ({ addressType, endpoints }) => `${addressType} ${endpoints?.map(({ addresses }) => addresses?.join()).join(" ")}`,
  );
  assert.deepEqual(spelled.sort(), ["IPv4 10.1.0.1 10.1.98.1", "IPv6 fd00::1"]);
});

test("plan() names the Pods of a headless Service, and marks its slices", () => {
  const [slice] = run(service({ clusterIP: "None" }), [pod("a", { spec: { hostname: "a-0", subdomain: "svc" } })]);
  assert.equal(slice?.endpoints?.[0]?.hostname, "a-0");
  assert.equal(slice?.metadata.labels?.["service.kubernetes.io/headless"], "");
});

test("plan() keeps one empty slice for a Service without Pods", () => {
  const first = run(service(), []);
  assert.deepEqual(
    first.map(({ endpoints, ports }) => [endpoints, ports]),
    [[[], []]],
  );
  assert.deepEqual(run(service(), [], first), first);
  const filled = run(service(), [pod("a")], first);
  assert.deepEqual(
    filled.map(({ endpoints }) => endpoints?.length),
    [1],
  );
});

test("plan() leaves Pods out whose node is not known, and says so", () => {
  const { groups, nodeless } = desiredEndpoints(service(), [pod("a", { spec: { nodeName: "gone" } })], nodeOf);
  assert.deepEqual(groups, []);
  assert.equal(nodeless[0]?.metadata.name, "a");
});

test("plan() changes as few slices as may be", () => {
  const pods = Array.from({ length: 250 }, (_, i) => pod(`p${i}`, { ips: [`10.2.${Math.floor(i / 250)}.${i % 250}`] }));
  const slices = run(service(), pods);
  assert.deepEqual(
    slices.map(({ endpoints }) => endpoints?.length),
    [100, 100, 50],
  );
  const fewer = pods.filter((_, i) => i !== 5);
  const steps = plan(service(), desiredEndpoints(service(), fewer, nodeOf), slices);
  assert.deepEqual(
    steps.map((step) => step.do),
    ["update"],
  );
  const more = [...pods, pod("new", { ips: ["10.9.0.1"] })];
  const added = plan(service(), desiredEndpoints(service(), more, nodeOf), slices);
  assert.deepEqual(
    added.map((step) => [step.do, step.slice.endpoints?.length]),
    [["update", 51]],
  );
});

const facts = fc.record({ ready: fc.boolean(), port: fc.constantFrom(80, 81), terminating: fc.boolean() });
const crowd = fc.dictionary(fc.constantFrom(...Array.from({ length: 150 }, (_, i) => `p${i}`)), facts, {
  maxKeys: 150,
});

test("plan() always ends with each endpoint once, no slice too full, and nothing more to do", () => {
  fc.assert(
    fc.property(fc.array(crowd, { minLength: 1, maxLength: 4 }), (crowds) => {
      let slices: EndpointSlice[] = [];
      for (const each of crowds) {
        const pods = Object.entries(each).map(([name, about]) => pod(name, about));
        slices = run(service(), pods, slices);
        const names = slices.flatMap(({ endpoints }) =>
          (endpoints ?? []).map(({ targetRef }) => targetRef?.name ?? ""),
        );
        assert.deepEqual(names.sort(), Object.keys(each).sort());
        assert.ok(slices.every(({ endpoints }) => (endpoints ?? []).length <= mostEndpoints));
        assert.deepEqual(plan(service(), desiredEndpoints(service(), pods, nodeOf), slices), []);
      }
    }),
  );
});
