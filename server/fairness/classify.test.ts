import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowSchema } from "@atoll/api/builtin/flowcontrol.apiserver.k8s.io/v1.types";
import {
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  suggestedFlowSchemas,
  suggestedPriorityLevels,
} from "@atoll/api/flowcontrol.apiserver.k8s.io/bootstrap";
import type { PriorityLevelConfiguration } from "@atoll/api/builtin/flowcontrol.apiserver.k8s.io/v1.types";
import type { User } from "../call.ts";
import { parseRequest } from "../request.ts";
import { compileSchemas, flowOf } from "./classify.ts";
import { divide } from "./shares.ts";

const levels = [...mandatoryPriorityLevels, ...suggestedPriorityLevels];
const named = <T>({ name, spec }: { name: string; spec: object }) =>
  ({ metadata: { name, uid: `${name}-uid` }, spec }) as T;
const bootstrapped = [...mandatoryFlowSchemas, ...suggestedFlowSchemas].map((each) => named<FlowSchema>(each));
const names = new Set(levels.map(({ name }) => name));

function user(name: string, ...groups: readonly string[]): User {
  return { name, uid: "", groups: [...groups, "system:authenticated"], extra: {} };
}

const account = (namespace: string, name: string) =>
  user(`system:serviceaccount:${namespace}:${name}`, "system:serviceaccounts", `system:serviceaccounts:${namespace}`);
const pods = "/api/v1/namespaces/ns/pods";
const lease = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/l";
const cases: readonly [string, User, string, string, string][] = [
  ["the admin", user("admin", "system:masters"), "GET", pods, "exempt"],
  [
    "a node's own heartbeat",
    user("system:node:n", "system:nodes"),
    "PUT",
    "/api/v1/nodes/n/status",
    "system-node-high",
  ],
  ["a node", user("system:node:n", "system:nodes"), "GET", pods, "system-nodes"],
  ["a controller's lease", account("kube-system", "c"), "PUT", lease, "system-leader-election"],
  ["a controller", account("kube-system", "c"), "GET", pods, "kube-system-service-accounts"],
  ["a workload", account("ns", "app"), "GET", pods, "service-accounts"],
  ["a person", user("alice"), "GET", pods, "global-default"],
  ["a probe", { ...user("system:anonymous"), groups: ["system:unauthenticated"] }, "GET", "/livez", "probes"],
];

for (const [who, asks, method, path, wanted] of cases) {
  test(`the schemas of a new server sort ${who} into ${wanted}`, () => {
    const { classify } = compileSchemas([...bootstrapped], names, new Map());
    assert.equal(classify(asks, parseRequest(method, path))?.name, wanted);
  });
}

test("a schema whose level is not there is passed over, and counts go on over changes", () => {
  const { schemas } = compileSchemas([...bootstrapped], names, new Map());
  const before = schemas.get("global-default");
  assert.ok(before !== undefined);
  before.dispatched = 7;
  const without = new Set([...names].filter((name) => name !== "workload-low"));
  const { classify, schemas: after } = compileSchemas([...bootstrapped], without, schemas);
  assert.equal(classify(account("ns", "app"), parseRequest("GET", pods))?.name, "global-default");
  assert.equal(after.get("global-default")?.dispatched, 7);
});

test("flowOf() tells users or namespaces apart, as the schema says", () => {
  const { schemas } = compileSchemas([...bootstrapped], names, new Map());
  const schema = schemas.get("global-default");
  assert.ok(schema !== undefined);
  const info = parseRequest("GET", pods);
  assert.notEqual(flowOf(schema, user("a"), info), flowOf(schema, user("b"), info));
  const byNamespace = { ...schema, distinguisher: "namespace" as const };
  assert.equal(flowOf(byNamespace, user("a"), info), flowOf(byNamespace, user("b"), info));
  assert.notEqual(
    flowOf(byNamespace, user("a"), info),
    flowOf(byNamespace, user("a"), parseRequest("GET", "/api/v1/pods")),
  );
});

test("divide() gives each level its part, and says what it lends and may borrow", () => {
  const given = levels.map((each) => named<PriorityLevelConfiguration>(each));
  const [exempt, catchAll, ...others] = divide(600, given);
  assert.equal(exempt?.exempt, true);
  // The published table for 600 seats.
  assert.deepEqual(
    [catchAll, ...others].map((each) => [each?.name, each?.nominal, (each?.nominal ?? 0) - (each?.lendable ?? 0)]),
    [
      ["catch-all", 13, 13],
      ["system", 74, 50],
      ["node-high", 98, 73],
      ["leader-election", 25, 25],
      ["workload-high", 98, 49],
      ["workload-low", 245, 24],
      ["global-default", 49, 24],
    ],
  );
});
