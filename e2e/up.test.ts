/** `atoll up` as root: from an empty folder to a pod in a machine of its own, and back to nothing. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { clientPath } from "@atoll/processes/clients";
import { remainsOf, runAtoll, runProgram } from "@atoll/harness/commands";
import { systemClock } from "@atoll/machinery/clock";
import { controlGroup } from "@atoll/processes/machinehost";
import { lacking } from "./lacking.ts";

const folder = await mkdtemp(join(tmpdir(), "atoll-up-"));
const data = join(folder, "data");

// A hardened host that has nothing yet: what root makes there is nobody else's, unless it is given another mode.
process.umask(0o077);
process.env["ATOLL_CACHE"] = join(folder, "cache");

const atoll = (...args: string[]) => runAtoll(...args, "--data", data);
const up = (...more: string[]) => atoll("up", "--background", "--api-port", "0", "--kubelet-port", "0", ...more);

async function kubectl(...args: string[]): Promise<string> {
  const { code, text } = await runProgram(
    await clientPath("kubectl"),
    "--kubeconfig",
    join(data, "admin.kubeconfig"),
    ...args,
  );
  assert.equal(code, 0, text);
  return text.trim();
}

/** Control groups of the machines that are there. */
async function groupsLeft(): Promise<readonly string[]> {
  const places = ["", "memory", "pids", "cpu"].map((controller) => join("/sys/fs/cgroup", controller));
  const all = await Promise.all(places.map(async (place): Promise<string[]> => await readdir(place).catch(() => [])));
  return all.flat().filter((name) => name === controlGroup(data));
}

const skip = await lacking();

describe("atoll up with pods", { skip }, () => {
  after(async () => {
    await atoll("down");
    await rm(folder, { recursive: true, force: true });
  });

  test("one command from nothing ends with a pod that runs", async () => {
    const { code, text } = await up();
    assert.equal(code, 0, text);
    assert.match(text, /^Machines (run under KVM|are emulated)/m);
    assert.match(text, /pod welcome\/hello.* \d+\.\d s/);
    assert.match(text, /export KUBECONFIG=/);
    assert.match(text, /To stop:/);
    assert.equal(await kubectl("-n", "welcome", "get", "pod", "hello", "-o", "jsonpath={.status.phase}"), "Running");
  });

  test("the pod has an address that the host reaches, and what it says is in its log", async () => {
    const address = await kubectl("-n", "welcome", "get", "pod", "hello", "-o", "jsonpath={.status.podIP}");
    const page = await fetch(`http://${address}:8080/`);
    assert.match(await page.text(), /Hello from a pod/);
    const deadlineMs = systemClock.monotonicMs() + 10_000;
    while (!(await kubectl("-n", "welcome", "logs", "hello")).includes("response:200")) {
      assert.ok(systemClock.monotonicMs() < deadlineMs, await kubectl("-n", "welcome", "logs", "hello"));
      await systemClock.sleep(200);
    }
  });

  test("a pod of one's own reaches the API and a Service by name, and nobody else's pod", async () => {
    const address = await kubectl("-n", "welcome", "get", "pod", "hello", "-o", "jsonpath={.status.podIP}");
    const script = [
      "nslookup hello.welcome.svc.cluster.local",
      "nc -w 5 10.96.0.1 443 </dev/null && echo the API answers",
      `timeout 5 wget -q -O - http://${address}:8080/ || echo refused`,
      "echo done",
    ].join("; ");
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "asker" },
      spec: {
        restartPolicy: "Never",
        containers: [{ name: "c", image: "atoll.local/welcome:v1", command: ["sh", "-c", script] }],
      },
    };
    const file = join(folder, "pod.json");
    await writeFile(file, JSON.stringify(pod));
    await kubectl("apply", "-f", file);
    await kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/asker", "--timeout=60s");
    const log = await kubectl("logs", "asker");
    assert.match(log, /the API answers/);
    assert.match(log, /Name:\s+hello\.welcome\.svc\.cluster\.local/);
    assert.match(log, /refused/);
  });

  test("status tells of the parts, the node and the pods", async () => {
    const { code, text } = await atoll("status", "-o", "json");
    assert.equal(code, 0, text);
    const { ready, parts, nodes, pods } = JSON.parse(text);
    assert.equal(ready, true);
    assert.deepEqual(
      ["server", "controllers", "spherelet"].filter(
        (wanted) => !parts.some(({ name, running }: { name: string; running: boolean }) => name === wanted && running),
      ),
      [],
    );
    assert.equal(nodes.length, 1);
    assert.ok(pods.all >= 2 && pods.ready >= 1);
  });

  test("down leaves nothing running, no tap, no table, no mount, no control group", async () => {
    const { code, text } = await atoll("down");
    assert.equal(code, 0, text);
    assert.deepEqual([...(await remainsOf(data)), ...(await groupsLeft())], []);
    assert.equal((await atoll("status")).code, 1);
  });

  test("a second up has the same pods, with the same addresses", async () => {
    const { code, text } = await up();
    assert.equal(code, 0, text);
    assert.equal(await kubectl("-n", "welcome", "get", "pod", "hello", "-o", "jsonpath={.status.phase}"), "Running");
    const address = await kubectl("-n", "welcome", "get", "pod", "hello", "-o", "jsonpath={.status.podIP}");
    assert.match(await (await fetch(`http://${address}:8080/`)).text(), /Hello from a pod/);
  });

  test("after kill -9 of up the next one takes the parts' places, and the machines run on", async () => {
    const record = JSON.parse(await readFile(join(data, "run", "up.json"), "utf8"));
    const boot = async () =>
      await kubectl(
        "-n",
        "welcome",
        "get",
        "pod",
        "hello",
        "-o",
        "jsonpath={.status.containerStatuses[0].restartCount}",
      );
    const restarts = await boot();
    process.kill(record.up.pid, "SIGKILL");
    const { code, text } = await up();
    assert.equal(code, 0, text);
    assert.equal(await boot(), restarts);
    assert.equal((await atoll("down")).code, 0);
    assert.deepEqual(await remainsOf(data), []);
  });
});
