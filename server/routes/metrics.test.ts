import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startHarness } from "@atoll/harness/server";

const harness = await startHarness();
after(() => harness.close());

async function metrics(): Promise<Map<string, number>> {
  const { text } = await harness.send("GET", "/metrics");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

const labels = 'verb="GET",dry_run="",group="",version="v1",resource="namespaces",subresource="",scope="resource"';

test("requests are counted under the names and labels that Kubernetes dashboards ask for", async () => {
  for (let i = 0; i < 3; i++) await harness.send("GET", "/api/v1/namespaces/default");
  await harness.send("GET", "/api/v1/namespaces/absent");
  const told = await metrics();
  assert.equal(told.get(`apiserver_request_total{${labels},component="apiserver",code="200"}`), 3);
  assert.equal(told.get(`apiserver_request_total{${labels},component="apiserver",code="404"}`), 1);
  const durations = `apiserver_request_duration_seconds`;
  assert.equal(told.get(`${durations}_count{${labels},component="apiserver"}`), 4);
  assert.equal(told.get(`${durations}_bucket{le="+Inf",${labels},component="apiserver"}`), 4);
  assert.ok((told.get(`${durations}_sum{${labels},component="apiserver"}`) ?? 0) > 0);
  const inflight = told.get('apiserver_current_inflight_requests{request_kind="readOnly"}');
  assert.equal(inflight, 1, "the scrape itself");
});

test("buckets of durations never fall", async () => {
  const told = await metrics();
  const buckets = [...told].filter(([name]) => name.includes("_bucket{") && name.includes('resource="namespaces"'));
  const values = buckets.map(([, value]) => value);
  assert.ok(values.length > 20);
  const series = Map.groupBy(buckets, ([name]) => name.replace(/le="[^"]*",/, ""));
  for (const [name, run] of series) {
    const counts = run.map(([, value]) => value);
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
      name,
    );
  }
});

test("objects are counted by resource", async () => {
  const before = (await metrics()).get('apiserver_storage_objects{resource="configmaps"}') ?? 0;
  for (const name of ["counted-1", "counted-2"]) {
    const answer = await harness.send("POST", "/api/v1/namespaces/default/configmaps", {
      body: { metadata: { name } },
    });
    assert.equal(answer.status, 201);
  }
  await harness.send("GET", "/api/v1/configmaps");
  const told = await metrics();
  assert.equal(told.get('apiserver_storage_objects{resource="configmaps"}'), before + 2);
  assert.ok(told.has("process_resident_memory_bytes"));
  assert.ok((told.get('apiserver_storage_objects{resource="flowschemas.flowcontrol.apiserver.k8s.io"}') ?? 0) > 0);
});

test("deprecated versions that were asked for are told once each, by Kubernetes' name for it", async () => {
  const name =
    'apiserver_requested_deprecated_apis{group="",version="v1",resource="endpoints",subresource="",removed_release=""}';
  const events = 'apiserver_requested_deprecated_apis{group="",version="v1",resource="configmaps"';
  await harness.send("GET", "/api/v1/namespaces/default/endpoints");
  await harness.send("GET", "/api/v1/endpoints");
  await harness.send("GET", "/api/v1/configmaps");
  const told = await metrics();
  assert.equal(told.get(name), 1);
  assert.ok(![...told.keys()].some((series) => series.startsWith(events)));
});
