import assert from "node:assert/strict";
import { test } from "node:test";
import { Judges } from "@atoll/agent/violations";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { baselineControls, type Control, restrictedControls } from "@atoll/api/fleet/v1alpha1/securitypolicy";
import type { Work } from "@atoll/api/fleet/v1alpha1/work";
import { Pod } from "@atoll/client/builtin";
import type { Resource } from "@atoll/client/resource";
import type { ApiObject } from "@atoll/machinery/object";
import { compile, type Policy } from "./compile.ts";

/** What breaks one control alone, of the container's security context, the container, the pod's context and the pod. */
interface Breach {
  readonly context?: object;
  readonly container?: object;
  readonly podContext?: object;
  readonly pod?: object;
}

const breaches: Readonly<Record<Control, Breach>> = {
  hostProcess: { context: { windowsOptions: { hostProcess: true } } },
  hostNamespaces: { pod: { hostPID: true } },
  privileged: { context: { privileged: true } },
  capabilities: { context: { capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] } } },
  hostPathVolumes: { pod: { volumes: [{ name: "v", hostPath: { path: "/" } }] } },
  hostPorts: { container: { ports: [{ containerPort: 80, hostPort: 80 }] } },
  appArmor: { context: { appArmorProfile: { type: "Unconfined" } } },
  seLinux: { podContext: { seLinuxOptions: { type: "spc_t" } } },
  procMount: { context: { procMount: "Unmasked" } },
  seccomp: { context: { seccompProfile: { type: "Unconfined" } } },
  sysctls: { podContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } },
  restrictedVolumes: { pod: { volumes: [{ name: "v", nfs: { server: "a", path: "/" } }] } },
  allowPrivilegeEscalation: { context: { allowPrivilegeEscalation: true } },
  runAsNonRoot: { context: { runAsNonRoot: false } },
  runAsUser: { context: { runAsUser: 0 } },
  seccompRestricted: { podContext: { seccompProfile: undefined } },
  capabilitiesRestricted: { context: { capabilities: { drop: ["NET_RAW"] } } },
};

function podWith({ context, container, podContext, pod }: Breach): ApiObject {
  const own = { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ["ALL"] } };
  const containers = [{ name: "a", image: "a", ...container, securityContext: { ...own, ...context } }];
  const securityContext = { seccompProfile: { type: "RuntimeDefault" }, ...podContext };
  const spec = JSON.parse(JSON.stringify({ containers, securityContext, ...pod })) as object;
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "x", namespace: "shop" }, spec } as ApiObject;
}

const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };

function judgeOf(spec: object) {
  const policy = {
    apiVersion: "fleet.atoll.dev/v1alpha1",
    kind: "SecurityPolicy",
    metadata: { name: "p", namespace: "default" },
    spec: { target: {}, ...spec },
  } as unknown as Policy;
  const around = { groups: new Map(), policies: [policy], namespaces: [], exceptions: [], nowMs: 0 };
  const objects = compile({ metadata: { name: "c1" }, spec: {} } as FleetCluster, around);
  const [judge] = new Judges().of([{ metadata: { name: "w" }, spec: { order: 1, objects } } as unknown as Work]);
  assert.ok(judge);
  return (pod: ApiObject) => judge.judge(pod, Pod as unknown as Resource, namespace)?.message;
}

for (const control of [...baselineControls, ...restrictedControls]) {
  test(`${control} may hold alone: a pod that breaks it is told, one that keeps to all is not`, () => {
    const judge = judgeOf({ level: "Custom", custom: { controls: [control] } });
    assert.equal(judge(podWith({})), undefined);
    const told = judge(podWith(breaches[control]));
    assert.ok(told !== undefined && !told.includes("("), told);
  });
}

test("a level has all of its controls, and no other", () => {
  const [baseline, restricted] = [judgeOf({ level: "Baseline" }), judgeOf({ level: "Restricted" })];
  assert.equal(restricted(podWith({})), undefined);
  for (const control of baselineControls) assert.ok(baseline(podWith(breaches[control])), control);
  for (const control of [...baselineControls, ...restrictedControls])
    assert.ok(restricted(podWith(breaches[control])), control);
  for (const control of restrictedControls) assert.equal(baseline(podWith(breaches[control])), undefined, control);
});
