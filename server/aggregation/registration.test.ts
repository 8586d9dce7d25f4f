import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually } from "@atoll/harness/client";
import { startHarness } from "@atoll/harness/server";

const harness = await startHarness();
after(() => harness.close());

const apiServices = "/apis/apiregistration.k8s.io/v1/apiservices";

test("what this server serves itself is registered as Local, the APIServices' own group aside", async () => {
  const { json } = await harness.send("GET", apiServices);
  const items = (json?.["items"] ?? []) as { metadata: { name: string; labels: object }; spec: object }[];
  const names = items.map(({ metadata }) => metadata.name);
  for (const expected of ["v1.", "v1.apps", "v2.autoscaling", "v1.apiextensions.k8s.io"]) {
    assert.ok(names.includes(expected), expected);
  }
  assert.ok(!names.includes("v1.apiregistration.k8s.io"));
  const apps = items.find(({ metadata }) => metadata.name === "v1.apps");
  assert.deepEqual(apps?.metadata.labels, { "kube-aggregator.kubernetes.io/automanaged": "onstart" });
  const priorities = { groupPriorityMinimum: 17_800, versionPriority: 15 };
  assert.deepEqual(apps?.spec, { service: null, group: "apps", version: "v1", ...priorities });
  const { json: shown } = await harness.send("GET", `${apiServices}/v1.apps`);
  const { conditions } = (shown?.["status"] ?? {}) as { conditions: Record<string, unknown>[] };
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => [type, status, reason]),
    [["Available", "True", "Local"]],
  );
});

test("the group of a custom kind is registered while it is served", async () => {
  const crd = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.things.example.org" },
    spec: {
      group: "things.example.org",
      names: { plural: "widgets", kind: "Widget" },
      scope: "Namespaced",
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
    },
  };
  const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  assert.equal((await harness.send("POST", crds, { body: crd })).status, 201);
  const status = async () => (await harness.send("GET", `${apiServices}/v1.things.example.org`)).status;
  const reach = (wanted: number) => eventually(`it answers ${wanted}`, async () => (await status()) === wanted);
  await reach(200);
  await harness.send("DELETE", `${crds}/widgets.things.example.org`);
  await reach(404);
});
