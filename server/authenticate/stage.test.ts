import assert from "node:assert/strict";
import { get } from "node:https";
import { test } from "node:test";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";

test("a watch is cut within a minute of its account's end, and goes on until then", async (t) => {
  // Thirty seconds pass in a thirtieth of a second.
  const clock = {
    ...systemClock,
    after: ((afterMs, wake, options) =>
      systemClock.after(afterMs === 30_000 ? 100 : afterMs, wake, options)) as typeof systemClock.after,
  };
  const harness = await startHarness({ clock });
  t.after(() => harness.close());
  const accounts = "/api/v1/namespaces/default/serviceaccounts";
  const kind = { apiVersion: "v1", kind: "ServiceAccount" };
  await harness.send("POST", accounts, { body: { ...kind, metadata: { name: "robot" } } });
  const subjects = [{ kind: "ServiceAccount", name: "robot", namespace: "default" }];
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" };
  const binding = { metadata: { name: "robot" }, subjects, roleRef };
  const bound = await harness.send("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", { body: binding });
  assert.equal(bound.status, 201, bound.text);
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  const asked = await harness.send("POST", `${accounts}/robot/token`, { body: review });
  const { token = "" } = (asked.json?.["status"] ?? {}) as { token?: string };
  const headers = { authorization: `Bearer ${token}` };
  let ended = false;
  const watching = new Promise<number | undefined>((resolve, reject) => {
    const url = `${harness.url}/api/v1/configmaps?watch=true`;
    const sent = get(url, { ca: harness.tls.ca, headers, agent: false }, (response) => {
      response.on("error", () => {}).resume();
      response.on("close", () => {
        ended = true;
        resolve(response.statusCode);
      });
    });
    sent.on("error", reject);
  });
  await systemClock.sleep(500);
  assert.equal(ended, false);
  await harness.send("DELETE", `${accounts}/robot`);
  assert.equal(await watching, 200);
});
