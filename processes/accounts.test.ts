import assert from "node:assert/strict";
import test from "node:test";
import {
  ClusterRole,
  ConfigMap,
  CronJob,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Job,
  Namespace,
  Pod,
  Service,
  StatefulSet,
} from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { everything } from "./everything.ts";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { controllersPolicy } from "./accounts.ts";
import { rulesOfControllers } from "./rulesofclaims.ts";

const all = everything({ ca: "PEM" });
const labels = { app: "web" };
const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
const selector = { matchLabels: labels };

test("the rules that the server gives the controllers are those that they declare", () => {
  assert.deepEqual(controllersPolicy.rules, rulesOfControllers(), "make them anew: node processes/writerules.ts");
});

test("the controllers do their work with their own account, without being masters", async () => {
  await using harness = await startHarness({ server: { policies: [controllersPolicy] } });
  const manager = await harness.user("system:kube-controller-manager");
  const { ca, cert = "", key = "" } = manager.tls;
  await using workshop = startControllers({ url: harness.url, tls: { ca, cert, key } }, all);
  const client = clientOf(harness);
  const namespace = "shop";
  await client.create(Namespace, { metadata: { name: namespace } });
  const metadata = { name: "web", namespace };
  await client.create(Deployment, { metadata, spec: { replicas: 2, selector, template } });
  await client.create(StatefulSet, { metadata, spec: { replicas: 1, serviceName: "web", selector, template } });
  await client.create(DaemonSet, { metadata, spec: { selector, template } });
  const jobTemplate = { ...template, spec: { ...template.spec, restartPolicy: "Never" as const } };
  await client.create(Job, { metadata, spec: { template: jobTemplate } });
  await client.create(CronJob, {
    metadata,
    spec: { schedule: "* * * * *", jobTemplate: { spec: { template: jobTemplate } } },
  });
  await client.create(Service, { metadata, spec: { selector: labels, ports: [{ port: 80 }] } });
  const pods = async () => (await client.list(Pod, { namespace })).items.length;
  await eventually("the workloads have their pods", async () => (await pods()) === 4);
  await eventually(
    "the Service has slices",
    async () => (await client.list(EndpointSlice, { namespace })).items.length > 0,
  );
  await eventually("its CA is there", async () => (await client.list(ConfigMap, { namespace })).items.length === 1);
  await eventually("admin has gathered its rules", async () => {
    const admin = await client.get(ClusterRole, toKey(undefined, "admin"));
    return (admin.rules ?? []).length > 20;
  });
  await client.delete(Deployment, toKey(namespace, "web"));
  await eventually("its pods are collected", async () => (await pods()) === 2);
  await client.delete(Namespace, toKey(undefined, namespace));
  const names = async () => (await client.list(Namespace)).items.map((each) => each.metadata.name);
  await eventually("the namespace is gone", async () => !(await names()).includes(namespace), 20_000);
  assert.deepEqual(
    workshop.complaints.filter((each) => /forbidden/i.test(each)),
    [],
  );
});

test("what no controller declares to write, the account may not", async (t) => {
  const harness = await startHarness({ server: { policies: [controllersPolicy] } });
  t.after(() => harness.close());
  const manager = await harness.user("system:kube-controller-manager");
  for (const [path, body] of [
    ["/apis/storage.k8s.io/v1/storageclasses", { metadata: { name: "mine" }, provisioner: "me" }],
    ["/apis/scheduling.k8s.io/v1/priorityclasses", { metadata: { name: "forged" }, value: 1 }],
    ["/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", { metadata: { name: "spy" } }],
  ] as const) {
    assert.equal((await manager.send("POST", path, { body })).status, 403, path);
  }
});
