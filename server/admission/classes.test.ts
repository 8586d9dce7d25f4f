import assert from "node:assert/strict";
import test, { after } from "node:test";
import { startHarness } from "@atoll/harness/server";

const space = "/api/v1/namespaces/default";

const harness = await startHarness();
after(() => harness.close());
await made(`${space}/serviceaccounts`, { metadata: { name: "default" } });

async function made(path: string, body: object): Promise<Record<string, unknown>> {
  const { status, text, json } = await harness.send("POST", path, { body });
  assert.equal(status, 201, text);
  return json ?? {};
}

async function refusal(path: string, body: object): Promise<unknown> {
  const { status, json } = await harness.send("POST", path, { body });
  assert.equal(status, 403);
  return json?.["message"];
}

test("a pod's runtime class brings its overhead and where it is to be had", async () => {
  const overhead = { podFixed: { memory: "64Mi" } };
  const tolerations = [{ key: "vm", operator: "Exists" }];
  const scheduling = { nodeSelector: { vm: "yes" }, tolerations };
  await made("/apis/node.k8s.io/v1/runtimeclasses", { metadata: { name: "vm" }, handler: "vm", overhead, scheduling });
  await made("/apis/node.k8s.io/v1/runtimeclasses", { metadata: { name: "bare" }, handler: "bare" });
  const pod = (name: string, spec: object) => ({
    metadata: { name },
    spec: { containers: [{ name: "c", image: "i" }], ...spec },
  });
  const { spec } = (await made(`${space}/pods`, pod("p", { runtimeClassName: "vm", nodeSelector: { a: "b" } }))) as {
    spec: { overhead: object; nodeSelector: object; tolerations: object[] };
  };
  assert.deepEqual(spec.overhead, { memory: "64Mi" });
  assert.deepEqual(spec.nodeSelector, { a: "b", vm: "yes" });
  assert.deepEqual(spec.tolerations.slice(-1), tolerations);
  const cases: readonly (readonly [object, string])[] = [
    [{ runtimeClassName: "no" }, 'pod rejected: RuntimeClass "no" not found'],
    [
      { runtimeClassName: "vm", overhead: { memory: "1Mi" } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      { runtimeClassName: "bare", overhead: { memory: "1Mi" } },
      "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
    ],
    [
      { runtimeClassName: "vm", nodeSelector: { vm: "no" } },
      "conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no",
    ],
  ];
  for (const [wrong, why] of cases) {
    assert.equal(await refusal(`${space}/pods`, pod("q", wrong)), `pods "q" is forbidden: ${why}`);
  }
});

test("an ingress that names no class gets the default one", async () => {
  const networking = "/apis/networking.k8s.io/v1";
  const ingress = (name: string, metadata: object = {}) => ({
    metadata: { name, ...metadata },
    spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } } },
  });
  const classOf = async (body: object) =>
    ((await made(`${networking}/namespaces/default/ingresses`, body)) as { spec: { ingressClassName?: string } }).spec
      .ingressClassName;
  assert.equal(await classOf(ingress("none")), undefined);
  for (const name of ["z", "a"]) {
    const annotations = { "ingressclass.kubernetes.io/is-default-class": "true" };
    await made(`${networking}/ingressclasses`, { metadata: { name, annotations }, spec: { controller: "x.io/y" } });
  }
  const chosen = await classOf(ingress("some"));
  assert.ok(chosen === "a" || chosen === "z", chosen);
  assert.equal(await classOf(ingress("old", { annotations: { "kubernetes.io/ingress.class": "x" } })), undefined);
});

test("a claim grows when it is bound and its class lets it", async () => {
  const claims = `${space}/persistentvolumeclaims`;
  const storage = "/apis/storage.k8s.io/v1/storageclasses";
  await made(storage, { metadata: { name: "fixed" }, provisioner: "x" });
  await made(storage, { metadata: { name: "grows" }, provisioner: "x", allowVolumeExpansion: true });
  const grow = async (name: string, bound: boolean) => {
    const resources = { requests: { storage: "1Gi" } };
    const spec = { accessModes: ["ReadWriteOnce"], storageClassName: name, volumeName: "v", resources };
    const path = `${claims}/${name}-${bound}`;
    const claim = await made(claims, { metadata: { name: `${name}-${bound}` }, spec });
    if (bound) {
      const status = { phase: "Bound", capacity: { storage: "1Gi" } };
      assert.equal((await harness.send("PUT", `${path}/status`, { body: { ...claim, status } })).status, 200);
    }
    return await harness.send("PATCH", path, {
      body: { spec: { resources: { requests: { storage: "2Gi" } } } },
      contentType: "application/merge-patch+json",
    });
  };
  assert.equal((await grow("grows", true)).status, 200);
  const fixed = await grow("fixed", true);
  assert.equal(fixed.status, 403);
  assert.match(String(fixed.json?.["message"]), /the storageclass that provisions the pvc must support resize$/);
  // The claim's own rules say this with more to it.
  assert.ok((await grow("grows", false)).status >= 400);
});
