/**
 * A datastore that two hosts share over a wire: a Pod's disk has one writer at a time, whatever is cut and whatever is dead,
 * and nothing that was acknowledged is lost. The second host mounts the folder of the first by SSH's file transfer, which
 * needs nothing of the kernel but FUSE; over the cut wire it blocks, as NFS does.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Datastore } from "@atoll/api/supervisor/v1alpha1/datastore";
import { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { eventually } from "@atoll/harness/client";
import { runProgram } from "@atoll/harness/commands";
import { systemClock } from "@atoll/machinery/clock";
import { run } from "@atoll/net/run";
import { inOwnNetwork, insideOwnNetwork } from "@atoll/net/testing";
import { lacking } from "./lacking.ts";
import { addressesAtSwitch, secondName, TwoHosts } from "./twohosts.ts";

const image = "atoll.local/welcome:v1";
const namespace = "default";
const patienceMs = 120_000;
const leaseSeconds = 4;

if (insideOwnNetwork()) sharing();
else
  test("a datastore that two hosts share, in a namespace of their own", { skip: await lacking() }, async () => {
    const { code, output } = await inOwnNetwork(import.meta.filename);
    assert.equal(code, 0, output);
  });

/** The folder of the first host, served to the second. */
async function serveFolder(): Promise<{ server: Server; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const child = spawn("/usr/lib/openssh/sftp-server", [], { stdio: ["pipe", "pipe", "ignore"] });
    sockets.add(socket);
    socket.on("error", () => child.kill());
    socket.on("close", () => child.kill());
    child.on("exit", () => socket.destroy());
    child.stdin.on("error", () => undefined);
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
  });
  server.listen(0, addressesAtSwitch.first);
  await once(server, "listening");
  return { server, sockets };
}

function sharing(): void {
  describe("a datastore that two hosts share", () => {
    let hosts: TwoHosts;
    let client: Client;
    let first: string;
    let folder: string;
    let share: string;
    let serving: Awaited<ReturnType<typeof serveFolder>>;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "atoll-share-"));
      share = join(folder, "share");
      await mkdir(share);
      await run("mount", ["--bind", share, share]);
      hosts = await TwoHosts.start();
      ({ client, firstName: first } = hosts);
      serving = await serveFolder();
      await mountAtSecond();
      await client.create(Datastore, {
        metadata: { name: "shared" },
        spec: { sharedDirectory: { path: share, leaseSeconds } },
      });
      await client.create(StorageClass, {
        metadata: { name: "shared" },
        provisioner: "disk.atoll.dev",
        parameters: { datastore: "shared" },
        reclaimPolicy: "Delete",
        volumeBindingMode: "Immediate",
      });
    });
    after(async () => {
      await hosts.stop();
      serving.server.close();
      for (const socket of serving.sockets) socket.destroy();
      await run("umount", [share]);
      await rm(folder, { recursive: true, force: true });
    });

    /** In the mount namespace in which the second host's processes are, and only there. */
    async function mountAtSecond(): Promise<void> {
      const address = serving.server.address();
      const port = typeof address === "object" ? (address?.port ?? 0) : 0;
      const options = `directport=${port},allow_other,dir_cache=no,attr_timeout=0,entry_timeout=0`;
      const where = ["-t", String(await processAtSecond("join")), "--net", "--mount"];
      await run("nsenter", [...where, "sshfs", "-o", options, `${addressesAtSwitch.first}:${share}`, share]);
    }

    /** A process of the second host whose arguments contain a word. */
    async function processAtSecond(word: string): Promise<number> {
      for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
        const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
        const args = line.split("\0");
        if (args[0]?.includes("node") === true && args.includes(word) && args.includes(hosts.second))
          return Number(pid);
      }
      return 0;
    }

    const isSeenBy = async (count: string) =>
      (await client.get(Datastore, toKey(undefined, "shared"))).status?.seenBy === count;
    const podNamed = async (name: string) => await client.get(Pod, toKey(namespace, name));
    async function makeClaim(name: string): Promise<void> {
      const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "32Mi" } } };
      await client.create(PersistentVolumeClaim, {
        metadata: { name, namespace },
        spec: { ...spec, storageClassName: "shared" },
      });
    }
    /** Counts on from where the last one was, and says a number only when it is on the disk. */
    async function makeWriter(name: string, claim: string, nodeName: string): Promise<void> {
      const line = `n=$(cat /data/n 2>/dev/null || echo 0); echo begins at $n; while true; do n=$((n+1)); echo $n > /data/n.new; echo ${name} $n >> /data/log; sync; mv /data/n.new /data/n; sync; echo wrote $n; sleep 0.1; done`;
      const main = {
        name: "main",
        image,
        command: ["sh", "-c", line],
        volumeMounts: [{ name: "data", mountPath: "/data" }],
      };
      const volumes = [{ name: "data", persistentVolumeClaim: { claimName: claim } }];
      const key = "node.kubernetes.io/unreachable";
      const tolerations = [{ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 0 }];
      const spec = { nodeName, terminationGracePeriodSeconds: 1, tolerations, containers: [main], volumes };
      await client.create(Pod, { metadata: { name, namespace }, spec } as never);
    }
    async function logOf(name: string): Promise<string> {
      // What is asked often takes the processor from what is asked about.
      await systemClock.sleep(300);
      return (await hosts.kubectl("logs", name)).text;
    }
    const lastOf = (log: string) => Number(/wrote (\d+)\n(?!.*wrote)/s.exec(log)?.[1] ?? 0);
    async function writes(name: string): Promise<void> {
      try {
        await eventually(`${name} writes`, async () => lastOf(await logOf(name)) > 3, patienceMs);
      } catch (error) {
        const { text } = await hosts.kubectl("describe", "pod", name);
        throw new Error(text, { cause: error });
      }
    }
    async function removeAll(...names: readonly string[]): Promise<void> {
      await hosts.kubectl("delete", "pod", ...names, "--wait=false");
      for (const name of names) {
        const gone = async () =>
          await podNamed(name).then(
            () => false,
            (error: unknown) => isNotFound(error),
          );
        await eventually(`${name} is gone`, gone, patienceMs);
      }
    }

    test("a host whose spherelet is dead keeps its machine and its disk, and its next one takes both up", async () => {
      const described = async () => (await hosts.kubectl("get", "datastores")).text;
      await eventually("both hosts have it", async () => await isSeenBy("2/2"), patienceMs);
      assert.match(await described(), /^shared +\S+ +\S+Mi +\S+Mi +2\/2 +True/m);
      await makeClaim("moving");
      await makeWriter("kept", "moving", secondName);
      await writes("kept");
      const [volume] = (await client.list(PersistentVolume)).items;
      assert.match(
        JSON.stringify(volume?.spec.nodeAffinity),
        /datastore\.disk\.atoll\.dev\/shared","operator":"Exists"/,
      );
      const before = lastOf(await logOf("kept"));
      const spherelet = await processAtSecond("spherelet");
      process.kill(spherelet, "SIGKILL");
      await eventually(
        "another runs",
        async () => ![0, spherelet].includes(await processAtSecond("spherelet")),
        patienceMs,
      );
      await eventually("it writes on", async () => lastOf(await logOf("kept")) > before + 5, patienceMs);
      assert.equal((await podNamed("kept")).status.containerStatuses?.[0]?.restartCount, 0);
      assert.equal((await logOf("kept")).match(/begins/g)?.length, 1);
    });

    /** The QEMUs of a Pod of the second host that have its disk, or may have. */
    async function machinesOf({ metadata }: Pod): Promise<readonly number[]> {
      const home = join(hosts.second, "crx", "machines");
      const names = (await readdir(home)).filter((name) => name.startsWith(metadata.uid ?? "none"));
      const records = await Promise.all(names.map((name) => readFile(join(home, name, "pid"), "utf8").catch(() => "")));
      return records.filter((text) => text !== "").map((text) => (JSON.parse(text) as { qemu: number }).qemu);
    }
    const lives = (pid: number) => existsSync(`/proc/${pid}/exe`);
    /** What a Pod of the second host has acknowledged, also while nobody else hears of it. */
    async function acknowledged({ metadata }: Pod): Promise<number> {
      const { text } = await runProgram(
        "grep",
        "-rhoE",
        "wrote [0-9]+",
        join(hosts.second, "pods", metadata.uid ?? ""),
      );
      return Math.max(0, ...[...text.matchAll(/wrote (\d+)/g)].map(([, number]) => Number(number)));
    }

    test("of a host that is cut off the machine ends, and only then another host has the disk", async () => {
      const kept = await podNamed("kept");
      const [writer = 0, ...others] = await machinesOf(kept);
      assert.deepEqual([lives(writer), others], [true, []]);
      await hosts.cut();
      await makeWriter("after", "moving", first);
      await eventually(
        "the other begins",
        async () => {
          const begins = (await logOf("after")).includes("begins");
          assert.ok(!begins || !lives(writer), "both could write");
          return begins;
        },
        patienceMs,
      );
      const last = await acknowledged(kept);
      const begun = Number(/begins at (\d+)/.exec(await logOf("after"))?.[1]);
      assert.ok(last > 0 && begun >= last, `${begun} after ${last}`);
      // Whatever was under way over the wire arrives now.
      await hosts.heal();
      await eventually("the second host is back", async () => await hosts.isReady(secondName), patienceMs);
      await eventually("both have the datastore again", async () => await isSeenBy("2/2"), patienceMs);
      await writes("after");
    });

    test("who waits says so, and has the disk once the other has gone, with all that both wrote", async () => {
      const described = async () => (await hosts.kubectl("describe", "pod", "kept")).text;
      await eventually("it waits", async () => (await described()).includes("Multi-Attach error"), patienceMs);
      const last = lastOf(await logOf("after"));
      await removeAll("after");
      await eventually("the first has it again", async () => lastOf(await logOf("kept")) > last, patienceMs);
      const log = (await hosts.kubectl("exec", "kept", "--", "cat", "/data/log")).text;
      // What the one had not acknowledged when it was cut off, the other may have written again; nothing is missing.
      const numbers = log
        .trim()
        .split("\n")
        .map((line) => Number(line.split(" ")[1]));
      const steps = numbers.slice(1).map((number, index) => number - (numbers[index] ?? 0));
      assert.ok(
        steps.every((step) => step === 0 || step === 1),
        log,
      );
    });

    test("a machine without a spherelet has its disk until the API says that its Pod is over, then it ends", async () => {
      const before = lastOf(await logOf("kept"));
      const kept = await podNamed("kept");
      const writers = await machinesOf(kept);
      for (const word of ["join", "spherelet"]) process.kill(await processAtSecond(word), "SIGKILL");
      await makeWriter("heir", "moving", first);
      const described = async () => (await hosts.kubectl("describe", "pod", "heir")).text;
      await eventually("it waits", async () => (await described()).includes("Multi-Attach error"), patienceMs);
      assert.ok(writers.some(lives), "it writes on");
      await hosts.kubectl("delete", "pod", "kept", "--force", "--grace-period=0");
      await eventually("the heir begins", async () => (await logOf("heir")).includes("begins"), patienceMs);
      assert.ok(!writers.some(lives), "both could write");
      const begun = Number(/begins at (\d+)/.exec(await logOf("heir"))?.[1]);
      const last = await acknowledged(kept);
      assert.ok(last >= before && begun >= last, `${begun} after ${last}`);
    });
  });
}
