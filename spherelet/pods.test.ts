/** Pods on a real server and in real machines: what a user sees of them. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test as plainTest } from "node:test";
import type { Container, PodSpec } from "@atoll/api/builtin/core/v1.types";
import type { Draft } from "@atoll/api/draft";
import { ConfigMap, Event, Node, Pod, Secret } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import type { Transport } from "@atoll/client/transport";
import { clientOf, eventually, isGone, makeNamespace, transportTo } from "@atoll/harness/client";
import { type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import type { Spherelet } from "./spherelet.ts";
import { testImageName, type TestNode, testNode } from "./testing.ts";

/** A test that cannot hang: a guest may. */
const test = (name: string, body: () => Promise<void>) => void plainTest(name, { timeout: 120_000 }, body);

const patienceMs = 60_000;
const namespace = "pods";

let harness: Harness;
let transport: Transport;
let client: Client;
let node: TestNode;
let spherelet: Spherelet;

before(async () => {
  harness = await startHarness();
  transport = transportTo(harness);
  client = clientOf(harness, transport);
  await makeNamespace(client, namespace);
  await client.create(ConfigMap, {
    metadata: { name: "kube-root-ca.crt", namespace },
    data: { "ca.crt": harness.tls.ca },
  });
  node = await testNode("node-1");
  spherelet = await node.start(client);
});

after(async () => {
  const left = await node.close();
  transport.close();
  await harness.close();
  assert.deepEqual(left, [], "nothing is left behind");
});

type PodDraft = Draft<PodSpec>;

const shell = (line: string, more: Draft<Container> = {}): Draft<Container> => {
  return { name: "main", image: testImageName, command: ["sh", "-c", line], ...more };
};

async function makePod(name: string, spec: PodDraft): Promise<Pod> {
  const draft = {
    metadata: { name, namespace },
    spec: { nodeName: node.name, terminationGracePeriodSeconds: 5, ...spec },
  };
  return await client.create(Pod, draft as never);
}

async function podOf(name: string): Promise<Pod> {
  return await client.get(Pod, toKey(namespace, name));
}

/** Waits until a Pod is as wanted. */
async function untilPod(name: string, what: string, wanted: (pod: Pod) => boolean): Promise<Pod> {
  let pod = await podOf(name);
  try {
    await eventually(
      `pod ${name}: ${what}`,
      async () => {
        pod = await podOf(name);
        return wanted(pod);
      },
      patienceMs,
    );
  } catch (error) {
    const { items } = await client.list(Event, { namespace });
    const notes = items.filter(({ regarding }) => regarding?.name === name).map(({ note }) => note);
    throw new Error(
      `${String(error)}: ${JSON.stringify(pod.status)} ${notes.join("\n")} ${node.complaints.join("\n")}`,
      { cause: error },
    );
  }
  return pod;
}

const condition = (pod: Pod, type: string): string =>
  pod.status.conditions?.find((each) => each.type === type)?.status ?? "";

const isReady = (pod: Pod): boolean => condition(pod, "Ready") === "True";
const hasPhase = (phase: string) => (pod: Pod) => pod.status.phase === phase;

async function removePod(name: string): Promise<void> {
  await client.delete(Pod, toKey(namespace, name)).catch(() => undefined);
  await eventually(`pod ${name} is gone`, async () => await isGone(podOf(name)), patienceMs);
}

test("the Node tells what it has, and is ready", async () => {
  const { status, metadata } = await client.get(Node, toKey("", node.name));
  assert.equal(status.conditions?.find(({ type }) => type === "Ready")?.status, "True");
  assert.equal(status.conditions?.find(({ type }) => type === "Accelerated")?.reason, "TCG");
  assert.ok(Number.parseInt(status.allocatable?.["memory"] ?? "", 10) > 0);
  assert.ok(status.images?.some(({ names }) => names?.includes(testImageName)));
  assert.equal(metadata.labels?.["kubernetes.io/hostname"], node.name);
});

test("a Pod runs, is ready, and goes with its grace when it is deleted", async () => {
  await makePod("web", { containers: [shell("trap 'exit 0' TERM; echo up; while true; do sleep 0.2; done")] });
  const pod = await untilPod("web", "ready", isReady);
  assert.equal(pod.status.phase, "Running");
  assert.equal(pod.status.hostIP, "127.0.0.1");
  const [status] = pod.status.containerStatuses ?? [];
  assert.equal(status?.started, true);
  assert.match(status?.containerID ?? "", /^crx:\/\/[0-9a-f]{64}$/);
  assert.match(status?.imageID ?? "", /^sha256:/);
  await removePod("web");
  assert.equal(spherelet.pods.find(namespace, "web")?.world.machine ?? "none", "none");
});

test("a Pod whose container ends well has succeeded, one that ends badly has failed", async () => {
  await makePod("good", { restartPolicy: "Never", containers: [shell("exit 0")] });
  const telling = { name: "telling", terminationMessagePolicy: "FallbackToLogsOnError" } as const;
  await makePod("bad", {
    restartPolicy: "Never",
    containers: [
      shell("echo -n why > /dev/termination-log; exit 3"),
      { ...shell("echo said at the end; exit 4"), ...telling },
    ],
  });
  const good = await untilPod("good", "succeeded", hasPhase("Succeeded"));
  assert.equal(good.status.containerStatuses?.[0]?.state.terminated?.reason, "Completed");
  const bad = await untilPod("bad", "failed", hasPhase("Failed"));
  const { exitCode, reason, message } = bad.status.containerStatuses?.[0]?.state.terminated ?? {};
  assert.deepEqual([exitCode, reason, message], [3, "Error", "why"]);
  assert.equal(stateOf(bad, 1)?.state.terminated?.message, "said at the end\n");
  await removePod("good");
  await removePod("bad");
});

/** What a container has written, as its log file has it. */
async function logOf(pod: Pod, container = "main", run = 0): Promise<string> {
  const path = join(node.data, "pods", pod.metadata.uid ?? "", "logs", container, `${run}.log`);
  const text = await readFile(path, "utf8").catch(() => "");
  return text
    .split("\n")
    .map((line) => line.replace(/^\S+ std(out|err) [FP] /, ""))
    .join("\n");
}

async function untilLog(pod: Pod, wanted: RegExp, container = "main", run = 0): Promise<string> {
  let text = "";
  const look = async () => {
    text = await logOf(pod, container, run);
    return wanted.test(text);
  };
  await eventually(`${String(wanted)} in the log`, look, patienceMs).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${text} ${node.complaints.join("\n")}`);
  });
  return text;
}

async function eventsOf(pod: Pod): Promise<readonly Event[]> {
  const { items } = await client.list(Event, { namespace });
  return items.filter(({ regarding }) => regarding?.uid === pod.metadata.uid);
}

async function eventReasons(pod: Pod): Promise<ReadonlySet<string>> {
  return new Set((await eventsOf(pod)).map(({ reason = "" }) => reason));
}

const stateOf = (pod: Pod, index = 0) => pod.status.containerStatuses?.[index];

test("a Pod's containers see its ConfigMaps, Secrets, tokens, facts and each other's files, and nobody else's", async () => {
  const configMap = { metadata: { name: "settings", namespace }, data: { colour: "blue", "app.conf": "a = 1\n" } };
  await client.create(ConfigMap, configMap);
  const password = Buffer.from("hunter2").toString("base64");
  await client.create(Secret, { metadata: { name: "keys", namespace }, data: { password } });
  const look = [
    "cat /config/app.conf; cat /keys/pass; echo; stat -c %a /keys/..data/pass; cat /shared/from-init; echo $COLOUR $PASSWORD $POD_NAME $CPU $ALL_colour $FROM",
    "cut=$(head -c 3 /var/run/secrets/kubernetes.io/serviceaccount/token); echo token $cut; cat /info/labels; echo; cat /one.conf",
    "id -u; id -G; cat /etc/hostname; hostname; grep -c alias.test /etc/hosts; pwd; echo $KUBERNETES_SERVICE_HOST; head -n 1 /image/etc/passwd; ls / | tr '\\n' ' '; echo done; sleep 1000",
  ].join("; ");
  await makePod("full", {
    initContainers: [
      {
        ...shell("echo -n made > /shared/from-init"),
        name: "init",
        volumeMounts: [{ name: "shared", mountPath: "/shared" }],
      },
    ],
    containers: [
      shell(look, {
        workingDir: "/tmp",
        env: [
          { name: "COLOUR", valueFrom: { configMapKeyRef: { name: "settings", key: "colour" } } },
          { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "keys", key: "password" } } },
          { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } } },
        ],
        envFrom: [{ prefix: "ALL_", configMapRef: { name: "settings" } }],
        resources: { limits: { cpu: "500m", memory: "64Mi" } },
        securityContext: { runAsUser: 1000 },
        volumeMounts: [
          { name: "config", mountPath: "/config" },
          { name: "config", mountPath: "/one.conf", subPath: "app.conf" },
          { name: "keys", mountPath: "/keys", readOnly: true },
          { name: "shared", mountPath: "/shared" },
          { name: "info", mountPath: "/info" },
          { name: "image", mountPath: "/image" },
        ],
      }),
      { ...shell("sleep 1000"), name: "other" },
    ],
    securityContext: { fsGroup: 4000, supplementalGroups: [3000] },
    hostAliases: [{ ip: "192.0.2.7", hostnames: ["alias.test"] }],
    volumes: [
      { name: "config", configMap: { name: "settings" } },
      { name: "keys", secret: { secretName: "keys", items: [{ key: "password", path: "pass", mode: 0o400 }] } },
      { name: "shared", emptyDir: {} },
      { name: "image", image: { reference: testImageName } },
      { name: "info", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
    ],
  });
  const pod = await untilPod("full", "ready", isReady);
  const lines = (await untilLog(pod, /done/)).split("\n");
  assert.deepEqual(lines.slice(0, 4), ["a = 1", "hunter2", "440", "madeblue hunter2 full 500 blue image"]);
  assert.deepEqual(lines.slice(4, 8), ["token eyJ", "", "a = 1", "1000"]);
  assert.equal(lines[8], "1000 2000 3000 4000");
  assert.deepEqual(lines.slice(9, 15), ["full", "full", "1", "/tmp", "10.96.0.1", "root:x:0:0:root:/root:/bin/sh"]);
  assert.equal(pod.status.initContainerStatuses?.[0]?.state.terminated?.reason, "Completed");
  assert.equal(condition(pod, "Initialized"), "True");
  assert.ok((await eventReasons(pod)).has("Started"));
});

test("a change of a ConfigMap and of labels reaches the running Pod", async () => {
  const pod = await podOf("full");
  const live = spherelet.pods.find(namespace, "full");
  const uptime = stateOf(pod)?.state.running?.startedAt;
  await makePod("watcher", {
    containers: [
      shell("while true; do cat /config/app.conf /info/labels; echo; sleep 0.3; done", {
        volumeMounts: [
          { name: "config", mountPath: "/config" },
          { name: "info", mountPath: "/info" },
        ],
      }),
    ],
    volumes: [
      { name: "config", configMap: { name: "settings" } },
      { name: "info", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
    ],
  });
  const watcher = await untilPod("watcher", "ready", isReady);
  await untilLog(watcher, /a = 1/);
  const patch = { type: "merge", body: { data: { "app.conf": "a = 2\n" } } } as const;
  await client.patch(ConfigMap, { key: toKey(namespace, "settings"), patch });
  const label = { type: "merge", body: { metadata: { labels: { tier: "gold" } } } } as const;
  await client.patch(Pod, { key: toKey(namespace, "watcher"), patch: label });
  await untilLog(watcher, /a = 2\ntier="gold"/);
  assert.equal(stateOf(await podOf("full"))?.state.running?.startedAt, uptime);
  assert.equal(live?.world.machine, "running");
  await Promise.all([removePod("watcher"), removePod("full")]);
});

test("a Pod's kernel, names and rights are what it says, and its hooks are carried out", async () => {
  const look = [
    "cat /proc/sys/net/core/somaxconn /proc/sys/vm/max_map_count",
    "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status",
    "touch /made || cat /etc/resolv.conf",
    "hostname; cat /sub/$POD/file",
    "until grep -q '^hook' /sub/$POD/asked; do sleep 0.2; done; echo done; sleep 1000",
  ].join("; ");
  const mounts = { volumeMounts: [{ name: "v", mountPath: "/sub" }] };
  const own = { volumeMounts: [{ name: "v", mountPath: "/own", subPathExpr: "$(POD)" }] };
  const env = [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }];
  await makePod("exact", {
    hostname: "short",
    subdomain: "sub",
    setHostnameAsFQDN: true,
    terminationGracePeriodSeconds: 3,
    dnsPolicy: "None",
    dnsConfig: { nameservers: ["192.0.2.5"], searches: ["lan.test"], options: [{ name: "ndots", value: "3" }] },
    securityContext: {
      sysctls: [
        { name: "net.core.somaxconn", value: "77" },
        { name: "vm.max_map_count", value: "262144" },
      ],
    },
    initContainers: [{ ...shell("echo here > /own/file", { ...own, env }), name: "init" }],
    containers: [
      shell(look, {
        ...mounts,
        env,
        securityContext: {
          capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          seccompProfile: { type: "RuntimeDefault" },
        },
        lifecycle: { preStop: { sleep: { seconds: 1 } } },
      }),
      {
        ...shell(`printf 'hook %s\\n' started > /own/asked; sleep 1000`, { ...own, env }),
        name: "hooked",
        lifecycle: { postStart: { exec: { command: ["test", "-d", "/own"] } } },
      },
    ],
    volumes: [{ name: "v", emptyDir: {} }],
  });
  const pod = await untilPod("exact", "ready", isReady);
  const lines = (await untilLog(pod, /done/)).split("\n");
  assert.deepEqual(lines.slice(0, 2), ["77", "262144"]);
  assert.deepEqual(
    lines.slice(2, 5).map((line) => line.split("\t")),
    [
      ["CapEff:", "0000000000000400"],
      ["NoNewPrivs:", "1"],
      ["Seccomp:", "2"],
    ],
  );
  assert.match(lines[5] ?? "", /Read-only file system/);
  assert.deepEqual(lines.slice(6, 9), ["nameserver 192.0.2.5", "search lan.test", "options ndots:3"]);
  assert.deepEqual(lines.slice(9, 11), [`short.sub.${namespace}.svc.cluster.local`, "here"]);
  await removePod("exact");
});

test("a kernel setting that there is none of keeps its Pod from starting, and is told", async () => {
  await makePod("unset", {
    securityContext: { sysctls: [{ name: "net.none", value: "1" }] },
    containers: [shell("sleep 1000")],
  });
  const pod = await podOf("unset");
  await eventually("it is told", async () => (await eventReasons(pod)).has("FailedCreatePodSandBox"));
  await removePod("unset");
});

test("a container that crashes is started again, then left alone for a while", async () => {
  await makePod("crashes", { containers: [shell("echo run; exit 2")] });
  const pod = await untilPod(
    "crashes",
    "in CrashLoopBackOff",
    (each) => stateOf(each)?.state.waiting?.reason === "CrashLoopBackOff",
  );
  const status = stateOf(pod);
  assert.equal(status?.restartCount, 1);
  assert.equal(status?.lastState.terminated?.exitCode, 2);
  assert.match(
    status?.state.waiting?.message ?? "",
    /^back-off 10s restarting failed container=main pod=crashes_pods\(/,
  );
  assert.equal(pod.status.phase, "Running");
  assert.match(await logOf(pod, "main", 0), /run/);
  await eventually("the back-off is told", async () => (await eventReasons(pod)).has("BackOff"));
  await removePod("crashes");
});

test("init containers go one after the other, sidecars beside the main ones, and end after them", async () => {
  const mounts = { volumeMounts: [{ name: "shared", mountPath: "/shared" }] };
  const trap = (name: string) =>
    `trap 'echo ${name} ends >> /shared/order; exit 0' TERM; echo ${name} >> /shared/order; while true; do sleep 0.1; done`;
  await makePod("sidecars", {
    restartPolicy: "Never",
    initContainers: [
      { ...shell("echo first >> /shared/order", mounts), name: "first" },
      {
        ...shell(trap("sidecar"), mounts),
        name: "sidecar",
        restartPolicy: "Always",
        startupProbe: { exec: { command: ["grep", "sidecar", "/shared/order"] }, periodSeconds: 1 },
      },
      { ...shell("echo second >> /shared/order", mounts), name: "second" },
    ],
    containers: [shell("echo main >> /shared/order; cat /shared/order", mounts)],
    volumes: [{ name: "shared", emptyDir: {} }],
  });
  const pod = await untilPod("sidecars", "succeeded", hasPhase("Succeeded"));
  assert.equal(await logOf(pod), "first\nsidecar\nsecond\nmain\n");
  assert.equal(pod.status.initContainerStatuses?.[1]?.state.terminated?.exitCode, 0);
  const started = (await eventsOf(pod)).filter(({ reason }) => reason === "Started");
  assert.deepEqual(
    new Set(started.map(({ regarding }) => regarding?.fieldPath)),
    new Set(["spec.containers{main}", ...["first", "second", "sidecar"].map((name) => `spec.initContainers{${name}}`)]),
  );
  await removePod("sidecars");
});

test("probes: readiness comes and goes, a failing liveness probe restarts", async () => {
  await makePod("probed", {
    containers: [
      shell(
        "httpd -p 8080 -h /tmp; touch /tmp/live; sleep 2; touch /tmp/ready; sleep 3; rm /tmp/ready; sleep 2; rm /tmp/live; sleep 1000",
        {
          ports: [{ name: "web", containerPort: 8080 }],
          readinessProbe: { httpGet: { path: "/ready", port: "web" }, periodSeconds: 1, failureThreshold: 1 },
          livenessProbe: {
            exec: { command: ["test", "-e", "/tmp/live"] },
            initialDelaySeconds: 2,
            periodSeconds: 1,
            failureThreshold: 2,
            terminationGracePeriodSeconds: 1,
          },
        },
      ),
    ],
  });
  const early = await untilPod("probed", "running", hasPhase("Running"));
  assert.equal(isReady(early), false);
  await untilPod("probed", "ready", isReady);
  await untilPod("probed", "not ready", (pod) => !isReady(pod));
  const again = await untilPod("probed", "restarted", (pod) => (stateOf(pod)?.restartCount ?? 0) > 0);
  assert.equal(stateOf(again)?.lastState.terminated?.exitCode, 137);
  assert.ok((await eventReasons(again)).has("Unhealthy"));
  await removePod("probed");
});

test("a container that takes too much memory is told as OOMKilled", async () => {
  const greedy = shell("head -c 100000000 /dev/zero > /dev/shm/x", { resources: { limits: { memory: "24Mi" } } });
  await makePod("greedy", { restartPolicy: "Never", containers: [greedy] });
  const pod = await untilPod("greedy", "failed", hasPhase("Failed"));
  const { reason, exitCode } = stateOf(pod)?.state.terminated ?? {};
  assert.deepEqual([reason, exitCode], ["OOMKilled", 137]);
  await removePod("greedy");
});

test("a running container gets other limits in place; what its machine has no room for is Infeasible", async () => {
  const limit = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max | tr '\\n' ' '";
  const amounts = (cpu: string, memory: string) => ({
    limits: { cpu, memory },
    requests: { cpu: "10m", memory: "16Mi" },
  });
  const watching = shell(`while true; do ${limit}; echo; sleep 0.2; done`, { resources: amounts("500m", "64Mi") });
  const first = await makePod("resized", { containers: [watching] }).then(
    async () => await untilPod("resized", "running", (pod) => stateOf(pod)?.resources?.limits?.["memory"] === "64Mi"),
  );
  const resize = async (cpu: string, memory: string) => {
    const body = { spec: { containers: [{ name: "main", resources: amounts(cpu, memory) }] } };
    const where = { key: toKey(namespace, "resized"), subresource: "resize" };
    await client.patch(Pod, { ...where, patch: { type: "strategic", body } });
  };
  await resize("250m", "80Mi");
  const second = await untilPod("resized", "resized", (pod) => stateOf(pod)?.resources?.limits?.["memory"] === "80Mi");
  assert.equal(stateOf(second)?.restartCount, 0);
  assert.equal(stateOf(second)?.containerID, stateOf(first)?.containerID);
  await untilLog(second, new RegExp(`${80 << 20} 25000 100000`));
  await resize("250m", "900Gi");
  const third = await untilPod("resized", "infeasible", (pod) => condition(pod, "PodResizePending") === "True");
  assert.equal(third.status.conditions?.find(({ type }) => type === "PodResizePending")?.reason, "Infeasible");
  assert.equal(stateOf(third)?.resources?.limits?.["memory"], "80Mi");
  await resize("250m", "72Mi");
  await untilPod(
    "resized",
    "no longer pending",
    (pod) => condition(pod, "PodResizePending") === "" && stateOf(pod)?.resources?.limits?.["memory"] === "72Mi",
  );
  await removePod("resized");
});

test("what keeps a container from starting is told in the words people know", async () => {
  const waits = (reason: string) => (pod: Pod) => stateOf(pod)?.state.waiting?.reason === reason;
  await makePod("nowhere", { containers: [shell("true", { image: "127.0.0.1:1/none:1" })] });
  await makePod("never", { containers: [shell("true", { image: "registry.test/none:1", imagePullPolicy: "Never" })] });
  const env = [{ name: "X", valueFrom: { configMapKeyRef: { name: "absent", key: "x" } } }];
  await makePod("unset", { restartPolicy: "Never", containers: [shell("true", { env })] });
  await makePod("nocommand", { restartPolicy: "Never", containers: [shell("", { command: ["nonesuch"] })] });
  await makePod("root", { containers: [shell("true", { securityContext: { runAsNonRoot: true, runAsUser: 0 } })] });
  const network = { hostNetwork: true, containers: [shell("true")] };
  await makePod("hostnet", network);
  await untilPod("nowhere", "ErrImagePull", waits("ErrImagePull"));
  await untilPod("nowhere", "ImagePullBackOff", waits("ImagePullBackOff"));
  await untilPod("never", "ErrImageNeverPull", waits("ErrImageNeverPull"));
  const unset = await untilPod("unset", "CreateContainerConfigError", waits("CreateContainerConfigError"));
  assert.equal(stateOf(unset)?.state.waiting?.message, 'configmap "absent" not found');
  const root = await untilPod("root", "CreateContainerConfigError", waits("CreateContainerConfigError"));
  assert.match(stateOf(root)?.state.waiting?.message ?? "", /runAsUser breaks non-root policy/);
  await client.create(ConfigMap, { metadata: { name: "absent", namespace }, data: { x: "1" } });
  const nocommand = await untilPod("nocommand", "failed", hasPhase("Failed"));
  const { reason, exitCode, message } = stateOf(nocommand)?.state.terminated ?? {};
  assert.deepEqual([reason, exitCode], ["StartError", 128]);
  assert.match(message ?? "", /"nonesuch": executable file not found in \$PATH/);
  const hostnet = await untilPod("hostnet", "failed", hasPhase("Failed"));
  assert.equal(hostnet.status.reason, "UnsupportedPodSpec");
  assert.match(hostnet.status.message ?? "", /spec\.hostNetwork/);
  for (const name of ["nowhere", "never", "unset", "root", "nocommand", "hostnet"]) await removePod(name);
});

test("preStop runs before the signal, and the grace period ends what does not end", async () => {
  await makePod("stubborn", {
    terminationGracePeriodSeconds: 2,
    containers: [
      shell("trap 'echo signal' TERM; while true; do sleep 0.1; done", {
        lifecycle: { preStop: { exec: { command: ["sh", "-c", "echo hook > /proc/1/fd/1"] } } },
      }),
    ],
  });
  const pod = await untilPod("stubborn", "ready", isReady);
  const log = untilLog(pod, /hook\nsignal/);
  await client.delete(Pod, toKey(namespace, "stubborn"));
  await log;
  const begunMs = performance.now();
  await removePod("stubborn");
  assert.ok(performance.now() - begunMs < 20_000);
});

test("a Pod that is active for too long fails", async () => {
  await makePod("deadline", {
    activeDeadlineSeconds: 2,
    containers: [shell("trap 'exit 0' TERM; while true; do sleep 0.1; done")],
  });
  const pod = await untilPod("deadline", "failed", hasPhase("Failed"));
  assert.equal(pod.status.reason, "DeadlineExceeded");
  await removePod("deadline");
});

test("a machine that dies is replaced, by the Pod's restart policy, and emptyDir volumes keep their files", async () => {
  const mounts = { volumeMounts: [{ name: "data", mountPath: "/data" }] };
  await makePod("dies", {
    containers: [shell("echo up >> /data/ups; sync; cat /data/ups; sleep 1000", mounts)],
    volumes: [{ name: "data", emptyDir: {} }],
  });
  const pod = await untilPod("dies", "ready", isReady);
  await untilLog(pod, /up/);
  await spherelet.pods.find(namespace, "dies")?.sandbox?.machine.kill();
  const again = await untilPod("dies", "running again", (each) => stateOf(each)?.restartCount === 1 && isReady(each));
  assert.equal(stateOf(again)?.lastState.terminated?.exitCode, 137);
  await untilLog(again, /^up\nup$/m, "main", 1);
  await removePod("dies");
});

test("an emptyDir volume with a size takes so much and no more, keeps it when its machine dies, and fills nobody else's disk", async () => {
  const write = "dd if=/dev/zero of=/data/fits bs=1M count=16 2>/dev/null && echo fits";
  const overflow = "dd if=/dev/zero of=/data/more bs=1M count=16 2>&1 | grep -o 'No space left on device'";
  const beside = "dd if=/dev/zero of=/other/file bs=1M count=40 2>/dev/null && echo beside; sync; stat -c %a:%g /data";
  await makePod("sized", {
    securityContext: { fsGroup: 2000 },
    containers: [
      shell(`test -e /data/fits && echo kept; ${write}; ${overflow}; rm -f /data/more; ${beside}; sleep 1000`, {
        volumeMounts: [
          { name: "data", mountPath: "/data" },
          { name: "other", mountPath: "/other" },
        ],
      }),
    ],
    volumes: [
      { name: "data", emptyDir: { sizeLimit: "16Mi" } },
      { name: "other", emptyDir: {} },
    ],
  });
  const pod = await untilPod("sized", "ready", isReady);
  assert.equal(await untilLog(pod, /2000\n/), "fits\nNo space left on device\nbeside\n2777:2000\n");
  await spherelet.pods.find(namespace, "sized")?.sandbox?.machine.kill();
  const again = await untilPod("sized", "running again", (each) => stateOf(each)?.restartCount === 1 && isReady(each));
  await untilLog(again, /^kept\nfits/, "main", 1);
  await removePod("sized");
});

test("a spherelet that starts again finds its Pods running, loses no line of theirs, and ends those deleted meanwhile", async () => {
  const count = "i=0; while true; do echo line $i; i=$((i+1)); sleep 0.05; done";
  await makePod("survivor", { containers: [shell(count)] });
  await makePod("orphan", { containers: [shell("sleep 1000")] });
  const before = await untilPod("survivor", "ready", isReady);
  await untilPod("orphan", "ready", isReady);
  await untilLog(before, /line 5\n/);
  await spherelet.stop();
  await client.delete(Pod, toKey(namespace, "orphan"), { graceSeconds: 0 });
  spherelet = await node.start(client);
  const text = await untilLog(before, /line 60\n/);
  const numbers = [...text.matchAll(/line (\d+)\n/g)].map(([, number]) => Number(number));
  assert.deepEqual(
    numbers,
    Array.from(numbers, (_, index) => index),
  );
  const after = await untilPod("survivor", "ready", isReady);
  assert.equal(stateOf(after)?.containerID, stateOf(before)?.containerID);
  assert.equal(stateOf(after)?.restartCount, 0);
  await eventually("the orphan is gone", () => spherelet.pods.find(namespace, "orphan") === undefined, patienceMs);
  await removePod("survivor").catch((error: unknown) => {
    const driver = spherelet.pods.find(namespace, "survivor");
    throw new Error(JSON.stringify([driver?.world, [...(driver?.world.containers ?? [])]]), { cause: error });
  });
});

async function textOf(chunks: AsyncIterable<Buffer | { bytes: Uint8Array }>, until = /$^/): Promise<string> {
  let text = "";
  for await (const chunk of chunks) {
    text += Buffer.from(Buffer.isBuffer(chunk) ? chunk : chunk.bytes).toString("utf8");
    if (until.test(text)) break;
  }
  return text;
}

test("logs, programs, attachments, connections and use are there for the kubelet's API", async () => {
  const line =
    "echo one; echo two >&2; httpd -p 8080 -h /tmp; echo page > /tmp/index.html; while read word; do echo got $word; done";
  await makePod("served", { containers: [shell(line, { stdin: true, stdinOnce: true })] });
  const pod = await untilPod("served", "ready", isReady);
  await untilLog(pod, /two/);
  const at = { namespace, pod: "served", container: "main" };
  const { runtime } = spherelet;
  const plain = {
    follow: false,
    previous: false,
    timestamps: false,
    sinceMs: undefined,
    tailLines: 1,
    limitBytes: undefined,
  };
  const { signal } = new AbortController();
  assert.equal(await textOf(await runtime.log(at, { ...plain, stream: "All" }, signal)), "two\n");
  assert.equal(
    await textOf(await runtime.log(at, { ...plain, stream: "Stdout", tailLines: undefined }, signal)),
    "one\n",
  );
  await assert.rejects(runtime.log(at, { ...plain, stream: "All", previous: true }, signal), { reason: "BadRequest" });
  const wish = { stdin: true, stdout: true, stderr: true, tty: false };
  const program = await runtime.exec(at, ["sh", "-c", "cat; echo $FROM; exit 7"], wish);
  await program.write(Buffer.from("typed\n"));
  program.endInput();
  assert.equal(await textOf(program.output), "typed\nimage\n");
  assert.equal(await program.exited, 7);
  const page = await runtime.dial(at, 8080);
  page.write("GET /index.html HTTP/1.0\r\n\r\n");
  assert.match(await textOf(page as AsyncIterable<Buffer>), /200 OK[\s\S]*page/);
  await assert.rejects(runtime.dial(at, 81), /connection refused/);
  const [usage] = (await runtime.usage()).filter((each) => each.pod.metadata.name === "served");
  assert.ok((usage?.containers[0]?.memoryBytes ?? 0n) > 0n);
  const attached = await runtime.attach(at, wish);
  const seen = textOf(attached.output, /got it/);
  await attached.write(Buffer.from("it\n"));
  assert.equal(await seen, "got it\n");
  attached.endInput();
  assert.equal(await attached.exited, 0);
  await assert.rejects(runtime.exec({ ...at, pod: "none" }, ["true"], wish), { reason: "NotFound" });
  await removePod("served");
});

test("an ephemeral container joins a running Pod, and its end changes nothing", async () => {
  await makePod("debugged", { shareProcessNamespace: true, containers: [shell("sleep 1234")] });
  await untilPod("debugged", "ready", isReady);
  const ephemeralContainers = [
    { name: "debug", image: testImageName, command: ["sh", "-c", "ps | grep -c 'sleep 123[4]'"] },
  ];
  const patch = { type: "strategic", body: { spec: { ephemeralContainers } } } as const;
  await client.patch(Pod, { key: toKey(namespace, "debugged"), patch, subresource: "ephemeralcontainers" });
  const ended = (pod: Pod) => pod.status.ephemeralContainerStatuses?.[0]?.state.terminated !== undefined;
  const pod = await untilPod("debugged", "debugged", ended);
  assert.equal(await logOf(pod, "debug"), "1\n");
  assert.equal(isReady(pod), true);
  await removePod("debugged");
});

test("a Pod that the node evicts fails with the reason, and leaves no machine", async () => {
  await makePod("evicted", { containers: [shell("sleep 1000")] });
  await untilPod("evicted", "ready", isReady);
  spherelet.pods
    .find(namespace, "evicted")
    ?.fail({ reason: "Evicted", message: "The node was low on resource: memory." }, 0);
  const pod = await untilPod("evicted", "failed", hasPhase("Failed"));
  assert.deepEqual([pod.status.reason, stateOf(pod)?.state.terminated?.exitCode], ["Evicted", 137]);
  await eventually("its machine is gone", () => spherelet.pods.find(namespace, "evicted")?.world.machine === "none");
  await removePod("evicted");
});

test("a Pod with a finalizer is let go, and shows how it ended until that is gone", async () => {
  await makePod("final", { restartPolicy: "Never", containers: [shell("sleep 1000")] });
  await untilPod("final", "ready", isReady);
  const finalizers = (names: readonly string[]) =>
    ({ type: "merge", body: { metadata: { finalizers: names } } }) as const;
  await client.patch(Pod, { key: toKey(namespace, "final"), patch: finalizers(["example.test/keep"]) });
  await client.delete(Pod, toKey(namespace, "final"), { graceSeconds: 1 });
  await eventually("the node has let it go", () => spherelet.pods.find(namespace, "final") === undefined, patienceMs);
  await systemClock.sleep(500);
  const pod = await podOf("final");
  assert.equal(pod.status.phase, "Failed");
  assert.equal(stateOf(pod)?.state.terminated?.exitCode, 137);
  assert.equal(spherelet.pods.find(namespace, "final"), undefined);
  await client.patch(Pod, { key: toKey(namespace, "final"), patch: finalizers([]) });
  await eventually("it is gone", async () => await isGone(podOf("final")));
});
