/**
 * Hosts that leave, on two of them: cordoned, drained, lost and back again, as upstream has it; and an address of a
 * LoadBalancer, to which one host answers at a time.
 */
import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { HostNetwork } from "@atoll/api/supervisor/v1alpha1/hostnetwork";
import { HostVM } from "@atoll/api/supervisor/v1alpha1/hostvm";
import {
  DaemonSet,
  Deployment,
  EndpointSlice,
  Node,
  Pod,
  PodDisruptionBudget,
  Service,
  StatefulSet,
} from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { eventually } from "@atoll/harness/client";
import { remainsOf } from "@atoll/harness/commands";
import { systemClock } from "@atoll/machinery/clock";
import { inOwnNetwork, insideOwnNetwork } from "@atoll/net/testing";
import { lacking } from "./lacking.ts";
import { inNamespace, secondName, TwoHosts } from "./twohosts.ts";

const image = "atoll.local/welcome:v1";
const pooled = "192.0.2.100";
const patienceMs = 120_000;
const namespace = "default";

if (insideOwnNetwork()) hostsLeaving();
else
  test("hosts leaving, in a namespace of their own", { skip: await lacking() }, async () => {
    const { code, output } = await inOwnNetwork(import.meta.filename);
    assert.equal(code, 0, output);
  });

function hostsLeaving(): void {
  describe("hosts leaving", () => {
    let hosts: TwoHosts;
    let client: Client;
    let first: string;

    before(async () => {
      hosts = await TwoHosts.start("--load-balancer-pool", `${pooled}-${pooled}`);
      ({ client, firstName: first } = hosts);
    });
    after(async () => await hosts.stop());

    async function pods(app: string): Promise<readonly Pod[]> {
      return (await client.list(Pod, { namespace, labelSelector: `app=${app}` })).items;
    }
    const isEnding = ({ metadata }: Pod) => metadata.deletionTimestamp !== undefined;
    const isReady = ({ status }: Pod) =>
      status.conditions?.some((each) => each.type === "Ready" && each.status === "True") ?? false;
    const uidsOf = (some: readonly Pod[]) => some.map(({ metadata }) => metadata.uid ?? "").sort();
    /** Those that are ready and stay, by host. */
    async function serving(app: string): Promise<Readonly<Record<string, number>>> {
      const found = (await pods(app)).filter((pod) => isReady(pod) && !isEnding(pod));
      return Object.fromEntries(
        [first, secondName].map((name) => [name, found.filter(({ spec }) => spec.nodeName === name).length]),
      );
    }
    async function serve(app: string, here: number, there: number): Promise<void> {
      await eventually(
        `${app} serves from ${here} and ${there}`,
        async () => {
          const found = await serving(app);
          return found[first] === here && found[secondName] === there;
        },
        patienceMs,
      );
    }
    async function kubectl(...args: readonly string[]): Promise<string> {
      const { code, text } = await hosts.kubectl(...args);
      assert.equal(code, 0, text);
      return text;
    }
    async function isReached(): Promise<boolean> {
      const get = `fetch("http://${pooled}/", { signal: AbortSignal.timeout(3000) }).then(async (answer) => process.stdout.write(await answer.text()))`;
      const text = await inNamespace("world", process.execPath, "-e", get).catch(() => "");
      return text.includes("Hello from a pod");
    }
    const answering = async () => {
      const { status } = await client.get(Service, toKey(namespace, "web"));
      return status?.conditions?.find(({ status: is }) => is === "True")?.message;
    };
    const secondAnswers = async () =>
      (await inNamespace(secondName, "ip", "address", "show", "dev", "lo")).includes(`${pooled}/32`);

    test("a cordoned host takes no pods but a DaemonSet's, until it is uncordoned", async () => {
      assert.match(await kubectl("cordon", secondName), /node\/second cordoned/);
      const container = { name: "c", image, ports: [{ containerPort: 8080 }] };
      const template = (app: string) => ({
        metadata: { labels: { app } },
        spec: {
          terminationGracePeriodSeconds: 1,
          tolerations: [
            { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 1 },
          ],
          containers: [
            { ...container, ...(app === "web" && { volumeMounts: [{ name: "work", mountPath: "/work" }] }) },
          ],
          ...(app === "web" && { volumes: [{ name: "work", emptyDir: {} }] }),
        },
      });
      const about = (app: string) => ({ selector: { matchLabels: { app } }, template: template(app) });
      const made = (name: string) => ({ name, namespace });
      await client.create(Deployment, { metadata: made("web"), spec: { replicas: 2, ...about("web") } });
      await client.create(StatefulSet, {
        metadata: made("db"),
        spec: { serviceName: "db", replicas: 2, podManagementPolicy: "Parallel", ...about("db") },
      });
      await client.create(DaemonSet, { metadata: made("each"), spec: about("each") });
      await Promise.all([serve("web", 2, 0), serve("db", 2, 0), serve("each", 1, 1)]);
      assert.match(await kubectl("get", "node", secondName), /Ready,SchedulingDisabled/);
      assert.match(await kubectl("uncordon", secondName), /node\/second uncordoned/);
      assert.equal((await client.get(Node, toKey(undefined, secondName))).spec?.unschedulable, undefined);
    });

    test("a LoadBalancer is reached by way of a host that has none of its pods", async () => {
      const excluded = "node.kubernetes.io/exclude-from-external-load-balancers";
      await kubectl("label", "node", first, `${excluded}=`);
      const ports = [{ port: 80, targetPort: 8080 }];
      const spec = { type: "LoadBalancer", selector: { app: "web" }, ports };
      await client.create(Service, { metadata: { name: "web", namespace }, spec });
      await eventually("the other host is to answer", async () => (await answering()) === secondName, patienceMs);
      await eventually("it answers", secondAnswers, patienceMs);
      await eventually("it is reached", isReached, patienceMs);
      assert.deepEqual(await serving("web"), { [first]: 2, [secondName]: 0 });
      await kubectl("label", "node", first, `${excluded}-`);
    });

    test("a drained host keeps what nobody said may go, and what a budget keeps until it may", async () => {
      const refused = await hosts.kubectl("drain", first);
      assert.notEqual(refused.code, 0);
      assert.match(refused.text, /cannot delete DaemonSet-managed Pods \(use --ignore-daemonsets to ignore\)/);
      assert.match(refused.text, /cannot delete Pods with local storage \(use --delete-emptydir-data to override\)/);
      assert.deepEqual(await serving("web"), { [first]: 2, [secondName]: 0 });
      await client.create(PodDisruptionBudget, {
        metadata: { name: "web", namespace },
        spec: { minAvailable: 2, selector: { matchLabels: { app: "web" } } },
      });
      const key = toKey(namespace, "web");
      await eventually("the budget is reckoned", async () => {
        const { status } = await client.get(PodDisruptionBudget, key);
        return status.currentHealthy === 2 && status.disruptionsAllowed === 0;
      });
      const before = uidsOf(await pods("web"));
      const drain = ["drain", first, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout"];
      const tooEarly = await hosts.kubectl(...drain, "3s");
      assert.notEqual(tooEarly.code, 0);
      assert.match(tooEarly.text, /violate the pod's disruption budget/);
      assert.deepEqual(uidsOf(await pods("web")), before);
      const draining = hosts.kubectl(...drain, "100s");
      await serve("db", 0, 2);
      assert.deepEqual(uidsOf(await pods("web")), before);
      await client.patch(PodDisruptionBudget, { key, patch: { type: "merge", body: { spec: { minAvailable: 1 } } } });
      const { code, text } = await draining;
      assert.equal(code, 0, text);
      assert.match(text, new RegExp(`node/${first} drained`));
      await Promise.all([serve("web", 0, 2), serve("each", 1, 1)]);
      await kubectl("uncordon", first);
    });

    test("of a host that is lost pods are replaced, but for a StatefulSet's, and others answer for it", async () => {
      const [web, db, each] = [await pods("web"), await pods("db"), await pods("each")];
      const both: string[] = [];
      await hosts.cut();
      await eventually(
        "it is given up",
        async () => {
          const [here, there] = [await answering(), await secondAnswers()];
          await systemClock.sleep(200);
          if (here === first && there) both.push("both hosts answer to one address");
          return here === first;
        },
        patienceMs,
      );
      assert.deepEqual(both, []);
      const { spec, status } = await client.get(Node, toKey(undefined, secondName));
      assert.equal(status.conditions?.find(({ type }) => type === "Ready")?.status, "Unknown");
      assert.deepEqual(
        spec?.taints?.map(({ key, effect }) => `${key}:${effect}`).sort(),
        ["NoExecute", "NoSchedule"].map((effect) => `node.kubernetes.io/unreachable:${effect}`),
      );
      await serve("web", 2, 0);
      await eventually("it is reached again", isReached, patienceMs);
      const endpoints = (
        await client.list(EndpointSlice, { namespace, labelSelector: "kubernetes.io/service-name=web" })
      ).items;
      const ready = endpoints
        .flatMap((slice) => slice.endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready === true);
      assert.deepEqual([...new Set(ready.map(({ nodeName }) => nodeName))], [first]);
      // Whether they still run nobody knows, so the others wait.
      const waiting = await pods("db");
      assert.deepEqual(uidsOf(waiting), uidsOf(db));
      assert.ok(waiting.every(isEnding));
      assert.ok((await pods("web")).filter(({ metadata }) => uidsOf(web).includes(metadata.uid ?? "")).every(isEnding));
      assert.deepEqual(uidsOf(await pods("each")), uidsOf(each));
      await kubectl("delete", "pod", "db-1", "--force", "--grace-period=0");
      await serve("db", 1, 0);
    });

    test("a host that returns ends what was deleted, and nothing is doubled", async () => {
      await hosts.heal();
      await eventually("it is ready", async () => await hosts.isReady(secondName), patienceMs);
      await eventually("nothing is ending", async () => !(await client.list(Pod)).items.some(isEnding), patienceMs);
      await serve("web", 2, 0);
      await eventually(
        "both of db are there",
        async () => {
          const { [first]: here = 0, [secondName]: there = 0 } = await serving("db");
          return here + there === 2;
        },
        patienceMs,
      );
      await serve("each", 1, 1);
      assert.equal((await client.get(Node, toKey(undefined, secondName))).spec?.taints, undefined);
      const bound = (await client.list(Pod, { fieldSelector: `spec.nodeName=${secondName}` })).items;
      await eventually(
        "it has their machines and no others",
        async () => {
          const { items } = await client.list(HostVM, { labelSelector: `supervisor.atoll.dev/node=${secondName}` });
          return items.length === bound.length;
        },
        patienceMs,
      );
      assert.equal(await answering(), first);
      assert.equal(await secondAnswers(), false);
    });

    test("a host leaves when nothing is lost that nobody gave up, and leaves nothing behind", async () => {
      const [mine] = (await pods("db")).filter(({ spec }) => spec.nodeName === secondName);
      const leave = ["host", "leave", "--data", hosts.second];
      await client.create(Pod, {
        metadata: { name: "alone", namespace },
        spec: { nodeName: secondName, terminationGracePeriodSeconds: 1, containers: [{ name: "c", image }] },
      });
      await mkdir(join(hosts.second, "disks", "pvc-0"), { recursive: true });
      const precious = await hosts.atSecond(...leave);
      assert.notEqual(precious.code, 0);
      assert.match(precious.text, /disks of volumes are kept here \(--delete-volumes loses them.*: pvc-0/);
      const refused = await hosts.atSecond(...leave, "--delete-volumes");
      assert.notEqual(refused.code, 0);
      assert.match(refused.text, /Pods that nobody makes anew \(--force loses them\): default\/alone/);
      assert.equal((await client.get(Node, toKey(undefined, secondName))).spec?.unschedulable, undefined);
      const { code, text } = await hosts.atSecond(...leave, "--delete-volumes", "--force");
      assert.equal(code, 0, text);
      await hosts.joined.ended;
      await assert.rejects(client.get(Node, toKey(undefined, secondName)), isNotFound);
      assert.deepEqual(await readdir(hosts.second).catch(() => []), []);
      assert.deepEqual(await remainsOf(hosts.second), []);
      await serve("db", 2, 0);
      if (mine !== undefined) assert.ok(!uidsOf(await pods("db")).includes(mine.metadata.uid ?? ""));
      await eventually("nothing is told of it", async () => {
        const told = [(await client.list(HostNetwork)).items, (await client.list(HostVM)).items];
        return !JSON.stringify(told).includes(`"${secondName}"`);
      });
    });
  });
}
