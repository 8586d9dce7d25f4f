import assert from "node:assert/strict";
import { test } from "node:test";
import { startHarness } from "@atoll/harness/server";

const space = "/api/v1/namespaces/default";
const service = (name: string, externalIPs: string[]) => ({
  metadata: { name },
  spec: { ports: [{ port: 80 }], externalIPs },
});
const patch = (spec: object) => ({ body: { spec }, contentType: "application/merge-patch+json" });

test("with DenyServiceExternalIPs nobody adds an external address, and those there are may stay", async (t) => {
  const harness = await startHarness({ server: { admissionPlugins: ["DenyServiceExternalIPs"] } });
  t.after(() => harness.close());
  const refused = await harness.send("POST", `${space}/services`, { body: service("a", ["192.0.2.1"]) });
  assert.equal(refused.status, 403);
  assert.match(refused.text, /services \\"a\\" is forbidden: Use of external IPs is denied by admission control/);
  assert.equal((await harness.send("POST", `${space}/services`, { body: service("a", []) })).status, 201);
  assert.equal((await harness.send("PATCH", `${space}/services/a`, patch({ externalIPs: ["192.0.2.1"] }))).status, 403);
  assert.equal(
    (await harness.send("PATCH", `${space}/services/a`, patch({ sessionAffinity: "ClientIP" }))).status,
    200,
  );
  assert.equal((await harness.send("DELETE", `${space}/services/a`)).status, 200);
});

test("with DenyNodePorts no Service becomes one of node ports, and LoadBalancers are let be", async (t) => {
  const harness = await startHarness({ server: { admissionPlugins: ["DenyNodePorts"] } });
  t.after(() => harness.close());
  const typed = (name: string, type: string) => ({ metadata: { name }, spec: { type, ports: [{ port: 80 }] } });
  const refused = await harness.send("POST", `${space}/services`, { body: typed("a", "NodePort") });
  assert.equal(refused.status, 403);
  assert.match(refused.text, /spec\.type: .*NodePort.* is denied: use .*LoadBalancer.*--node-ports/);
  assert.equal((await harness.send("POST", `${space}/services`, { body: typed("a", "LoadBalancer") })).status, 201);
  assert.equal((await harness.send("PATCH", `${space}/services/a`, patch({ type: "NodePort" }))).status, 403);
  assert.equal((await harness.send("PATCH", `${space}/services/a`, patch({ type: "ClusterIP" }))).status, 200);
});

test("with AlwaysPullImages every container's image is asked for anew, later ones', too", async (t) => {
  const harness = await startHarness({ server: { admissionPlugins: ["AlwaysPullImages"] } });
  t.after(() => harness.close());
  await harness.send("POST", `${space}/serviceaccounts`, { body: { metadata: { name: "default" } } });
  const container = (name: string) => ({ name, image: `${name}:1`, imagePullPolicy: "IfNotPresent" });
  const spec = { initContainers: [container("i")], containers: [container("c")] };
  const made = await harness.send("POST", `${space}/pods`, { body: { metadata: { name: "p" }, spec } });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.text.match(/"imagePullPolicy":"Always"/g)?.length, 2);
  assert.doesNotMatch(made.text, /IfNotPresent/);
  const added = await harness.send("PATCH", `${space}/pods/p/ephemeralcontainers`, {
    body: { spec: { ephemeralContainers: [container("e")] } },
    contentType: "application/strategic-merge-patch+json",
  });
  assert.equal(added.status, 200, added.text);
  assert.equal(added.text.match(/"imagePullPolicy":"Always"/g)?.length, 3);
});

test("with MicroPods no pod asks for a part of its host, and templates of such pods are warned about", async (t) => {
  const harness = await startHarness({ server: { admissionPlugins: ["MicroPods"] } });
  t.after(() => harness.close());
  await harness.send("POST", `${space}/serviceaccounts`, { body: { metadata: { name: "default" } } });
  const container = { name: "c", image: "c:1", ports: [{ containerPort: 80, hostPort: 80 }] };
  const spec = { hostNetwork: false, volumes: [{ name: "v", hostPath: { path: "/" } }], containers: [container] };
  const refused = await harness.send("POST", `${space}/pods`, { body: { metadata: { name: "p" }, spec } });
  assert.equal(refused.status, 403);
  assert.match(
    refused.text,
    /"p\\" is forbidden: spec\.volumes\[0\]\.hostPath: .*, spec\.containers\[0\]\.ports\[0\]\.hostPort: /,
  );
  const labels = { app: "d" };
  const body = {
    metadata: { name: "d" },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
  const warned = await harness.send("POST", "/apis/apps/v1/namespaces/default/daemonsets", { body });
  assert.equal(warned.status, 201, warned.text);
  assert.match(String(warned.headers["warning"]), /its pods would be refused: spec\.volumes\[0\]\.hostPath/);
  const sound = { spec: { containers: [{ name: "c", image: "c:1" }] } };
  const made = await harness.send("POST", `${space}/pods`, { body: { metadata: { name: "p" }, ...sound } });
  assert.equal(made.status, 201, made.text);
  const added = await harness.send("PATCH", `${space}/pods/p/ephemeralcontainers`, {
    body: { spec: { ephemeralContainers: [{ name: "e", image: "e:1", securityContext: { privileged: true } }] } },
    contentType: "application/strategic-merge-patch+json",
  });
  assert.equal(added.status, 403);
  assert.match(added.text, /spec\.ephemeralContainers\[0\]\.securityContext\.privileged/);
});

test("neither is on unless asked for", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  const made = await harness.send("POST", `${space}/services`, { body: service("a", ["192.0.2.1"]) });
  assert.equal(made.status, 201, made.text);
});
