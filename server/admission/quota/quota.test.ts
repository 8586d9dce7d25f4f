import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Answer, type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { openMemory } from "@atoll/storage/memory";
import { openSqlite } from "@atoll/storage/sqlite";
import type { Store } from "@atoll/storage/store";

const log = { info: () => {}, warn: () => {}, error: () => {} };
const space = "/api/v1/namespaces/default";

interface Quota {
  readonly status: { readonly hard: Record<string, string>; readonly used: Record<string, string> };
}

/** Makes a quota, and counts for it as its controller would: nothing is there yet. */
async function makeQuota(harness: Harness, name: string, spec: { hard: Record<string, string> }): Promise<void> {
  const made = await harness.send("POST", `${space}/resourcequotas`, { body: { metadata: { name }, spec } });
  assert.equal(made.status, 201, made.text);
  const used = Object.fromEntries(Object.keys(spec.hard).map((each) => [each, "0"]));
  const body = { ...made.json, status: { hard: spec.hard, used } };
  assert.equal((await harness.send("PUT", `${space}/resourcequotas/${name}/status`, { body })).status, 200);
}

async function usedOf(harness: Harness, name: string): Promise<Record<string, string>> {
  const { json } = await harness.send("GET", `${space}/resourcequotas/${name}`);
  return (json as unknown as Quota).status.used;
}

async function configMap(harness: Harness, name: string, query = ""): Promise<Answer> {
  return await harness.send("POST", `${space}/configmaps${query}`, { body: { metadata: { name } } });
}

async function withAccount(harness: Harness): Promise<void> {
  const body = { metadata: { name: "default" } };
  assert.equal((await harness.send("POST", `${space}/serviceaccounts`, { body })).status, 201);
}

async function pod(harness: Harness, name: string, spec: object = {}, cpu?: string): Promise<Answer> {
  const resources = cpu === undefined ? {} : { requests: { cpu } };
  const body = { metadata: { name }, spec: { containers: [{ name: "c", image: "i", resources }], ...spec } };
  return await harness.send("POST", `${space}/pods`, { body });
}

function count(answers: readonly Answer[], status: number): number {
  return answers.filter((each) => each.status === status).length;
}

const stores: Readonly<Record<string, () => Promise<{ store: Store; clean: () => Promise<void> }>>> = {
  memory: async () => ({ store: openMemory(), clean: async () => {} }),
  SQLite: async () => {
    const folder = await mkdtemp(join(tmpdir(), "atoll-quota-"));
    return {
      store: await openSqlite({ file: join(folder, "store.db"), clock: systemClock, log }),
      clean: () => rm(folder, { recursive: true }),
    };
  },
};

for (const [kind, open] of Object.entries(stores)) {
  test(`64 creators at once get exactly what a quota has, on ${kind}`, async (t) => {
    const { store, clean } = await open();
    const harness = await startHarness({ store });
    t.after(async () => {
      await harness.close();
      await clean();
    });
    await makeQuota(harness, "few", { hard: { configmaps: "23", "count/configmaps": "40" } });
    await makeQuota(harness, "many", { hard: { "count/configmaps": "50" } });
    const creators = Array.from({ length: 64 }, async (_, who) => {
      const answers = [];
      for (let i = 0; i < 3; i++) answers.push(await configMap(harness, `c-${who}-${i}`));
      return answers;
    });
    const answers = (await Promise.all(creators)).flat();
    assert.deepEqual([count(answers, 201), count(answers, 403)], [23, 169]);
    const { json } = await harness.send("GET", `${space}/configmaps`);
    assert.equal((json as { items: unknown[] }).items.length, 23);
    assert.deepEqual(await usedOf(harness, "few"), { configmaps: "23", "count/configmaps": "23" });
    assert.deepEqual(await usedOf(harness, "many"), { "count/configmaps": "23" });
    assert.equal(
      answers
        .find(({ status }) => status === 403)
        ?.json?.["message"]?.toString()
        .replace(/"c-\d+-\d+"/, '"c"'),
      'configmaps "c" is forbidden: exceeded quota: few, requested: configmaps=1, used: configmaps=23, limited: configmaps=23',
    );
  });
}

test("two servers on one store together give out exactly what there is", async (t) => {
  const store = openMemory();
  const one = await startHarness({ store });
  const other = await startHarness({ store });
  t.after(async () => {
    // The store is shared, and closed with the first harness.
    await other.server.close();
    await one.close();
    await other.close();
  });
  await makeQuota(one, "q", { hard: { configmaps: "17" } });
  // The other server hears of it.
  while ((await other.send("GET", `${space}/resourcequotas/q`)).status !== 200);
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, i) => configMap(i % 2 === 0 ? one : other, `c-${i}`)),
  );
  assert.deepEqual([count(answers, 201), count(answers, 403)], [17, 47]);
  assert.deepEqual(await usedOf(one, "q"), { configmaps: "17" });
});

test("what is not stored after all is given back, and a dry run takes nothing", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  await makeQuota(harness, "q", { hard: { configmaps: "3" } });
  assert.equal((await configMap(harness, "a")).status, 201);
  for (let i = 0; i < 5; i++) assert.equal((await configMap(harness, "a")).status, 409);
  for (let i = 0; i < 5; i++) assert.equal((await configMap(harness, `d${i}`, "?dryRun=All")).status, 201);
  assert.equal((await configMap(harness, "b")).status, 201);
  assert.equal((await configMap(harness, "c")).status, 201);
  assert.equal((await configMap(harness, "d")).status, 403);
  assert.equal((await configMap(harness, "d", "?dryRun=All")).status, 403);
  assert.deepEqual(await usedOf(harness, "q"), { configmaps: "3" });
});

test("pods must say what a quota counts, and are charged for it", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  await withAccount(harness);
  await makeQuota(harness, "q", { hard: { pods: "10", "requests.cpu": "1" } });
  const silent = await pod(harness, "p");
  assert.equal(silent.json?.["message"], 'pods "p" is forbidden: failed quota: q: must specify requests.cpu for: c');
  assert.equal((await pod(harness, "p", {}, "600m")).status, 201);
  const refused = await pod(harness, "r", {}, "500m");
  assert.equal(
    refused.json?.["message"],
    'pods "r" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1',
  );
  assert.deepEqual(await usedOf(harness, "q"), { pods: "1", "requests.cpu": "600m" });
});

test("a quota of a scope is about the pods in it alone", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  await withAccount(harness);
  const scoped = (name: string, scopes: readonly string[]) =>
    makeQuota(harness, name, { hard: { pods: "1" }, scopes } as { hard: Record<string, string> });
  await scoped("besteffort", ["BestEffort"]);
  await scoped("terminating", ["Terminating", "NotBestEffort"]);
  assert.equal((await pod(harness, "a")).status, 201);
  assert.match(String((await pod(harness, "b")).json?.["message"]), /exceeded quota: besteffort, requested: pods=1/);
  for (const name of ["c", "d"]) assert.equal((await pod(harness, name, {}, "1m")).status, 201);
  const ending = { activeDeadlineSeconds: 60 };
  assert.equal((await pod(harness, "e", ending, "1m")).status, 201);
  assert.match(String((await pod(harness, "f", ending, "1m")).json?.["message"]), /exceeded quota: terminating/);
});

test("a quota that has not been counted lets nothing pass", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  const made = await harness.send("POST", `${space}/resourcequotas`, {
    body: { metadata: { name: "q" }, spec: { hard: { configmaps: "1" } } },
  });
  const body = { ...made.json, status: { hard: { configmaps: "1" } } };
  assert.equal((await harness.send("PUT", `${space}/resourcequotas/q/status`, { body })).status, 200);
  const refused = await configMap(harness, "c");
  assert.equal(
    refused.json?.["message"],
    'configmaps "c" is forbidden: status unknown for quota: q, resources: configmaps',
  );
});

test("services are charged for what they become, claims by their class", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  const gold = "gold.storageclass.storage.k8s.io/requests.storage";
  await makeQuota(harness, "q", { hard: { services: "5", "services.nodeports": "2", [gold]: "3Gi" } });
  const service = (type: string, ports: number) => ({
    metadata: { name: "s" },
    spec: { type, ports: Array.from({ length: ports }, (_, i) => ({ name: `p${i}`, port: 80 + i })) },
  });
  assert.equal((await harness.send("POST", `${space}/services`, { body: service("ClusterIP", 3) })).status, 201);
  const patch = async (body: object) =>
    await harness.send("PATCH", `${space}/services/s`, { body, contentType: "application/merge-patch+json" });
  const refused = await patch({ spec: { type: "NodePort" } });
  assert.match(String(refused.json?.["message"]), /exceeded quota: q, requested: services.nodeports=3/);
  assert.equal((await patch({ spec: service("NodePort", 2).spec })).status, 200);
  const claim = async (name: string, storage: string, storageClassName: string) => {
    const spec = { accessModes: ["ReadWriteOnce"], storageClassName, resources: { requests: { storage } } };
    return await harness.send("POST", `${space}/persistentvolumeclaims`, { body: { metadata: { name }, spec } });
  };
  assert.equal((await claim("a", "2Gi", "gold")).status, 201);
  assert.equal((await claim("b", "2Gi", "gold")).status, 403);
  assert.equal((await claim("b", "2Gi", "other")).status, 201);
  assert.deepEqual(await usedOf(harness, "q"), { services: "1", "services.nodeports": "2", [gold]: "2Gi" });
});
