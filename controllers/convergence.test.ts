/**
 * Stories of the controllers whose own tests tell none: each comes to the right end whatever fails between it and the API.
 * The last test finds controllers of which no story is told.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { after } from "node:test";
import {
  ClusterRole,
  ConfigMap,
  Deployment,
  Endpoints,
  EndpointSlice,
  HorizontalPodAutoscaler,
  Job,
  Namespace,
  Node,
  Pod,
  ResourceQuota,
  Secret,
  Service,
  ServiceAccount,
} from "@atoll/client/builtin";
import { isNotFound } from "@atoll/client/errors";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, makeNamespace } from "@atoll/harness/client";
import { storyOf, testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { tellRunning } from "@atoll/harness/pods";
import { startHarness } from "@atoll/harness/server";
import { formatTime, systemClock } from "@atoll/machinery/clock";
import { leftAnnotation } from "@atoll/api/supervisor/annotations";
import { tokenCleaner } from "./bootstraptokens/controller.ts";
import { clusterRoleController } from "./clusterroles/controller.ts";
import { departureController } from "./departure/controller.ts";
import { endpointsController } from "./endpoints/controller.ts";
import { mirroringController } from "./endpointslicemirroring/controller.ts";
import { loadBalancerController } from "./loadbalancer/controller.ts";
import { parsePool } from "./loadbalancer/pool.ts";
import { taintEvictionController } from "./nodelifecycle/evicting.ts";
import { nodeLifecycleController } from "./nodelifecycle/controller.ts";
import { podGcController } from "./podgc/controller.ts";
import { podAutoscalerController } from "./podautoscaler/controller.ts";
import { resourceQuotaController } from "./resourcequota/controller.ts";
import { rootCaController } from "./rootca/controller.ts";
import { serviceAccountController } from "./serviceaccount/controller.ts";
import { ttlAfterFinishedController } from "./ttlafterfinished/controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

async function isGoing(asked: Promise<{ metadata: { deletionTimestamp?: string } }>): Promise<boolean> {
  return await asked.then(
    ({ metadata }) => metadata.deletionTimestamp !== undefined,
    (error: unknown) => isNotFound(error),
  );
}

const podSpec = { containers: [{ name: "c", image: "i", resources: { requests: { cpu: "100m" } } }] };
const labels = { app: "a" };

const stories: Readonly<Record<string, Story>> = {
  serviceaccount: storyOf(
    [serviceAccountController],
    async (round) => {
      await client.create(Namespace, { metadata: { name: round } });
    },
    async (round) => {
      const { items } = await client.list(ServiceAccount, { namespace: round });
      assert.deepEqual(
        items.map(({ metadata }) => metadata.name),
        ["default"],
      );
    },
  ),
  rootca: storyOf(
    [rootCaController("PEM")],
    async (round) => {
      await client.create(Namespace, { metadata: { name: round } });
      await client
        .create(ConfigMap, { metadata: { name: "kube-root-ca.crt", namespace: round }, data: { x: "y" } })
        .catch(() => undefined);
    },
    async (round) => {
      const { data } = await client.get(ConfigMap, toKey(round, "kube-root-ca.crt"));
      assert.deepEqual(data, { "ca.crt": "PEM" });
    },
  ),
  clusterroles: storyOf(
    [clusterRoleController],
    async (round) => {
      const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
      const clusterRoleSelectors = [{ matchLabels: { round } }];
      await client.create(ClusterRole, {
        metadata: { name: `${round}-all` },
        aggregationRule: { clusterRoleSelectors },
        rules: null,
      });
      await client.create(ClusterRole, { metadata: { name: `${round}-part`, labels: { round } }, rules });
    },
    async (round) => {
      const { rules } = await client.get(ClusterRole, toKey(undefined, `${round}-all`));
      assert.equal(rules?.length, 1);
    },
  ),
  bootstraptokens: storyOf(
    [tokenCleaner],
    async (round) => {
      const make = async (name: string, afterMs: number) => {
        const stringData = { expiration: formatTime(systemClock.nowMs() + afterMs) };
        const metadata = { name: `${round}-${name}`, namespace: "kube-system" };
        await client.create(Secret, { metadata, type: "bootstrap.kubernetes.io/token", stringData });
      };
      await make("stays", 3_600_000);
      await make("goes", -1000);
    },
    async (round) => {
      assert.ok(await isGoing(client.get(Secret, toKey("kube-system", `${round}-goes`))));
      assert.ok(!(await isGoing(client.get(Secret, toKey("kube-system", `${round}-stays`)))));
    },
  ),
  ttlafterfinished: storyOf(
    [ttlAfterFinishedController],
    async (round) => {
      await makeNamespace(client, round);
      for (const [name, ttlSecondsAfterFinished] of [
        ["goes", 0],
        ["stays", 1000],
      ] as const) {
        const template = { metadata: { labels }, spec: { ...podSpec, restartPolicy: "Never" } };
        const spec = { manualSelector: true, selector: { matchLabels: labels }, template, ttlSecondsAfterFinished };
        const made = await client.create(Job, { metadata: { name, namespace: round }, spec });
        const now = formatTime(systemClock.nowMs());
        const at = { status: "True", lastProbeTime: now, lastTransitionTime: now };
        const conditions = ["SuccessCriteriaMet", "Complete"].map((type) => ({ type, ...at }));
        const status = { ...made.status, conditions, startTime: now, completionTime: now, succeeded: 1 };
        await client.setStatus(Job, { object: made, status });
      }
    },
    async (round) => {
      assert.ok(await isGoing(client.get(Job, toKey(round, "goes"))));
      assert.ok(!(await isGoing(client.get(Job, toKey(round, "stays")))));
    },
  ),
  resourcequota: storyOf(
    [resourceQuotaController()],
    async (round) => {
      await makeNamespace(client, round);
      await client.create(Pod, { metadata: { name: "p", namespace: round }, spec: podSpec });
      await client.create(ResourceQuota, { metadata: { name: "q", namespace: round }, spec: { hard: { pods: "2" } } });
    },
    async (round) => {
      const { status } = await client.get(ResourceQuota, toKey(round, "q"));
      assert.deepEqual(status.used, { pods: "1" });
    },
  ),
  podautoscaler: storyOf(
    [podAutoscalerController()],
    async (round) => {
      await makeNamespace(client, round);
      const template = { metadata: { labels }, spec: podSpec };
      const metadata = { name: "d", namespace: round };
      await client.create(Deployment, { metadata, spec: { replicas: 5, selector: { matchLabels: labels }, template } });
      const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "d" };
      await client.create(HorizontalPodAutoscaler, { metadata, spec: { scaleTargetRef, maxReplicas: 3 } });
    },
    async (round) => {
      const key = toKey(round, "d");
      assert.equal((await client.get(Deployment, key)).spec.replicas, 3);
      const { conditions } = (await client.get(HorizontalPodAutoscaler, key)).status;
      assert.ok(conditions?.some(({ type, status }) => type === "AbleToScale" && status === "True"));
    },
  ),
  endpoints: storyOf(
    [endpointsController],
    async (round) => {
      await makeNamespace(client, round);
      const spec = { selector: labels, ports: [{ port: 80 }] };
      await client.create(Service, { metadata: { name: "web", namespace: round }, spec });
      const pod = await client.create(Pod, { metadata: { name: "p", namespace: round, labels }, spec: podSpec });
      await tellRunning(client, pod, { ip: "10.1.0.9" });
    },
    async (round) => {
      const { subsets } = await client.get(Endpoints, toKey(round, "web"));
      assert.deepEqual(
        subsets?.flatMap(({ addresses }) => (addresses ?? []).map(({ ip }) => ip)),
        ["10.1.0.9"],
      );
    },
  ),
  endpointslicemirroring: storyOf(
    [mirroringController],
    async (round) => {
      await makeNamespace(client, round);
      await client.create(Service, { metadata: { name: "own", namespace: round }, spec: { ports: [{ port: 80 }] } });
      const subsets = [{ addresses: [{ ip: "10.1.0.8" }], ports: [{ port: 80 }] }];
      await client.create(Endpoints, { metadata: { name: "own", namespace: round }, subsets });
    },
    async (round) => {
      const { items } = await client.list(EndpointSlice, { namespace: round });
      assert.deepEqual(
        items.map(({ endpoints }) => endpoints?.map(({ addresses }) => addresses)),
        [[["10.1.0.8"]]],
      );
    },
  ),
  loadbalancer: storyOf(
    [loadBalancerController(parsePool("198.51.100.0/24"))],
    async (round) => {
      await makeNamespace(client, round);
      const made = await client.create(Node, { metadata: { name: round } });
      const now = formatTime(systemClock.nowMs());
      const ready = { type: "Ready", status: "True", lastHeartbeatTime: now, lastTransitionTime: now };
      const status = { conditions: [ready], addresses: [{ type: "InternalIP", address: "192.0.2.1" }] };
      await client.patch(Node, {
        key: keyOf(made),
        patch: { type: "strategic", body: { status } },
        subresource: "status",
      });
      for (const name of ["a", "b"]) {
        const spec = { type: "LoadBalancer", ports: [{ port: 80 }] };
        await client.create(Service, { metadata: { name, namespace: round }, spec });
      }
    },
    async (round) => {
      const { items } = await client.list(Service);
      const given = items.flatMap(({ status }) => status?.loadBalancer?.ingress?.map(({ ip }) => ip) ?? []);
      assert.equal(new Set(given).size, given.length, given.join());
      for (const { status } of items.filter(({ metadata }) => metadata.namespace === round)) {
        assert.equal(status?.loadBalancer?.ingress?.length, 1);
        assert.equal(status.conditions?.length, 1);
      }
    },
  ),
  departure: storyOf(
    [departureController],
    async (round) => {
      for (const name of ["left", "stays", "returned"]) {
        const made = await client.create(Node, { metadata: { name: `${round}-${name}` } });
        if (name === "stays") continue;
        const uid = name === "left" ? (made.metadata.uid ?? "") : "of the one before it";
        const patch = { type: "merge", body: { metadata: { annotations: { [leftAnnotation]: uid } } } } as const;
        await client.patch(Node, { key: keyOf(made), patch });
      }
    },
    async (round) => {
      assert.ok(await isGoing(client.get(Node, toKey(undefined, `${round}-left`))));
      assert.ok(!(await isGoing(client.get(Node, toKey(undefined, `${round}-stays`)))));
      assert.ok(!(await isGoing(client.get(Node, toKey(undefined, `${round}-returned`)))));
    },
  ),
  podgc: storyOf(
    [podGcController(50)],
    async (round) => {
      await makeNamespace(client, round);
      // Its administrator has said that it is out of service: nobody waits for what goes there.
      const taints = [{ key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" }];
      await client.create(Node, { metadata: { name: round }, spec: { taints } });
      for (const name of ["goes", "stays"])
        await client.create(Pod, { metadata: { name, namespace: round }, spec: { ...podSpec, nodeName: round } });
      await client.delete(Pod, toKey(round, "goes"));
    },
    async (round) => {
      const { items } = await client.list(Pod, { namespace: round });
      assert.deepEqual(
        items.map(({ metadata, status }) => [metadata.name, status.phase]),
        [["stays", "Pending"]],
      );
    },
  ),
  nodelifecycle: storyOf(
    [nodeLifecycleController(), taintEvictionController()],
    async (round) => {
      await makeNamespace(client, round);
      const taints = [{ key: "go", effect: "NoExecute" }];
      for (const name of ["fit", "unfit"]) {
        const metadata = { name: `${round}-${name}` };
        const made = await client.create(Node, { metadata, spec: name === "fit" ? {} : { taints } });
        const now = formatTime(systemClock.nowMs());
        const ready = { type: "Ready", status: "True", lastHeartbeatTime: now, lastTransitionTime: now };
        const patch = { type: "strategic", body: { status: { conditions: [ready] } } } as const;
        await client.patch(Node, { key: keyOf(made), patch, subresource: "status" });
        await client.create(Pod, {
          metadata: { name, namespace: round },
          spec: { ...podSpec, nodeName: metadata.name },
        });
      }
    },
    async (round) => {
      const taintsOf = async (name: string) =>
        ((await client.get(Node, toKey(undefined, `${round}-${name}`))).spec?.taints ?? []).map(({ key }) => key);
      assert.deepEqual(await taintsOf("fit"), []);
      assert.deepEqual(await taintsOf("unfit"), ["go"]);
      assert.ok(await isGoing(client.get(Pod, toKey(round, "unfit"))));
      assert.ok(!(await isGoing(client.get(Pod, toKey(round, "fit")))));
    },
  ),
};

for (const [name, told] of Object.entries(stories)) {
  testConvergence(`objects of ${name}`, harness, { name: name.slice(0, 12), story: told, least: 1 });
}

/** Serves rather than writes. */
const withoutStory: ReadonlySet<string> = new Set(["metrics"]);

test("every controller has its story", () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((each) => each.isDirectory());
  const untold = folders
    .map(({ name }) => name)
    .filter((name) => {
      const files = readdirSync(join(import.meta.dirname, name), { recursive: true, encoding: "utf8" });
      if (!files.some((file) => file.endsWith("controller.ts"))) return false;
      const tests = files.filter((file) => file.endsWith(".test.ts"));
      return !tests.some((file) =>
        readFileSync(join(import.meta.dirname, name, file), "utf8").includes("testConvergence("),
      );
    });
  assert.deepEqual(
    untold.filter((name) => stories[name] === undefined && !withoutStory.has(name)),
    [],
  );
});
