import assert from "node:assert/strict";
import { test } from "node:test";
import { applyItem, type Cluster } from "@atoll/agent/apply";
import { statusesOf } from "@atoll/agent/status";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import type { Work } from "@atoll/api/fleet/v1alpha1/work";
import { compile, type Organization, type Policy } from "../compile/compile.ts";
import { stateOf } from "./plan.ts";

test("a policy that a cluster is too old for is Unsupported there, with the version that it takes", async () => {
  const policy = {
    apiVersion: "fleet.atoll.dev/v1alpha1",
    kind: "MutationPolicy",
    metadata: { name: "team", namespace: "default", generation: 3 },
    spec: { target: {}, labels: { team: "blue" } },
  } as unknown as Policy;
  const organization: Organization = {
    groups: new Map(),
    policies: [policy],
    namespaces: [],
    exceptions: [],
    nowMs: 0,
  };
  const objects = compile({ metadata: { name: "old" }, spec: {} } as FleetCluster, organization);
  const work = { metadata: { name: "w", generation: 1 }, spec: { order: 1, objects } } as unknown as Work;
  // Of a cluster that serves none of what it is asked for nothing else is needed.
  const old = { resources: { of: async () => undefined } } as unknown as Cluster;
  const outcomes = await Promise.all(
    objects.map(({ source, manifest }) => applyItem({ work: "w", source, manifest }, old)),
  );
  const [told] = statusesOf([work], outcomes, 0);
  assert.ok(told);
  assert.deepEqual(stateOf(policy, [{ ...work, status: told.status }]), {
    state: "Unsupported",
    reason:
      "MutatingAdmissionPolicy.admissionregistration.k8s.io/fleet-mutationpolicy-team: " +
      "MutatingAdmissionPolicy needs Kubernetes 1.36 or newer",
    generation: 3,
  });
});
