import assert from "node:assert/strict";
import { after } from "node:test";
import { supervisorKinds } from "@atoll/api/supervisor/kinds";
import { SupervisorNamespace } from "@atoll/api/supervisor/v1alpha1/supervisornamespace";
import { SupervisorNamespaceRequest } from "@atoll/api/supervisor/v1alpha1/supervisornamespacerequest";
import { SupervisorNamespaceTemplate } from "@atoll/api/supervisor/v1alpha1/supervisornamespacetemplate";
import { ClusterRole, ClusterRoleBinding } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually } from "@atoll/harness/client";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { serveKinds } from "@atoll/harness/kinds";
import { startHarness } from "@atoll/harness/server";
import { namespaceTemplateController } from "../templates/controller.ts";
import { namespaceRequestController } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());
await serveKinds(client, supervisorKinds);

const namespace = { network: "Isolated", podSecurity: "Restricted", limits: { cpu: 1 } } as const;
const share = { perPerson: 1, role: "Owner", namespace } as const;
const statusOf = async (name: string) => (await client.get(SupervisorNamespaceRequest, toKey(undefined, name))).status;

/** Of two requests where one is allowed, whatever happens one is granted, and the same to the end. */
const requests: Story = {
  controllers: [namespaceRequestController],
  async begin(round) {
    await client.create(SupervisorNamespaceTemplate, { metadata: { name: round }, spec: share });
    for (const name of [`${round}-a`, `${round}-b`]) {
      const spec = { template: round, requester: "alice" };
      await client.create(SupervisorNamespaceRequest, { metadata: { name }, spec });
    }
  },
  ended: (round) =>
    eventually("both are answered", async () => {
      const told = await Promise.all([statusOf(`${round}-a`), statusOf(`${round}-b`)]);
      return told[0]?.phase === "Granted" && told[1]?.conditions?.[0]?.reason === "LimitReached";
    }),
  async check(round) {
    const { items } = await client.list(SupervisorNamespace);
    const made = items.filter(({ metadata }) => metadata.name?.startsWith(`${round}-`));
    assert.deepEqual(
      made.map(({ metadata }) => metadata.name),
      [`${round}-a`],
    );
    const name = `supervisor.atoll.dev:request:${round}-a`;
    assert.deepEqual((await client.get(ClusterRoleBinding, toKey(undefined, name))).roleRef.name, name);
  },
};
testConvergence("SupervisorNamespaceRequests", harness, { name: "svnsr", story: requests, least: 4 });

const templates: Story = {
  controllers: [namespaceTemplateController],
  async begin(round) {
    const spec = { ...share, groups: ["developers"], users: ["alice"] };
    await client.create(SupervisorNamespaceTemplate, { metadata: { name: round }, spec });
  },
  ended: (round) =>
    eventually("the binding is there", async () => {
      const { items } = await client.list(ClusterRoleBinding);
      return items.some(({ metadata }) => metadata.name === `supervisor.atoll.dev:template:${round}`);
    }),
  async check(round) {
    const name = `supervisor.atoll.dev:template:${round}`;
    const { rules } = await client.get(ClusterRole, toKey(undefined, name));
    assert.deepEqual(rules?.[0]?.resourceNames, [round]);
    const { subjects } = await client.get(ClusterRoleBinding, toKey(undefined, name));
    assert.deepEqual(
      subjects?.map((each) => each.name),
      ["alice", "developers"],
    );
  },
};
testConvergence("SupervisorNamespaceTemplates", harness, { name: "svnst", story: templates, least: 2 });
