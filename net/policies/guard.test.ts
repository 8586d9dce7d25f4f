import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { guardOf, letsThrough } from "./guard.ts";
import { guardRules } from "./rules.ts";
import type { Policy, PolicyPod, World } from "./world.ts";

/**
 * Who may talk to whom, in the words of the documentation and without addresses: asked for two pods, each policy in
 * turn. What policies say of ipBlocks is asked of the last byte alone.
 */
function modelAllows(world: World, from: PolicyPod, to: { pod: PolicyPod; protocol: string; port: number }): boolean {
  const matches = (wanted: object | undefined, labels: Readonly<Record<string, string>>) =>
    Object.entries((wanted as { matchLabels?: Record<string, string> } | undefined)?.matchLabels ?? {}).every(
      ([key, value]) => labels[key] === value,
    );
  const about = (pod: PolicyPod, type: string) =>
    world.policies.filter(
      ({ namespace, spec }) =>
        namespace === pod.namespace &&
        matches(spec.podSelector, pod.labels) &&
        spec.policyTypes?.includes(type) === true,
    );
  const sides = [
    { pod: to.pod, other: from, type: "Ingress" },
    { pod: from, other: to.pod, type: "Egress" },
  ];
  return sides.every(({ pod, other, type }) => {
    const policies = about(pod, type);
    if (policies.length === 0) return true;
    return policies.some(({ namespace, spec }) => {
      const rules =
        type === "Ingress"
          ? (spec.ingress ?? []).map((rule) => ({ peers: rule.from ?? [], ports: rule.ports ?? [] }))
          : (spec.egress ?? []).map((rule) => ({ peers: rule.to ?? [], ports: rule.ports ?? [] }));
      return rules.some(({ peers, ports }) => {
        const hasPeer = peers.some((peer) => {
          if (peer.ipBlock !== undefined) {
            const last = Number(other.address?.split(".")[3]);
            return last < 4 && !(peer.ipBlock.except ?? []).includes(`10.0.0.${last}/32`);
          }
          const home = peer.namespaceSelector;
          const inHome =
            home === undefined
              ? other.namespace === namespace
              : matches(home, world.namespaces.get(other.namespace)?.labels ?? {});
          return inHome && (peer.podSelector === undefined || matches(peer.podSelector, other.labels));
        });
        const hasPort = ports.some(({ port, endPort, protocol }) => {
          if (protocol !== to.protocol) return false;
          if (port === undefined) return true;
          if (typeof port === "number") return port <= to.port && to.port <= (endPort ?? port);
          return to.pod.ports.some((one) => one.name === port && one.port === to.port && one.protocol === protocol);
        });
        return (peers.length === 0 || hasPeer) && (ports.length === 0 || hasPort);
      });
    });
  });
}

const word = fc.constantFrom("a", "b");
const labels = fc.record({ app: word, tier: word });
const selector = fc.oneof(
  fc.constant({}),
  word.map((app) => ({ matchLabels: { app } })),
  word.map((tier) => ({ matchLabels: { tier } })),
);
const namespace = fc.constantFrom("red", "blue");
const protocol = fc.constantFrom("TCP", "UDP");
const block = fc
  .subarray(["10.0.0.1/32", "10.0.0.2/32"])
  .map((except) => ({ ipBlock: { cidr: "10.0.0.0/30", except } }));
const peer = fc.oneof(
  selector.map((podSelector) => ({ podSelector })),
  selector.map((namespaceSelector) => ({ namespaceSelector })),
  fc.record({ podSelector: selector, namespaceSelector: selector }),
  block,
);
const port = fc.oneof(
  fc.record({ protocol, port: fc.constantFrom<number | string>(80, 81, "web") }),
  fc.record({ protocol }),
  protocol.map((spoken) => ({ protocol: spoken, port: 79, endPort: 80 })),
);
const peers = fc.array(peer, { maxLength: 2 });
const ports = fc.array(port, { maxLength: 2 });
const policy: fc.Arbitrary<Policy> = fc.record({
  namespace,
  name: fc.constant("p"),
  spec: fc.record({
    podSelector: selector,
    policyTypes: fc.subarray(["Ingress", "Egress"], { minLength: 1 }),
    ingress: fc.array(fc.record({ from: peers, ports }), { maxLength: 2 }),
    egress: fc.array(fc.record({ to: peers, ports }), { maxLength: 2 }),
  }),
});
const pods = fc.array(
  fc.record({
    namespace,
    labels,
    ports: fc.array(fc.record({ name: fc.constant("web"), protocol, port: fc.constantFrom(80, 81) }), { maxLength: 1 }),
  }),
  { minLength: 2, maxLength: 6 },
);
const worlds: fc.Arbitrary<World> = fc
  .record({ pods, policies: fc.array(policy, { maxLength: 3 }), homes: fc.tuple(labels, labels) })
  .map(({ pods: some, policies, homes: [red, blue] }) => ({
    pods: some.map((pod, index) => ({ ...pod, uid: `${index}`, name: `p${index}`, address: `10.0.0.${index + 1}` })),
    policies,
    namespaces: new Map([
      ["red", { labels: red, flat: true }],
      ["blue", { labels: blue, flat: true }],
    ]),
  }));

test("guards of two pods say what the documentation says of every connection between them", () => {
  fc.assert(
    fc.property(worlds, protocol, fc.constantFrom(79, 80, 81, 82), (world, spoken, number) => {
      for (const from of world.pods) {
        for (const to of world.pods) {
          if (from === to) continue;
          const connection = { protocol: spoken === "UDP" ? "udp" : "tcp", port: number } as const;
          const out = guardOf(from, "egress", world);
          const into = guardOf(to, "ingress", world);
          const allowed =
            (out === undefined || letsThrough(out, { ...connection, peer: to.address ?? "" }) !== undefined) &&
            (into === undefined || letsThrough(into, { ...connection, peer: from.address ?? "" }) !== undefined);
          assert.equal(allowed, modelAllows(world, from, { pod: to, protocol: spoken, port: number }));
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test("a guard's rules are one for each peer and protocol, its ports without overlap", () => {
  const web: PolicyPod = { uid: "w", namespace: "red", name: "w", labels: {}, address: "10.0.0.9", ports: [] };
  const spec = {
    podSelector: {},
    policyTypes: ["Egress"],
    egress: [
      {
        to: [{ ipBlock: { cidr: "192.0.2.0/24", except: ["192.0.2.64/26"] } }],
        ports: [{ port: 80, endPort: 90, protocol: "TCP" }, { port: 85 }, { port: 443 }, { protocol: "UDP" }],
      },
    ],
  };
  const world = { pods: [web], namespaces: new Map(), policies: [{ namespace: "red", name: "p", spec }] };
  const guard = guardOf(web, "egress", world);
  assert.ok(guard !== undefined);
  assert.deepEqual(guardRules(guard, "egress").slice(0, -1), [
    "ip daddr 192.0.2.0/24 ip daddr != 192.0.2.64/26 meta l4proto tcp th dport { 80-90, 443 } return",
    "ip daddr 192.0.2.0/24 ip daddr != 192.0.2.64/26 meta l4proto udp return",
  ]);
});
