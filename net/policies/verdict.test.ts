import assert from "node:assert/strict";
import test from "node:test";
import type { ServiceSpec } from "../services/service.ts";
import { judge, judgeOutside } from "./verdict.ts";
import type { Policy, PolicyPod, World } from "./world.ts";

const pod = (namespace: string, name: string, last: number): PolicyPod => ({
  uid: name,
  namespace,
  name,
  labels: { name },
  address: `10.244.0.${last}`,
  ports: [],
});
const [web, db, spy] = [pod("shop", "web", 1), pod("shop", "db", 2), pod("bank", "spy", 3)];
const service = (more: Partial<ServiceSpec> = {}): ServiceSpec => ({
  namespace: "shop",
  name: "db",
  addresses: ["10.96.0.7"],
  ports: [{ protocol: "tcp", port: 5432, endpoints: [{ address: "10.244.0.2", port: 5432 }] }],
  ...more,
});
const policy = (name: string, spec: Policy["spec"]): Policy => ({ namespace: "shop", name, spec });
const about = (name: string) => ({ podSelector: { matchLabels: { name } } });

const cases: readonly {
  readonly title: string;
  readonly from?: PolicyPod;
  readonly services?: readonly ServiceSpec[];
  readonly policies?: readonly Policy[];
  readonly flat?: boolean;
  readonly says: RegExp;
}[] = [
  {
    title: "nothing",
    says: /^no: pods do not reach each other but through a Service, and none leads to tcp\/5432 of shop\/db/,
  },
  { title: "a Service", services: [service()], says: /^yes: Service shop\/db opens the way/ },
  {
    title: "a Service of others",
    from: spy,
    services: [service()],
    says: /^no: Service shop\/db leads there.*not exported to bank/,
  },
  { title: "an export", from: spy, services: [service({ exportedTo: ["bank"] })], says: /^yes: Service shop\/db/ },
  {
    title: "an Ingress",
    from: spy,
    services: [service({ exportedTo: ["bank"], routedBy: "Ingress shop/front" })],
    says: /^yes: Service shop\/db opens the way to tcp\/5432 of its endpoints, for Ingress shop\/front leads the gateway there$/,
  },
  { title: "flat namespaces", from: spy, flat: true, says: /^yes: the namespaces bank and shop are flat/ },
  {
    title: "a policy that opens",
    policies: [policy("in", { ...about("db"), policyTypes: ["Ingress"], ingress: [{ from: [about("web")] }] })],
    says: /^yes: NetworkPolicy shop\/in lets it in/,
  },
  {
    title: "a policy that closes what a Service opens",
    services: [service()],
    policies: [policy("in", { ...about("db"), policyTypes: ["Ingress"] })],
    says: /^no: NetworkPolicy shop\/in about shop\/db coming in let nothing through from 10\.244\.0\.1 at tcp\/5432/,
  },
  {
    title: "policies that hold back who asks",
    services: [service()],
    policies: ["one", "two"].map((name) => policy(name, { ...about("web"), policyTypes: ["Egress"] })),
    says: /^no: NetworkPolicies shop\/one, shop\/two about shop\/web going out/,
  },
];

for (const { title, from = web, services = [], policies = [], flat = false, says } of cases) {
  test(`judge() tells of ${title}`, () => {
    const namespaces = new Map(["shop", "bank"].map((name) => [name, { labels: {}, flat }]));
    const world: World = { pods: [web, db, spy], policies, namespaces };
    const { allowed, because } = judge({ from, to: db, protocol: "tcp", port: 5432 }, world, services);
    assert.match(`${allowed ? "yes" : "no"}: ${because}`, says);
  });
}

const ranged = (...sourceRanges: readonly string[]): ServiceSpec => {
  const balanced = [{ address: "192.0.2.1", port: 5432 }];
  const endpoints = [{ address: "10.244.0.2", port: 5432 }];
  return service({ ports: [{ protocol: "tcp", port: 5432, endpoints, outside: { balanced, sourceRanges } }] });
};

for (const { ranges, says } of [
  { ranges: ["10.0.0.5/8"], says: /^yes: Service shop\/db lets those outside in at 192\.0\.2\.1:5432/ },
  { ranges: ["198.51.100.9/24", "10.1.2.3/32"], says: /^yes:/ },
  { ranges: ["0.0.0.1/0"], says: /^yes:/ },
  { ranges: ["11.0.0.5/8", "10.1.2.4/31"], says: /^no: .* but 10\.1\.2\.3 is in none of its source ranges/ },
]) {
  test(`judgeOutside() reads source ranges ${ranges.join(" and ")} as the rules do`, () => {
    const world: World = { pods: [db], policies: [], namespaces: new Map() };
    const question = { address: "10.1.2.3", to: db, protocol: "tcp", port: 5432 } as const;
    const { allowed, because } = judgeOutside(question, world, [ranged(...ranges)]);
    assert.match(`${allowed ? "yes" : "no"}: ${because}`, says);
  });
}

test("judgeOutside() names what leads the gateway there", () => {
  const world: World = { pods: [db], policies: [], namespaces: new Map() };
  const question = { address: "10.1.2.3", to: db, protocol: "tcp", port: 5432 } as const;
  const { allowed, because } = judgeOutside(question, world, [service({ routedBy: "Ingress shop/front" })]);
  assert.equal(allowed, false);
  assert.match(because, /none leads to tcp\/5432 of shop\/db; by the gateway Ingress shop\/front leads to it$/);
});
