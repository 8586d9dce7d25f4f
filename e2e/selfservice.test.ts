/**
 * Developers make namespaces for themselves, where the administrator allows it: a template says who, how many, and what
 * each gets; a request makes one, and takes it away again.
 */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { SupervisorNamespace } from "@atoll/api/supervisor/v1alpha1/supervisornamespace";
import { SupervisorNamespaceTemplate } from "@atoll/api/supervisor/v1alpha1/supervisornamespacetemplate";
import { Namespace } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { controllers } from "@atoll/controllers/index";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers, type Workshop } from "@atoll/harness/controllers";
import { type As, type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { installKinds } from "@atoll/processes/kinds";

let harness: Harness;
let client: Client;
let workshop: Workshop;
let alice: As;
let mallory: As;

before(async () => {
  harness = await startHarness();
  client = clientOf(harness);
  await installKinds(client, systemClock);
  workshop = startControllers(harness, controllers({ ca: harness.pki.ca.cert }));
  [alice, mallory] = await Promise.all([harness.user("alice", ["developers"]), harness.user("mallory")]);
  await client.create(SupervisorNamespaceTemplate, {
    metadata: { name: "small" },
    spec: {
      groups: ["developers"],
      perPerson: 1,
      role: "Owner",
      namespace: {
        network: "Isolated",
        podSecurity: "Restricted",
        limits: { cpu: 1, memory: "1Gi", counts: { configmaps: 3 } },
        access: [{ role: "View", groups: ["auditors"] }],
      },
    },
  });
  await eventually("alice may ask", async () => (await asks(alice, "probe", { dryRun: true })) === "201");
});
after(async () => {
  await workshop.stop();
  await harness.close();
});

const requests = "/apis/supervisor.atoll.dev/v1alpha1/supervisornamespacerequests";
interface Wish {
  readonly template?: string;
  readonly requester?: string;
  readonly dryRun?: boolean;
}

/** @returns the code, with the message where it is none of success */
async function asks(
  who: As,
  name: string,
  { template = "small", dryRun = false, ...more }: Wish = {},
): Promise<string> {
  const body = {
    apiVersion: "supervisor.atoll.dev/v1alpha1",
    kind: "SupervisorNamespaceRequest",
    metadata: { name },
    spec: { template, ...more },
  };
  const { status, json } = await who.send("POST", dryRun ? `${requests}?dryRun=All` : requests, { body });
  return status === 201 ? "201" : `${status} ${String(json?.["message"])}`;
}

async function conditionOf(name: string): Promise<string> {
  const { json } = await alice.send("GET", `${requests}/${name}`);
  const { conditions = [] } = (json?.["status"] ?? {}) as { conditions?: { reason: string; message: string }[] };
  return conditions.map(({ reason, message }) => `${reason}: ${message}`).join();
}

test("who is named in a template gets a namespace by asking, and works in it within its limits", async () => {
  // What is claimed to be asked for somebody else is asked for by who asks.
  assert.equal(await asks(alice, "cove", { requester: "bob" }), "201");
  await eventually("it is granted", async () => (await conditionOf("cove")).startsWith("Granted"));
  const { spec } = await client.get(SupervisorNamespace, toKey(undefined, "cove"));
  assert.deepEqual(spec.access, [
    { role: "Owner", users: ["alice"] },
    { role: "View", groups: ["auditors"] },
  ]);
  const maps = "/api/v1/namespaces/cove/configmaps";
  await eventually("alice works in it", async () => {
    return (await alice.send("POST", `${maps}?dryRun=All`, { body: { metadata: { name: "a" } } })).status === 201;
  });
  await eventually("its limits hold", async () => {
    const { status, text } = await alice.send("POST", maps, { body: { metadata: { generateName: "more-" } } });
    return status === 403 && text.includes("exceeded quota: supervisor");
  });
  assert.equal((await alice.send("GET", "/apis/supervisor.atoll.dev/v1alpha1/supervisornamespaces/cove")).status, 200);
  const own = "/apis/supervisor.atoll.dev/v1alpha1/supervisornamespaces/cove";
  const more = { body: { spec: { limits: { cpu: 100 } } }, contentType: "application/merge-patch+json" };
  assert.equal((await alice.send("PATCH", own, more)).status, 403);
});

test("more than the template allows waits, and is told why, until there is room", async () => {
  assert.equal(await asks(alice, "bight"), "201");
  await eventually("it is told why it waits", async () => (await conditionOf("bight")).startsWith("LimitReached"));
  assert.match(await conditionOf("bight"), /alice has cove of template small, and may have 1; delete a request/);
  assert.equal((await alice.send("DELETE", `${requests}/cove`)).status, 200);
  await eventually("the first is gone, with all in it", async () =>
    client.get(Namespace, toKey(undefined, "cove")).then(
      () => false,
      (error: unknown) => isNotFound(error),
    ),
  );
  await eventually("the second is granted", async () => (await conditionOf("bight")).startsWith("Granted"));
});

test("who is not named gets nothing, by any way", async () => {
  assert.match(await asks(mallory, "mine"), /^403 .*cannot create resource "supervisornamespacerequests"/);
  assert.match(await asks(alice, "large", { template: "large" }), /^403 .*spec\.template: you may not use large/);
  assert.equal((await mallory.send("DELETE", `${requests}/bight`)).status, 403);
  const namespace = { metadata: { name: "plain" } };
  assert.equal((await alice.send("POST", "/api/v1/namespaces", { body: namespace })).status, 403);
});

test("a request stays what it was, and ends when the administrator takes the namespace away", async () => {
  const patch = { body: { spec: { template: "other" } }, contentType: "application/merge-patch+json" };
  const refused = await harness.send("PATCH", `${requests}/bight`, patch);
  assert.equal(refused.status, 422);
  assert.match(refused.text, /spec: .*cannot change; delete the request and make another/);
  await client.delete(SupervisorNamespace, toKey(undefined, "bight"));
  await eventually("it is told", async () => (await conditionOf("bight")).startsWith("NamespaceDeleted"));
});
