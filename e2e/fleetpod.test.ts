/**
 * A cluster with a real host, attached by the printed manifest: its agent is a micro-VM of the image that the hub's gateway
 * serves, policies hold there, and kubectl reaches it through the hub.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { AccessPolicy } from "@atoll/api/fleet/v1alpha1/accesspolicy";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { ImagePolicy } from "@atoll/api/fleet/v1alpha1/imagepolicy";
import { toKey } from "@atoll/client/resource";
import { eventually } from "@atoll/harness/client";
import { remainsOf, runAtoll, runProgram } from "@atoll/harness/commands";
import { clientPath } from "@atoll/processes/clients";
import { buildWelcomeImage } from "@atoll/processes/up/welcome";
import { agentImages } from "./agentimages.ts";
import { FleetStage, type Site } from "./fleetstage.ts";
import { lacking } from "./lacking.ts";

const skip = await lacking();
const patienceMs = 240_000;

describe("a cluster whose agent is a pod", { skip, timeout: 900_000 }, () => {
  let stage: FleetStage;
  let hub: Site;
  let data: string;
  let direct: string;
  let throughHub: string;
  let kubectl: string;

  const run = async (kubeconfig: string, ...args: readonly string[]) =>
    await runProgram(kubectl, "--kubeconfig", kubeconfig, ...args);
  const ok = async (kubeconfig: string, ...args: readonly string[]) => {
    const { code, text } = await run(kubeconfig, ...args);
    assert.equal(code, 0, `${args.join(" ")}: ${text}`);
    return text.trim();
  };

  before(async () => {
    [stage, kubectl] = await Promise.all([FleetStage.open(), clientPath("kubectl")]);
    data = join(stage.folder, "real");
    [direct, throughHub] = [join(data, "admin.kubeconfig"), join(stage.folder, "through.kubeconfig")];
    const served = await stage.hub(["--bind", "0.0.0.0", "--images", await agentImages()]);
    hub = served.hub;
    const ports = ["--api-port", "--kubelet-port", "--gateway-port", "--console-port"].flatMap((flag) => [flag, "0"]);
    const up = await runAtoll("up", "--background", "--no-demo", "--data", data, ...ports);
    assert.equal(up.code, 0, up.text);
  });
  after(async () => {
    await runAtoll("down", "--data", data);
    const left = await remainsOf(data);
    await stage.close();
    assert.deepEqual(left, []);
  });

  test("takes the printed manifest, and is ready when its agent runs in a machine of its own", async () => {
    const manifest = join(stage.folder, "attach.yaml");
    // The image is made first, which takes minutes where all is slow.
    const text = await stage.once(["cluster", "attach", "real", "--reachable"]);
    await writeFile(manifest, text.slice(text.indexOf("---"), text.indexOf("Apply this at")));
    await ok(direct, "apply", "-f", manifest);
    await stage.untilReady(hub, "real");
    const pods = await ok(direct, "-n", "atoll-system", "get", "pods", "-o", "jsonpath={.items[*].status.phase}");
    assert.equal(pods, "Running");
    const machines = await ok(direct, "get", "hostvms", "-o", "jsonpath={.items[*].metadata.name}");
    assert.notEqual(machines, "");
  });

  test("holds the hub's policies", async () => {
    const metadata = { name: "base", namespace: "default" };
    await hub.client.create(ImagePolicy, { metadata, spec: { target: {}, blockLatest: true } });
    const attempt = async (image: string) =>
      (await run(direct, "run", "x", `--image=${image}`, "--dry-run=server")).text;
    const refused = /'fleet-imagepolicy-base'.*must have a tag other than latest/;
    await eventually("it is refused", async () => refused.test(await attempt("x")), patienceMs);
    assert.match(await attempt("x:1"), /^pod\/x created/);
  });

  test("is reached by kubectl through the hub: get, watch, exec and port-forward", async () => {
    const bindings = [{ role: "cluster.admin", subjects: [{ kind: "User" as const, name: "kubernetes-admin" }] }];
    const metadata = { name: "admins", namespace: "default" };
    await hub.client.create(AccessPolicy, { metadata, spec: { target: {}, bindings } });
    const written = await runAtoll("kubeconfig", "--data", hub.dir, "real");
    assert.equal(written.code, 0, written.text);
    await writeFile(throughHub, written.text, { mode: 0o600 });
    const may = async () => (await run(throughHub, "auth", "can-i", "create", "pods")).text.startsWith("yes");
    await eventually("the person may", may, patienceMs);
    const watch = spawn(kubectl, ["--kubeconfig", throughHub, "get", "pods", "--watch", "-o", "name"]);
    let seen = "";
    watch.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    await buildWelcomeImage(data);
    const image = "--image=atoll.local/welcome:v1";
    const server = ["sh", "-c", "echo over the hub > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"];
    await ok(throughHub, "run", "web", image, "--command", "--", ...server);
    await ok(throughHub, "wait", "pod/web", "--for=condition=Ready", `--timeout=${patienceMs / 1000}s`);
    assert.match(await ok(throughHub, "get", "pods"), /^web +1\/1 +Running/m);
    await eventually("the watch told of it", () => seen.includes("pod/web"));
    watch.kill();
    assert.equal(await ok(throughHub, "exec", "web", "--", "cat", "/tmp/index.html"), "over the hub");
    await assertForwarded(throughHub);
  });

  test("says what of it is asked for and used", async () => {
    let status: FleetCluster["status"];
    await eventually(
      "the hub knows what is used",
      async () => {
        ({ status } = await hub.client.get(FleetCluster, toKey("default", "real")));
        return status?.used !== undefined && Number(status.requested?.["pods"]) >= 2;
      },
      patienceMs,
    );
    assert.deepEqual(Object.keys(status?.used ?? {}).sort(), ["cpu", "memory"]);
    assert.ok(status?.usageTime !== undefined && status.usageProblem === undefined);
  });

  test("is detached by one command: neither the agent nor what it made stays", async () => {
    await stage.once(["cluster", "detach", "real"]);
    const inSystem = async (kinds: string) => await ok(direct, "-n", "atoll-system", "get", kinds, "-o", "name");
    const left = async () => await inSystem("deployments,replicasets,pods,secrets");
    await eventually("nothing of the agent is left", async () => (await left()) === "", patienceMs);
    assert.equal(await inSystem("serviceaccounts"), "serviceaccount/default");
    const bindings = await ok(direct, "get", "clusterrolebindings", "-o", "name");
    assert.doesNotMatch(bindings, /fleet/);
    assert.equal(
      await ok(direct, "get", "validatingadmissionpolicies", "-l", "fleet.atoll.dev/managed=true", "-o", "name"),
      "",
    );
    assert.match((await run(direct, "run", "free", "--image=x", "--dry-run=server")).text, /^pod\/free created/);
  });

  async function assertForwarded(kubeconfig: string): Promise<void> {
    const child: ChildProcess = spawn(kubectl, ["--kubeconfig", kubeconfig, "port-forward", "pod/web", ":8080"]);
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const port = () => /127\.0\.0\.1:(\d+) ->/.exec(said)?.[1];
    await eventually("it listens", () => port() !== undefined, patienceMs);
    const page = await fetch(`http://127.0.0.1:${port()}/`);
    assert.equal((await page.text()).trim(), "over the hub");
    child.kill();
  }
});
