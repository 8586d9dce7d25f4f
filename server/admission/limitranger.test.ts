import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, type Harness, startHarness } from "@atoll/harness/server";

interface Resources {
  readonly requests?: Record<string, string>;
  readonly limits?: Record<string, string>;
}

async function start(limits: readonly object[]): Promise<Harness> {
  const harness = await startHarness();
  const space = "/api/v1/namespaces/default";
  assert.equal((await harness.send("POST", `${space}/serviceaccounts`, { body: named("default") })).status, 201);
  const range = { ...named("l"), spec: { limits } };
  assert.equal((await harness.send("POST", `${space}/limitranges`, { body: range })).status, 201);
  return harness;
}

function named(name: string): { metadata: { name: string } } {
  return { metadata: { name } };
}

async function pod(harness: Harness, name: string, ...resources: readonly Resources[]): Promise<Answer> {
  const containers = resources.map((each, i) => ({ name: `c${i}`, image: "i", resources: each }));
  const body = { ...named(name), spec: { containers } };
  return await harness.send("POST", "/api/v1/namespaces/default/pods", { body });
}

test("containers that say nothing get the defaults, and the pod says so", async (t) => {
  const harness = await start([
    { type: "Container", default: { cpu: "2", memory: "1Gi" }, defaultRequest: { cpu: "1" } },
  ]);
  t.after(() => harness.close());
  const made = await pod(harness, "p", {}, { limits: { cpu: "3" }, requests: { memory: "1Mi" } });
  assert.equal(made.status, 201);
  const { spec, metadata } = made.json as {
    spec: { containers: { resources: Resources }[] };
    metadata: { annotations: Record<string, string> };
  };
  assert.deepEqual(
    spec.containers.map(({ resources }) => resources),
    [
      { limits: { cpu: "2", memory: "1Gi" }, requests: { cpu: "1", memory: "1Gi" } },
      { limits: { cpu: "3", memory: "1Gi" }, requests: { memory: "1Mi", cpu: "3" } },
    ],
  );
  assert.equal(
    metadata.annotations["kubernetes.io/limit-ranger"],
    "LimitRanger plugin set: cpu, memory request for container c0; cpu, memory limit for container c0; memory limit for container c1",
  );
});

test("a container, a pod and their ratio stay within bounds", async (t) => {
  const harness = await start([
    { type: "Container", min: { cpu: "100m" }, max: { cpu: "2" }, maxLimitRequestRatio: { cpu: "4" } },
    { type: "Pod", max: { cpu: "3" } },
  ]);
  t.after(() => harness.close());
  const refused = async (resources: readonly Resources[], ...told: readonly string[]) => {
    const { status, json } = await pod(harness, "p", ...resources);
    const why = told.length === 1 ? told[0] : `[${told.join(", ")}]`;
    assert.deepEqual([status, json?.["message"]], [403, `pods "p" is forbidden: ${why}`]);
  };
  const cpu = (requests: string, limits: string) => ({ requests: { cpu: requests }, limits: { cpu: limits } });
  assert.equal((await pod(harness, "good", cpu("500m", "2"))).status, 201);
  await refused([cpu("50m", "100m")], "minimum cpu usage per Container is 100m, but request is 50m");
  await refused([cpu("2", "2500m")], "maximum cpu usage per Container is 2, but limit is 2500m");
  await refused(
    [cpu("100m", "2")],
    "cpu max limit to request ratio per Container is 4, but provided ratio is 20.000000",
  );
  await refused([cpu("1", "2"), cpu("1", "2")], "maximum cpu usage per Pod is 3, but limit is 4");
});

test("a claim asks for as much as it may", async (t) => {
  const harness = await start([{ type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "2Gi" } }]);
  t.after(() => harness.close());
  const claim = async (storage: string) =>
    await harness.send("POST", "/api/v1/namespaces/default/persistentvolumeclaims", {
      body: { ...named("p"), spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } } },
    });
  const small = await claim("1Mi");
  assert.equal(small.status, 403);
  assert.equal(
    small.json?.["message"],
    'persistentvolumeclaims "p" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi',
  );
  const large = await claim("3Gi");
  assert.match(
    String(large.json?.["message"]),
    /maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi$/,
  );
  assert.equal((await claim("2Gi")).status, 201);
});
