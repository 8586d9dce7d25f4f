/** A hub and a cluster, both real servers, an agent between them: every policy is judged at the cluster. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessGuard } from "@atoll/api/fleet/guard";
import { fleetKinds } from "@atoll/api/fleet/kinds";
import { AccessPolicy } from "@atoll/api/fleet/v1alpha1/accesspolicy";
import { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import { ClusterInventory } from "@atoll/api/fleet/v1alpha1/clusterinventory";
import { ClusterReport } from "@atoll/api/fleet/v1alpha1/clusterreport";
import { CustomPolicy } from "@atoll/api/fleet/v1alpha1/custompolicy";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { FleetNamespace } from "@atoll/api/fleet/v1alpha1/fleetnamespace";
import { ImagePolicy } from "@atoll/api/fleet/v1alpha1/imagepolicy";
import { MutationPolicy } from "@atoll/api/fleet/v1alpha1/mutationpolicy";
import { PolicyException } from "@atoll/api/fleet/v1alpha1/policyexception";
import { QuotaPolicy } from "@atoll/api/fleet/v1alpha1/quotapolicy";
import { SecurityPolicy } from "@atoll/api/fleet/v1alpha1/securitypolicy";
import { TrafficPolicy } from "@atoll/api/fleet/v1alpha1/trafficpolicy";
import { ClusterProfile } from "@atoll/api/multicluster/clusterprofile";
import { Agent } from "@atoll/agent/agent";
import { Census } from "@atoll/agent/census";
import {
  ClusterRole,
  ClusterRoleBinding,
  CustomResourceDefinition,
  Deployment,
  Endpoints,
  Namespace,
  NetworkPolicy,
  Pod,
  ResourceQuota,
  RoleBinding,
  Service,
  ServiceAccount,
} from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { type Resource, toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace, transportTo } from "@atoll/harness/client";
import { startControllers, type Workshop } from "@atoll/harness/controllers";
import { serveKinds } from "@atoll/harness/kinds";
import { type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { silent } from "@atoll/runtime/log";
import { fleetControllers } from "./index.ts";

interface Fleet {
  readonly hub: Harness;
  readonly child: Harness;
  readonly hubClient: Client;
  readonly childClient: Client;
  readonly workshop: Workshop;
  close(): Promise<void>;
}

/** One hub, one cluster `c1` in group `prod` below `all`, with a namespace `shop` and one `bank`. */
async function startFleet(): Promise<Fleet> {
  const [hub, child] = await Promise.all([startHarness(), startHarness()]);
  const transports = [transportTo(hub), transportTo(child)] as const;
  const [hubClient, childClient] = [clientOf(hub, transports[0]), clientOf(child, transports[1])];
  await serveKinds(hubClient, [...fleetKinds, ClusterProfile]);
  for (const name of ["shop", "bank"]) await makeNamespace(childClient, name);
  const workshop = startControllers(hub, fleetControllers());
  const at = (name: string) => ({ name, namespace: "default" });
  await hubClient.create(ClusterGroup, { metadata: at("all"), spec: {} });
  await hubClient.create(ClusterGroup, { metadata: at("prod"), spec: { parent: "all" } });
  await hubClient.create(FleetCluster, { metadata: at("c1"), spec: { group: "prod" } });
  let namespace = "";
  await eventually("the cluster has its namespace", async () => {
    namespace = (await hubClient.get(FleetCluster, toKey("default", "c1"))).status?.namespace ?? "";
    return namespace !== "";
  });
  const agent = new Agent({
    hub: hubClient,
    hubNamespace: namespace,
    cluster: childClient,
    clock: systemClock,
    log: silent,
    instance: "test",
    version: "test",
  });
  const stop = new AbortController();
  const running = agent.run(stop.signal);
  return {
    hub,
    child,
    hubClient,
    childClient,
    workshop,
    async close() {
      stop.abort();
      await running;
      await workshop.stop();
      for (const transport of transports) transport.close();
      await Promise.all([hub.close(), child.close()]);
    },
  };
}

const fleet = Promise.withResolvers<Fleet>();
before(() => startFleet().then(fleet.resolve, fleet.reject));
after(async () => (await fleet.promise).close());

const policyReports: Resource<ApiObject> = {
  ...{ group: "wgpolicyk8s.io", version: "v1alpha2", kind: "PolicyReport", plural: "policyreports", namespaced: true },
};
interface ReportResult {
  readonly policy: string;
  readonly result: string;
  readonly resources: readonly { readonly kind: string; readonly name: string }[];
}

interface PolicyObject extends ApiObject {
  status?: { summary?: string; clusters?: readonly { name: string; state: string; reason: string }[] };
}

/** Writes a policy, waits until it is applied, and takes it away again when the test is done. */
async function withPolicy(kind: Resource, spec: object, body: (fleet: Fleet) => Promise<void>): Promise<void> {
  const all = await fleet.promise;
  const metadata = { name: "p", namespace: "default" };
  await all.hubClient.create(kind as Resource<ApiObject>, { metadata, spec });
  try {
    await applied(all, kind);
    await body(all);
  } finally {
    await all.hubClient.delete(kind, toKey("default", "p"));
    await eventually(
      "the cluster has nothing left of it",
      async () => (await all.workshop.running.idle) && isClean(all),
    );
  }
}

async function applied({ hubClient }: Fleet, kind: Resource): Promise<void> {
  let last: PolicyObject["status"];
  try {
    await eventually("the policy is applied", async () => {
      last = ((await hubClient.get(kind, toKey("default", "p"))) as PolicyObject).status;
      return last?.summary === "1/1";
    });
  } catch (error) {
    throw new Error(JSON.stringify(last), { cause: error });
  }
}

async function isClean({ child }: Fleet): Promise<boolean> {
  const { json } = await child.send("GET", "/api/v1/namespaces/atoll-system/secrets/fleet-agent-applied");
  const { data } = json as { data?: Record<string, string> };
  const text = Buffer.from(data?.["inventory.json"] ?? "", "base64").toString();
  return text === "" || (JSON.parse(text) as { objects: unknown[] }).objects.length === 0;
}

const podOf = (over: object, namespace = "shop") => ({
  metadata: { name: "x", namespace },
  spec: { containers: [{ name: "a", image: "registry.example.com/team/app:1.0", ...over }] },
});
const restricted = {
  securityContext: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  },
};
const serviceOf = (spec: object) => ({
  metadata: { name: "x", namespace: "shop" },
  spec: { ports: [{ port: 80 }], ...spec },
});
const privileged = podOf({ securityContext: { privileged: true } });

interface Verdicts {
  readonly kind: Resource;
  readonly spec: object;
  readonly of: Resource;
  readonly refused: object;
  readonly allowed: object;
  readonly says: RegExp;
}

const pods = Pod as unknown as Resource;
const services = Service as unknown as Resource;
const image = (spec: object, refused: string, allowed: string): Verdicts => ({
  kind: ImagePolicy as unknown as Resource,
  spec: { target: {}, ...spec },
  of: pods,
  refused: podOf({ image: refused }),
  allowed: podOf({ image: allowed }),
  says: /images: /,
});
const security = (spec: object, refused: object, says: RegExp, allowed: object = podOf(restricted)): Verdicts => ({
  kind: SecurityPolicy as unknown as Resource,
  spec: { target: {}, ...spec },
  of: pods,
  refused,
  allowed,
  says,
});
const custom = (spec: object, of: Resource, [refused, allowed]: readonly [object, object], says: RegExp): Verdicts => ({
  kind: CustomPolicy as unknown as Resource,
  spec: { target: {}, ...spec },
  of,
  refused,
  allowed,
  says,
});
const digest = `registry.example.com/team/app@sha256:${"a".repeat(64)}`;
const labelled = { ...podOf({}), metadata: { name: "x", namespace: "shop", labels: { team: "red" } } };
const onPods = [{ apiGroups: [""], resources: ["pods"] }];

const table: Readonly<Record<string, Verdicts>> = {
  "security Baseline of the organization": security({ level: "Baseline" }, privileged, /privileged/, podOf({})),
  "security Restricted of the organization": security(
    { level: "Restricted" },
    podOf({}),
    /allowPrivilegeEscalation != false/,
  ),
  "security Custom": security(
    { level: "Custom", custom: { controls: ["hostPorts"] } },
    podOf({ ports: [{ containerPort: 1, hostPort: 1 }] }),
    /hostPort/,
    privileged,
  ),
  "security of an outer group": security({ target: { group: "all" }, level: "Baseline" }, privileged, /privileged/),
  "security of the cluster": security({ target: { cluster: "c1" }, level: "Baseline" }, privileged, /privileged/),
  "security of one namespace": security(
    { target: { namespace: { cluster: "c1", name: "shop" } }, level: "Baseline" },
    privileged,
    /privileged/,
    podOf({ securityContext: { privileged: true } }, "bank"),
  ),
  "security by labels of namespaces": security(
    { level: "Baseline", namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } } },
    privileged,
    /privileged/,
    podOf({ securityContext: { privileged: true } }, "bank"),
  ),
  "image registries": image({ registries: ["registry.example.com"] }, "nginx", "registry.example.com/a:1"),
  "image names": image({ names: ["team/*"] }, "registry.example.com/other/app:1", "registry.example.com/team/app:1"),
  "image library names": image({ names: ["library/nginx"] }, "redis:7", "nginx:1.27"),
  "image tags": image(
    { tags: ["1.*"] },
    "registry.example.com:5000/team/app",
    "registry.example.com:5000/team/app:1.2",
  ),
  "image block-tags": image({ blockTags: ["dev-*"] }, "app:dev-3", "app:3"),
  "image block-latest": image({ blockLatest: true }, "registry.example.com:5000/app", digest),
  "image require-digest": image({ requireDigest: true }, "app:1.0", digest),
  "custom BlockNodePort": custom(
    { recipe: "BlockNodePort" },
    services,
    [serviceOf({ type: "NodePort" }), serviceOf({})],
    /NodePort/,
  ),
  "custom BlockExternalIPs": custom(
    { recipe: "BlockExternalIPs" },
    services,
    [serviceOf({ externalIPs: ["1.2.3.4"] }), serviceOf({})],
    /external IPs/,
  ),
  "custom RequireLabels": custom(
    { recipe: "RequireLabels", labels: [{ key: "team", pattern: "red|blue" }], resources: onPods },
    pods,
    [podOf({}), labelled],
    /label team/,
  ),
  "custom BlockResources": custom(
    { recipe: "BlockResources", resources: onPods },
    pods,
    [podOf({}), serviceOf({})],
    /not allowed here/,
  ),
  "custom Rules": custom(
    {
      recipe: "Rules",
      resources: onPods,
      rules: [{ expression: "object.metadata.name != 'x'", message: "not x" }],
    },
    pods,
    [podOf({}), { ...podOf({}), metadata: { name: "y", namespace: "shop" } }],
    /not x/,
  ),
};

for (const [name, { kind, spec, of, refused, allowed, says }] of Object.entries(table)) {
  test(`${name}: refused and allowed at the cluster`, { timeout: 60_000 }, async () => {
    await withPolicy(kind, spec, async ({ childClient }) => {
      const make = (object: object) => childClient.create(of, object as ApiObject, { dryRun: true });
      await assert.rejects(make(refused), says);
      const allowedOf = name.endsWith("BlockResources") ? services : of;
      await childClient.create(allowedOf, allowed as ApiObject, { dryRun: true });
    });
  });
}

test("a policy of some namespaces has no say in what is in none, but for those namespaces", {
  timeout: 60_000,
}, async () => {
  const all = [{ apiGroups: ["*"], resources: ["*"] }];
  const spec = { target: { namespace: { cluster: "c1", name: "shop" } }, recipe: "BlockResources", resources: all };
  await withPolicy(CustomPolicy as unknown as Resource, spec, async ({ childClient }) => {
    const dryRun = { dryRun: true };
    await childClient.create(ClusterRole, { metadata: { name: "free" }, rules: [] }, dryRun);
    await childClient.create(Namespace, { metadata: { name: "other" } }, dryRun);
    await childClient.create(Service, { ...serviceOf({}), metadata: { name: "x", namespace: "bank" } }, dryRun);
    await assert.rejects(childClient.create(Service, serviceOf({}), dryRun), /not allowed here/);
  });
});

test("a policy that warns or audits lets pass", { timeout: 60_000 }, async () => {
  for (const enforcement of ["Warn", "Audit"]) {
    await withPolicy(
      SecurityPolicy as unknown as Resource,
      { target: {}, level: "Baseline", enforcement },
      async ({ child }) => {
        const body = { apiVersion: "v1", kind: "Pod", ...privileged };
        const { status, headers } = await child.send("POST", "/api/v1/namespaces/shop/pods?dryRun=All", { body });
        assert.equal(status, 201);
        assert.equal(/privileged/.test(String(headers["warning"] ?? "")), enforcement === "Warn");
      },
    );
  }
});

test("objects that break a policy as they are are counted on cluster, group and policy, exceptions left out", {
  timeout: 60_000,
}, async () => {
  const { childClient } = await fleet.promise;
  const made = ["old-1", "old-2"].map((name) => ({ ...privileged, metadata: { name, namespace: "bank" } }));
  for (const pod of made) await childClient.create(Pod, pod);
  await childClient.create(Pod, { ...podOf({}), metadata: { name: "fine", namespace: "bank" } });
  const spec = { target: {}, level: "Baseline", enforcement: "Audit" };
  await withPolicy(SecurityPolicy as unknown as Resource, spec, async ({ hubClient }) => {
    const counts = async () => {
      const group = await hubClient.get(ClusterGroup, toKey("default", "all"));
      const cluster = await hubClient.get(FleetCluster, toKey("default", "c1"));
      const policy = await hubClient.get(SecurityPolicy, toKey("default", "p"));
      return [group.status?.violations, cluster.status?.violations, policy.status?.violations].join();
    };
    const become = (wanted: string) => eventually(`violations are ${wanted}`, async () => (await counts()) === wanted);
    await become("2,2,2");
    assert.equal((await hubClient.get(ClusterGroup, toKey("default", "all"))).status?.clusters, 1);
    const cluster = await hubClient.get(FleetCluster, toKey("default", "c1"));
    const report = await hubClient.get(ClusterReport, toKey(cluster.status?.namespace, "cluster"));
    const told = report.spec.violations.map(({ policy, kind, namespace, name }) => [policy, kind, namespace, name]);
    assert.deepEqual(told, [
      ["SecurityPolicy/p", "Pod", "bank", "old-1"],
      ["SecurityPolicy/p", "Pod", "bank", "old-2"],
    ]);
    assert.match(report.spec.violations[0]?.message ?? "", /^privileged: /);
    const polr = () => childClient.get(policyReports, toKey("bank", "atoll-fleet"));
    await eventually("the cluster itself tells of them", () =>
      polr().then(
        ({ metadata }) => metadata.name !== "",
        () => false,
      ),
    );
    const { summary, results } = (await polr()) as ApiObject & { summary: object; results: readonly ReportResult[] };
    assert.deepEqual(summary, { pass: 0, fail: 2, warn: 0, error: 0, skip: 0 });
    const named = results.map(({ policy, result, resources }) => [
      policy,
      result,
      resources[0]?.kind,
      resources[0]?.name,
    ]);
    assert.deepEqual(named, [
      ["SecurityPolicy/p", "fail", "Pod", "old-1"],
      ["SecurityPolicy/p", "fail", "Pod", "old-2"],
    ]);
    const exempt = { policy: "SecurityPolicy/p", namespace: "bank", name: "old-1", owner: "ann", reason: "old" };
    const metadata = { name: "old", namespace: "default" };
    await hubClient.create(PolicyException, { metadata, spec: { ...exempt, expires: "2100-01-01T00:00:00Z" } });
    const spare = { metadata: { name: "spare", namespace: "default" }, spec: { ...exempt, name: "nobody" } };
    await hubClient.create(PolicyException, { ...spare, spec: { ...spare.spec, expires: "2100-01-01T00:00:00Z" } });
    await become("1,1,1");
    const stillOf = async (name: string) =>
      (await hubClient.get(PolicyException, toKey("default", name))).status?.violations;
    await eventually("one is needed still, the other is not", async () => {
      return (await stillOf("old")) === 1 && (await stillOf("spare")) === 0;
    });
    for (const name of ["old", "spare"]) await hubClient.delete(PolicyException, toKey("default", name));
    await become("2,2,2");
  });
  await eventually("no report is left, nor the kinds that came with them", async () => {
    const { items } = await childClient.list(CustomResourceDefinition);
    return items.every(({ spec }) => spec.group !== policyReports.group);
  });
  for (const { metadata } of made) await childClient.delete(Pod, toKey("bank", metadata.name), { graceSeconds: 0 });
  await childClient.delete(Pod, toKey("bank", "fine"), { graceSeconds: 0 });
});

test("an AccessPolicy gives no more than its writer may give", { timeout: 60_000 }, async () => {
  const { hub, hubClient } = await fleet.promise;
  const admission = "/apis/admissionregistration.k8s.io/v1";
  for (const body of accessGuard) {
    const plural = body.kind.endsWith("y") ? "validatingadmissionpolicies" : "validatingadmissionpolicybindings";
    assert.equal((await hub.send("POST", `${admission}/${plural}`, { body })).status, 201);
  }
  const rules = [
    { apiGroups: ["fleet.atoll.dev"], resources: ["accesspolicies"], verbs: ["*"] },
    {
      apiGroups: ["rbac.authorization.k8s.io"],
      resources: ["clusterroles"],
      resourceNames: ["admin", "view"],
      verbs: ["bind"],
    },
  ];
  const apiGroup = "rbac.authorization.k8s.io";
  await hubClient.create(ClusterRole, { metadata: { name: "writer" }, rules });
  await hubClient.create(ClusterRoleBinding, {
    metadata: { name: "writer" },
    roleRef: { apiGroup, kind: "ClusterRole", name: "writer" },
    subjects: [{ apiGroup, kind: "User", name: "ann" }],
  });
  const path = "/apis/fleet.atoll.dev/v1alpha1/namespaces/default/accesspolicies?dryRun=All";
  const write = async (role: string, over: object = {}, target: object = {}) => {
    const bindings = [{ role, subjects: [{ kind: "User", name: "bob" }], ...over }];
    const metadata = { name: "given" };
    const body = {
      apiVersion: "fleet.atoll.dev/v1alpha1",
      kind: "AccessPolicy",
      metadata,
      spec: { target, bindings },
    };
    return (await hub.send("POST", path, { body, headers: { "impersonate-user": "ann" } })).status;
  };
  await eventually("what may not be given is refused", async () => (await write("cluster.admin")) === 403);
  assert.equal(await write("organization.edit"), 403);
  assert.equal(await write("organization.view"), 201);
  // In namespaces alone, admin is the role of that name, which ann may bind.
  assert.equal(await write("workspace.admin", {}, { workspace: "w" }), 201);
  assert.equal(await write("namespace.admin", {}, { namespace: { cluster: "c1", name: "shop" } }), 201);
  assert.equal(await write("namespace.edit", {}, { namespace: { cluster: "c1", name: "shop" } }), 403);
  assert.equal(await write("custom", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] }), 403);
});

test("a policy of a group does not reach clusters outside it", { timeout: 60_000 }, async () => {
  const { hubClient, childClient } = await fleet.promise;
  await hubClient.create(SecurityPolicy, {
    metadata: { name: "elsewhere", namespace: "default" },
    spec: { target: { group: "dev" }, level: "Baseline" },
  });
  await eventually("it is for no cluster", async () => {
    return (await hubClient.get(SecurityPolicy, toKey("default", "elsewhere"))).status?.summary === "0/0";
  });
  await childClient.create(Pod, privileged, { dryRun: true });
  await hubClient.delete(SecurityPolicy, toKey("default", "elsewhere"));
});

test("an exception lets its objects pass until it ends", { timeout: 60_000 }, async () => {
  await withPolicy(
    SecurityPolicy as unknown as Resource,
    { target: {}, level: "Baseline" },
    async ({ hubClient, childClient }) => {
      const make = () => childClient.create(Pod, privileged, { dryRun: true });
      const spec = { policy: "SecurityPolicy/p", namespace: "shop", name: "x", owner: "ann", reason: "old driver" };
      const metadata = { name: "e", namespace: "default" };
      await assert.rejects(make());
      const expires = new Date(systemClock.nowMs() + 4_000).toISOString().replace(/\.\d+/, "");
      await hubClient.create(PolicyException, { metadata, spec: { ...spec, expires } });
      const passes = () =>
        make().then(
          () => true,
          () => false,
        );
      const active = async () => {
        const found = await hubClient.get(PolicyException, toKey("default", "e"));
        return found.status?.conditions?.map(({ status, reason }) => `${status} ${reason}`).join();
      };
      await eventually("the pod passes", passes);
      await eventually("it says that it holds", async () => (await active()) === "True Active");
      await eventually("the pod is refused again", async () => !(await passes()));
      await eventually("it says that it has ended", async () => (await active()) === "False Expired");
      await hubClient.delete(PolicyException, toKey("default", "e"));
    },
  );
});

test("quota, network rules and roles are in each namespace but the system's", { timeout: 60_000 }, async () => {
  const has = async (client: Client, resource: Resource, namespace: string, name: string) =>
    client.get(resource, toKey(namespace, name)).then(
      () => true,
      (error: unknown) => {
        if (isNotFound(error)) return false;
        throw error;
      },
    );
  const cases: readonly [Resource, object, Resource, string][] = [
    [QuotaPolicy as never, { size: "Small" }, ResourceQuota as never, "fleet-quotapolicy-p"],
    [TrafficPolicy as never, { recipe: "DenyAll" }, NetworkPolicy as never, "fleet-trafficpolicy-p"],
    [
      AccessPolicy as never,
      { namespaceSelector: {}, bindings: [{ role: "namespace.edit", subjects: [{ kind: "Group", name: "dev" }] }] },
      RoleBinding as never,
      "fleet-accesspolicy-p-0",
    ],
  ];
  for (const [kind, spec, made, name] of cases) {
    await withPolicy(kind, { target: {}, ...spec }, async ({ childClient }) => {
      assert.equal(await has(childClient, made, "shop", name), true);
      assert.equal(await has(childClient, made, "kube-system", name), false);
      await childClient.create(Namespace, { metadata: { name: "late" } });
      await eventually("a namespace that comes later has it too", () => has(childClient, made, "late", name));
      await childClient.delete(made, toKey("shop", name));
      await eventually("what was deleted by hand is back", () => has(childClient, made, "shop", name));
      await childClient.delete(made, toKey("late", name));
      const { child } = await fleet.promise;
      await child.send("DELETE", "/api/v1/namespaces/late");
      const { json } = await child.send("GET", "/api/v1/namespaces/late");
      const body = { ...json, spec: { finalizers: [] } };
      await child.send("PUT", "/api/v1/namespaces/late/finalize", { body });
    });
  }
});

test("a QuotaPolicy tells which namespaces are near its limits", { timeout: 60_000 }, async () => {
  const spec = { target: {}, size: "Custom", hard: { pods: "10" } };
  await withPolicy(QuotaPolicy as unknown as Resource, spec, async ({ hubClient, childClient }) => {
    const cluster = await hubClient.get(FleetCluster, toKey("default", "c1"));
    const hubNamespace = cluster.status?.namespace ?? "";
    const census = new Census({ hub: hubClient, hubNamespace, cluster: childClient, clock: systemClock });
    const use = async (namespace: string, pods: string) => {
      const object = await childClient.get(ResourceQuota, toKey(namespace, "fleet-quotapolicy-p"));
      await childClient.setStatus(ResourceQuota, { object, status: { hard: { pods: "10" }, used: { pods } } });
    };
    const become = (wanted: object) =>
      eventually(`it tells of ${JSON.stringify(wanted)}`, async () => {
        const { status } = await hubClient.get(QuotaPolicy, toKey("default", "p"));
        return JSON.stringify({ nearLimit: status?.nearLimit, nearest: status?.nearest }) === JSON.stringify(wanted);
      });
    await use("shop", "8");
    await use("bank", "7");
    await census.tell();
    await become({ nearLimit: 1, nearest: [{ cluster: "c1", namespace: "shop", state: "80% of pods (8 of 10)" }] });
    await use("shop", "3");
    await census.tell();
    await become({ nearLimit: 0, nearest: [] });
  });
});

test("a role for the whole cluster is a ClusterRoleBinding", { timeout: 60_000 }, async () => {
  const bindings = [{ role: "cluster.edit", subjects: [{ kind: "Group", name: "dev" }] }];
  await withPolicy(
    AccessPolicy as unknown as Resource,
    { target: { group: "prod" }, bindings },
    async ({ childClient }) => {
      const { roleRef, subjects } = await childClient.get(ClusterRoleBinding, toKey("", "fleet-accesspolicy-p-0"));
      assert.equal(roleRef.name, "edit");
      assert.deepEqual(
        subjects?.map(({ name }) => name),
        ["dev"],
      );
    },
  );
});

test("labels and security defaults are filled in", { timeout: 60_000 }, async () => {
  const spec = { target: {}, labels: { team: "blue" }, podSecurityDefaults: true };
  await withPolicy(MutationPolicy as unknown as Resource, spec, async ({ childClient }) => {
    const made = await childClient.create(Pod, podOf({}), { dryRun: true });
    assert.equal(made.metadata.labels?.["team"], "blue");
    assert.equal(made.spec?.securityContext?.runAsNonRoot, true);
    const own = await childClient.create(Pod, labelled, { dryRun: true });
    assert.equal(own.metadata.labels?.["team"], "red");
  });
});

test("a FleetNamespace is made on its clusters, and a policy of its workspace holds there alone", {
  timeout: 60_000,
}, async () => {
  const { hubClient, childClient } = await fleet.promise;
  await hubClient.create(FleetNamespace, {
    metadata: { name: "web", namespace: "default" },
    spec: { workspace: "w", group: "prod" },
  });
  const exists = () =>
    childClient.get(Namespace, toKey("", "web")).then(
      () => true,
      () => false,
    );
  await eventually("the namespace is there", exists);
  await eventually("it says so", async () => {
    return (await hubClient.get(FleetNamespace, toKey("default", "web"))).status?.summary === "1/1";
  });
  await childClient.create(ServiceAccount, { metadata: { name: "default", namespace: "web" } });
  const spec = { target: { workspace: "w" }, level: "Baseline" };
  const policy = { metadata: { name: "ws", namespace: "default" }, spec };
  await hubClient.create(SecurityPolicy, policy as never);
  const refused = (namespace: string) =>
    childClient.create(Pod, podOf({ securityContext: { privileged: true } }, namespace), { dryRun: true }).then(
      () => false,
      (error: Error) => /privileged: /.test(error.message),
    );
  await eventually("it holds in the workspace", () => refused("web"));
  assert.equal(await refused("shop"), false);
  await hubClient.delete(SecurityPolicy, toKey("default", "ws"));
  await hubClient.delete(FleetNamespace, toKey("default", "web"));
});

test("the hub is told what the cluster has, deprecated versions that were asked for among it", {
  timeout: 60_000,
}, async () => {
  const { hubClient, childClient } = await fleet.promise;
  await childClient.list(Endpoints);
  await childClient.create(Deployment, {
    metadata: { name: "web", namespace: "shop" },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "a", image: "nginx:1.27" }] } },
    },
  });
  const { status } = await hubClient.get(FleetCluster, toKey("default", "c1"));
  const hubNamespace = status?.namespace ?? "";
  // What the agent has told at its start is found, and only what differs is written.
  const census = new Census({ hub: hubClient, hubNamespace, cluster: childClient, clock: systemClock });
  await census.tell();
  const told = async () => await hubClient.list(ClusterInventory, { namespace: hubNamespace });
  const { items } = await told();
  const itemsOf = (kind: string) => items.find(({ spec }) => spec.kind === kind)?.spec.items ?? [];
  assert.deepEqual(itemsOf("Deployment"), [
    { namespace: "shop", name: "web", version: "nginx:1.27", state: "0/2 ready", healthy: false },
  ]);
  assert.ok(itemsOf("DeprecatedAPI").some(({ name, version }) => name === "endpoints" && version === "v1"));
  assert.ok(itemsOf("Namespace").some(({ name }) => name === "shop"));
  await census.tell();
  const versionOf = (list: typeof items) =>
    list.find(({ spec }) => spec.kind === "Deployment")?.metadata.resourceVersion;
  assert.equal(versionOf((await told()).items), versionOf(items));
  await childClient.delete(Deployment, toKey("shop", "web"));
});

test("the controllers had nothing to complain about", async () => {
  const { workshop } = await fleet.promise;
  assert.deepEqual(workshop.complaints, []);
});
