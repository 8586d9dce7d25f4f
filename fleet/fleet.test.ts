/** The thin whole: a hub and a cluster, both real servers, an agent between them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fleetKinds } from "@atoll/api/fleet/kinds";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { SecurityPolicy } from "@atoll/api/fleet/v1alpha1/securitypolicy";
import { definitionOf } from "@atoll/api/own/definition";
import { Agent } from "@atoll/agent/agent";
import { CustomResourceDefinition, Pod } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace, transportTo } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { silent } from "@atoll/runtime/log";
import { fleetControllers } from "./index.ts";

async function installKinds(client: Client): Promise<void> {
  for (const kind of fleetKinds) {
    await client.create(CustomResourceDefinition, definitionOf(kind) as CustomResourceDefinition);
  }
  await eventually("the fleet's kinds are served", async () => {
    const found = await client.list(CustomResourceDefinition);
    return found.items.every(({ status }) =>
      status?.conditions?.some(({ type, status: holds }) => type === "Established" && holds === "True"),
    );
  });
}

const privileged = {
  metadata: { name: "bad", namespace: "shop" },
  spec: { containers: [{ name: "a", image: "a", securityContext: { privileged: true } }] },
};

test("a security policy of the organization refuses a pod at the cluster", { timeout: 60_000 }, async () => {
  const [hub, child] = await Promise.all([startHarness(), startHarness()]);
  const transports = [transportTo(hub), transportTo(child)] as const;
  const [hubClient, childClient] = [clientOf(hub, transports[0]), clientOf(child, transports[1])];
  await installKinds(hubClient);
  const workshop = startControllers(hub, fleetControllers());
  const stop = new AbortController();
  try {
    await makeNamespace(childClient, "shop");
    await hubClient.create(FleetCluster, { metadata: { name: "c1", namespace: "default" }, spec: {} });
    let namespace = "";
    await eventually("the cluster has its namespace", async () => {
      const { status } = await hubClient.get(FleetCluster, toKey("default", "c1"));
      namespace = status?.namespace ?? "";
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
    const running = agent.run(stop.signal);
    await eventually("the cluster is ready", async () => {
      return (await hubClient.get(FleetCluster, toKey("default", "c1"))).status?.phase === "Ready";
    });
    await hubClient.create(SecurityPolicy, {
      metadata: { name: "base", namespace: "default" },
      spec: { target: {}, level: "Baseline" },
    });
    await eventually("the policy is applied", async () => {
      const { status } = await hubClient.get(SecurityPolicy, toKey("default", "base"));
      return status?.summary === "1/1";
    });
    await assert.rejects(childClient.create(Pod, privileged, { dryRun: true }), /privileged/);
    await hubClient.delete(SecurityPolicy, toKey("default", "base"));
    await eventually("the pod is let in again", () =>
      childClient.create(Pod, privileged, { dryRun: true }).then(
        () => true,
        () => false,
      ),
    );
    await hubClient.delete(FleetCluster, toKey("default", "c1"));
    await eventually("the cluster is gone", async () => (await hubClient.list(FleetCluster)).items.length === 0);
    stop.abort();
    await running;
    assert.deepEqual(workshop.complaints, []);
  } finally {
    stop.abort();
    await workshop.stop();
    for (const transport of transports) transport.close();
    await Promise.all([hub.close(), child.close()]);
  }
});
