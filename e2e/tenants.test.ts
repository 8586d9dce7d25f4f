/**
 * Two tenants of one Supervisor, each the owner of a SupervisorNamespace, and somebody who may only look. The checks are
 * those of the Multi-Tenancy Benchmarks, by their names.
 * Source: https://github.com/kubernetes-retired/multi-tenancy/tree/master/benchmarks
 */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { SupervisorNamespace } from "@atoll/api/supervisor/v1alpha1/supervisornamespace";
import { StorageClass } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { controllers } from "@atoll/controllers/index";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers, type Workshop } from "@atoll/harness/controllers";
import { type As, type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { installKinds } from "@atoll/processes/kinds";

let harness: Harness;
let client: Client;
let workshop: Workshop;
let alice: As;
let bob: As;
let vera: As;

before(async () => {
  harness = await startHarness();
  client = clientOf(harness);
  await installKinds(client, systemClock);
  await client.create(StorageClass, { metadata: { name: "gold" }, provisioner: "example.com/disks" });
  await client.create(StorageClass, { metadata: { name: "scrap" }, provisioner: "example.com/disks" });
  workshop = startControllers(harness, controllers({ ca: harness.pki.ca.cert }));
  [alice, bob, vera] = await Promise.all([harness.user("alice"), harness.user("bob"), harness.user("vera")]);
  await Promise.all([tenant("reef", "alice"), tenant("lagoon", "bob")]);
  await eventually("the tenants' accounts are there", async () => {
    const answers = ["reef", "lagoon"].map((name) => harness.send("GET", inside(name, "serviceaccounts/default")));
    return (await Promise.all(answers)).every(({ status }) => status === 200);
  });
});
after(async () => {
  await workshop.stop();
  await harness.close();
});

async function tenant(name: string, owner: string): Promise<void> {
  await client.create(SupervisorNamespace, {
    metadata: { name },
    spec: {
      network: "Isolated",
      podSecurity: "Restricted",
      limits: { cpu: 2, memory: "2Gi", counts: { pods: 4, "count/configmaps": 3 } },
      storagePolicies: ["gold"],
      access: [
        { role: "Owner", users: [owner] },
        { role: "View", users: ["vera"] },
      ],
    },
  });
  await eventually(`${name} is there`, async () => {
    const { status } = await client.get(SupervisorNamespace, toKey(undefined, name));
    return status?.phase === "Active";
  });
  await eventually("the quota is counted", async () => {
    const { json } = await harness.send("GET", inside(name, "resourcequotas/supervisor"));
    return (json?.["status"] as { used?: object } | undefined)?.used !== undefined;
  });
}

const inside = (namespace: string, path: string) => `/api/v1/namespaces/${namespace}/${path}`;
const rbac = "/apis/rbac.authorization.k8s.io/v1";

/** @returns the code, with the message where it is none of success */
async function tries(who: As, method: string, path: string, body?: object): Promise<string> {
  const contentType = method === "PATCH" ? { contentType: "application/merge-patch+json" } : {};
  const answer = await who.send(method, path, { ...(body === undefined ? {} : { body }), ...contentType });
  return answer.status < 300 ? "allowed" : `${answer.status} ${String(answer.json?.["message"])}`;
}

const container = {
  name: "c",
  image: "i",
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
};
const podSpec = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  containers: [container],
};

/** A Pod that a tenant may make, but for what is given. */
function pod(name: string, { spec = {}, main = {} }: { spec?: object; main?: object } = {}): object {
  return { metadata: { name }, spec: { ...podSpec, containers: [{ ...container, ...main }], ...spec } };
}
const inContext = (more: object) => ({ main: { securityContext: { ...container.securityContext, ...more } } });

test("a tenant works in a namespace of their own, and whoever may look only looks", async () => {
  assert.equal(await tries(alice, "POST", inside("reef", "pods"), pod("mine")), "allowed");
  assert.match(await tries(vera, "POST", inside("reef", "pods"), pod("veras")), /^403 .*cannot create resource "pods"/);
  assert.equal(await tries(vera, "GET", inside("reef", "pods/mine")), "allowed");
  assert.match(await tries(vera, "GET", inside("reef", "secrets")), /^403 /);
});

const podChecks: Readonly<Record<string, object>> = {
  "Block add capabilities": pod("x", inContext({ capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] } })),
  "Block privilege escalation": pod("x", inContext({ allowPrivilegeEscalation: true })),
  "Block privileged containers": pod("x", inContext({ privileged: true, allowPrivilegeEscalation: true })),
  "Block use of bind mounts": pod("x", { spec: { volumes: [{ name: "v", hostPath: { path: "/proc" } }] } }),
  "Block use of host path volumes": pod("x", { spec: { volumes: [{ name: "v", hostPath: { path: "/" } }] } }),
  "Block use of host IPC": pod("x", { spec: { hostIPC: true } }),
  "Block use of host PID": pod("x", { spec: { hostPID: true } }),
  "Block use of host networking": pod("x", { spec: { hostNetwork: true } }),
  "Block use of host ports": pod("x", { main: { ports: [{ containerPort: 80, hostPort: 80 }] } }),
  "Require run as non-root user": pod("x", {
    spec: { securityContext: { seccompProfile: { type: "RuntimeDefault" } } },
  }),
  "Require CAP_DROP_ALL": pod("x", inContext({ capabilities: {} })),
};
for (const [check, body] of Object.entries(podChecks)) {
  test(`MTB: ${check}`, async () => {
    assert.match(await tries(alice, "POST", inside("reef", "pods"), body), /^(403|422) /);
  });
}

test("MTB: Block access to cluster resources", async () => {
  const paths = ["/api/v1/nodes", "/api/v1/namespaces", "/api/v1/persistentvolumes", `${rbac}/clusterroles`];
  paths.push("/apis/storage.k8s.io/v1/storageclasses", "/apis/supervisor.atoll.dev/v1alpha1/supervisornamespaces");
  for (const path of paths) {
    for (const method of ["GET", "DELETE"])
      assert.match(await tries(alice, method, path), /^403 /, `${method} ${path}`);
  }
});

test("MTB: Block access to other tenant resources", async () => {
  for (const kind of ["pods", "secrets", "configmaps", "services", "serviceaccounts", "persistentvolumeclaims"]) {
    assert.match(await tries(alice, "GET", inside("lagoon", kind)), /^403 /, kind);
    assert.match(await tries(bob, "GET", inside("reef", kind)), /^403 /, kind);
  }
  assert.match(await tries(alice, "POST", inside("lagoon", "pods"), pod("intruder")), /^403 /);
});

test("MTB: Block multitenant resources; Block modification of resource quotas", async () => {
  const ours = [
    inside("reef", "resourcequotas/supervisor"),
    inside("reef", "limitranges/supervisor"),
    `${rbac}/namespaces/reef/rolebindings/supervisor-view`,
    `${rbac}/namespaces/reef/rolebindings/supervisor-owner`,
    "/api/v1/namespaces/reef",
  ];
  for (const path of ours) {
    const labelled = { metadata: { labels: { mine: "now" } } };
    assert.match(await tries(alice, "PATCH", path, labelled), /^403 /, path);
    assert.match(await tries(alice, "DELETE", path), /^403 /, path);
  }
  assert.match(
    await tries(alice, "DELETE", `${rbac}/namespaces/reef/rolebindings/supervisor-view`),
    /this belongs to SupervisorNamespace reef/,
  );
});

test("MTB: Block role privilege escalation", async () => {
  const more = { metadata: { name: "more" }, rules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }] };
  assert.match(await tries(alice, "POST", `${rbac}/namespaces/reef/roles`, more), /^403 /);
  const binding = {
    metadata: { name: "more" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "User", name: "alice", apiGroup: "rbac.authorization.k8s.io" }],
  };
  assert.match(await tries(alice, "POST", `${rbac}/namespaces/reef/rolebindings`, binding), /^403 /);
});

test("MTB: Create role bindings; Create network policies", async () => {
  const binding = {
    metadata: { name: "friend" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
    subjects: [{ kind: "User", name: "fred", apiGroup: "rbac.authorization.k8s.io" }],
  };
  assert.equal(await tries(alice, "POST", `${rbac}/namespaces/reef/rolebindings`, binding), "allowed");
  assert.equal(await tries(alice, "DELETE", `${rbac}/namespaces/reef/rolebindings/friend`), "allowed");
  const policy = { metadata: { name: "closed" }, spec: { podSelector: {} } };
  const policies = "/apis/networking.k8s.io/v1/namespaces/reef/networkpolicies";
  assert.equal(await tries(alice, "POST", policies, policy), "allowed");
});

test("MTB: Configure namespace resource quotas; Configure namespace object limits", async () => {
  const large = pod("large", { main: { resources: { limits: { cpu: "3" } } } });
  assert.match(
    await tries(alice, "POST", inside("reef", "pods"), large),
    /^403 .*exceeded quota: supervisor.*limits\.cpu/,
  );
  const answers: string[] = [];
  for (const name of ["a", "b", "c", "d"]) {
    answers.push(await tries(bob, "POST", inside("lagoon", "configmaps"), { metadata: { name } }));
  }
  assert.match(answers.at(-1) ?? "", /^403 .*exceeded quota: supervisor.*count\/configmaps/);
});

test("a storage policy that is not allowed gives no claim", async () => {
  const claim = (storageClassName: string) => ({
    metadata: { name: storageClassName },
    spec: { storageClassName, accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  });
  assert.equal(await tries(alice, "POST", inside("reef", "persistentvolumeclaims"), claim("gold")), "allowed");
  assert.match(
    await tries(alice, "POST", inside("reef", "persistentvolumeclaims"), claim("scrap")),
    /^403 .*exceeded quota/,
  );
});
