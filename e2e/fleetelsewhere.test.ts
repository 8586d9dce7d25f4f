/**
 * A hub on a Kubernetes that is not Atoll's: an API server that knows nothing of its kinds, with what upstream's controller
 * manager does for namespaces and accounts, and nothing of Atoll's beside Mission Control.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { SecurityPolicy } from "@atoll/api/fleet/v1alpha1/securitypolicy";
import { CustomResourceDefinition } from "@atoll/client/builtin";
import { eventually } from "@atoll/harness/client";
import { runProgram } from "@atoll/harness/commands";
import { clientPath } from "@atoll/processes/clients";
import { FleetStage, type Site } from "./fleetstage.ts";

const upstreams = [
  "garbage-collector-controller",
  "namespace-controller",
  "serviceaccount-controller",
  "root-ca-certificate-publisher-controller",
  "clusterrole-aggregation-controller",
  "certificatesigningrequest-signing-controller",
];
const patienceMs = 60_000;

describe("Mission Control elsewhere", { timeout: 300_000 }, () => {
  let stage: FleetStage;
  let hub: Site;
  let admin: string;

  before(async () => {
    stage = await FleetStage.open();
    hub = await stage.site("hub", [], ["--only", upstreams.join(",")]);
    admin = join(hub.dir, "admin.kubeconfig");
  });
  after(() => stage.close());

  const groups = async () => {
    const { items } = await hub.client.list(CustomResourceDefinition);
    return [...new Set(items.map(({ spec }) => spec.group))].toSorted();
  };

  test("its kinds are what atoll crd prints, applied by kubectl", async () => {
    assert.deepEqual(await groups(), []);
    const file = join(stage.folder, "crd.yaml");
    await writeFile(file, await stage.once(["crd"]));
    const kubectl = await clientPath("kubectl");
    const { code, text } = await runProgram(kubectl, "--kubeconfig", admin, "apply", "--server-side", "-f", file);
    assert.equal(code, 0, text);
    assert.deepEqual(await groups(), ["fleet.atoll.dev", "supervisor.atoll.dev"]);
  });

  test("with its controllers alone, a policy written there holds at a cluster, and nothing else of Atoll's comes", async () => {
    stage.controllers("hub", ["--only", "fleet"]);
    const { ready: gateway } = await stage.start(["gateway", "--kubeconfig", admin, "--port", "0"]);
    const cluster = await stage.site("c1");
    await stage.attach("c1", gateway);
    await stage.untilReady(hub, "c1");
    const metadata = { name: "base", namespace: "default" };
    await hub.client.create(SecurityPolicy, { metadata, spec: { target: {}, level: "Baseline" } });
    const containers = [{ name: "c", image: "i", securityContext: { privileged: true } }];
    const body = { apiVersion: "v1", kind: "Pod", metadata: { name: "bad" }, spec: { containers } };
    const attempt = async () => await cluster.send("POST", "/api/v1/namespaces/default/pods?dryRun=All", { body });
    await eventually("it is refused", async () => /fleet-securitypolicy-base/.test((await attempt()).text), patienceMs);
    assert.deepEqual(await groups(), ["fleet.atoll.dev", "multicluster.x-k8s.io", "supervisor.atoll.dev"]);
  });
});
