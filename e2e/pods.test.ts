/**
 * What `atoll up` is for, by plain kubectl: pods as machines of their own, with everything a pod may have. Each test is one
 * promise of docs/specification.md.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runAtoll, runProgram } from "@atoll/harness/commands";
import { testImage, writeLayout } from "@atoll/images/testing/image";
import { startRegistry, type TestRegistry } from "@atoll/images/testing/registry";
import type { TarPart } from "@atoll/images/testing/tarball";
import { systemClock } from "@atoll/machinery/clock";
import { clientPath } from "@atoll/processes/clients";
import { lacking } from "./lacking.ts";

const folder = await mkdtemp(join(tmpdir(), "atoll-pods-"));
const data = join(folder, "data");
const canary = join(folder, "canary");
const namespace = "story";
const image = "atoll.local/welcome:v1";
const patienceMs = 90_000;
let registry: TestRegistry;

async function kubectlOutcome(...args: string[]) {
  const kubeconfig = ["--kubeconfig", join(data, "admin.kubeconfig"), "-n", namespace];
  return await runProgram(await clientPath("kubectl"), ...kubeconfig, ...args);
}

async function kubectl(...args: string[]): Promise<string> {
  const { code, text } = await kubectlOutcome(...args);
  assert.equal(code, 0, text);
  return text.trim();
}

/** Applies objects at once. */
async function apply(...objects: readonly object[]): Promise<void> {
  const file = join(folder, `${randomBytes(6).toString("hex")}.json`);
  await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  await kubectl("apply", "-f", file);
}

interface PodParts {
  readonly containers: readonly object[];
  readonly [field: string]: unknown;
}

const pod = (name: string, spec: PodParts) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { terminationGracePeriodSeconds: 1, ...spec },
});

const shell = (script: string, more: object = {}) => ({ name: "c", image, command: ["sh", "-c", script], ...more });

/** Runs a script in a container. */
const inside = async (name: string, script: string, container = "c"): Promise<string> =>
  await kubectl("exec", name, "-c", container, "--", "sh", "-c", script);

const field = async (name: string, path: string): Promise<string> =>
  await kubectl("get", "pod", name, "-o", `jsonpath={${path}}`);

const condition = (type: string) => `.status.conditions[?(@.type=="${type}")].status`;

/** Looks until it is so. */
async function eventually(what: string, look: () => Promise<boolean>): Promise<void> {
  const giveUpMs = systemClock.monotonicMs() + patienceMs;
  while (!(await look())) {
    if (systemClock.monotonicMs() > giveUpMs)
      assert.fail(`${what}\n${(await kubectlOutcome("get", "pods", "-o", "wide")).text}`);
    await systemClock.sleep(300);
  }
}

const ready = async (...names: string[]): Promise<void> => {
  for (const name of names)
    await kubectl("wait", "--for=condition=Ready", `pod/${name}`, `--timeout=${patienceMs / 1000}s`);
};

/** Everything about a tree that an attack could change. */
async function fingerprint(path: string): Promise<string> {
  const facts = await stat(path);
  const self = `${path} ${facts.mode} ${facts.uid} ${facts.nlink} ${facts.mtimeMs} ${facts.ctimeMs}`;
  if (!facts.isDirectory()) return `${self} ${(await readFile(path)).toString("hex")}`;
  const names = (await readdir(path)).toSorted();
  return [self, ...(await Promise.all(names.map(async (name) => await fingerprint(join(path, name)))))].join("\n");
}

/** Puts an image into the registry. @returns its digest */
async function push(name: string, layers: readonly (readonly TarPart[])[]): Promise<string> {
  const made = testImage(layers, { Cmd: ["/bin/busybox", "sleep", "1000"], Env: ["PATH=/bin"] });
  const layout = join(folder, `layout-${name}`);
  writeLayout(layout, made);
  const where = [
    "--preserve-digests",
    "--dest-tls-verify=false",
    `oci:${layout}`,
    `docker://${registry.host}/${name}:1`,
  ];
  const { code, text } = await runProgram("skopeo", "copy", ...where);
  assert.equal(code, 0, text);
  return made.digest;
}

const file = (path: string): TarPart => ({ path, content: "evil" });
const link = (path: string, to: string, type = "2"): TarPart => ({ path, type, link: to });

/** Of each kind in the catalogue one; images/layers/evil.test.ts has them all. */
const evils: Readonly<Record<string, readonly (readonly TarPart[])[]>> = {
  parent: [[file("../../../../../../../../../../../../../../evil")]],
  absolute: [[file(join(canary, "file"))]],
  link: [[link("l", canary), file("l/file")]],
  hardlink: [[link("h", join(canary, "file"), "1")]],
  whiteout: [[link("l", canary)], [file("l/.wh.file")]],
};

describe("pods of atoll up, by kubectl", { skip: await lacking() }, () => {
  before(async () => {
    await mkdir(join(canary, "folder"), { recursive: true });
    await writeFile(join(canary, "file"), "untouched");
    await mkdir(data, { recursive: true, mode: 0o700 });
    registry = await startRegistry({ dir: join(folder, "registry") });
    await writeFile(join(data, "registries.json"), JSON.stringify({ insecure: [registry.host] }));
    const up = await runAtoll("up", "--background", "--api-port", "0", "--kubelet-port", "0", "--data", data);
    assert.equal(up.code, 0, up.text);
    await kubectl("create", "namespace", namespace);
    await eventually("the default account", async () => (await kubectlOutcome("get", "sa", "default")).code === 0);
  });

  after(async () => {
    await runAtoll("down", "--data", data);
    await registry.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("a pod of two containers and an init container sees its files, variables, users and itself alone", async () => {
    const mounts = [
      { name: "shared", mountPath: "/shared" },
      { name: "all", mountPath: "/all" },
    ];
    const sources = [
      { configMap: { name: "settings" } },
      { secret: { name: "keys", items: [{ key: "password", path: "secret/password" }] } },
      { serviceAccountToken: { path: "token", audience: "somebody", expirationSeconds: 3600 } },
      { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
    ];
    const env = [
      { name: "COLOUR", valueFrom: { configMapKeyRef: { name: "settings", key: "colour" } } },
      { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "keys", key: "password" } } },
      { name: "WHERE", value: "$(COLOUR)-house" },
    ];
    const web = shell("httpd -f -p 8080 -h /shared", { volumeMounts: mounts, env, ports: [{ containerPort: 8080 }] });
    const side = { ...shell("sleep 100000", { volumeMounts: mounts }), name: "side" };
    const init = {
      ...shell("cat /all/colour > /shared/index.html; id -u > /shared/who"),
      name: "init",
      volumeMounts: mounts,
    };
    const spec = {
      initContainers: [init],
      containers: [
        web,
        { ...side, securityContext: { runAsUser: 1234, runAsGroup: 55, readOnlyRootFilesystem: true } },
      ],
      securityContext: { fsGroup: 777 },
      volumes: [
        { name: "shared", emptyDir: {} },
        { name: "all", projected: { sources, defaultMode: 0o440 } },
      ],
    };
    await apply(
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" }, data: { colour: "teal" } },
      { apiVersion: "v1", kind: "Secret", metadata: { name: "keys" }, stringData: { password: "wort" } },
      pod("whole", spec),
    );
    await ready("whole");
    assert.equal(await inside("whole", "echo $COLOUR $PASSWORD $WHERE"), "teal wort teal-house");
    assert.equal(
      await inside("whole", "cat /shared/index.html /shared/who /all/secret/password /all/name", "side"),
      "teal0\nwortwhole",
    );
    assert.equal(await inside("whole", "id -u; id -g; id -G", "side"), "1234\n55\n55 777");
    assert.match(await inside("whole", "touch /x || touch /shared/mine && stat -c %g /shared/mine", "side"), /^777$/m);
    const [, claims = ""] = (await inside("whole", "cat /all/token")).split(".");
    const token = JSON.parse(Buffer.from(claims, "base64url").toString());
    assert.deepEqual(token.aud, ["somebody"]);
    assert.equal(token["kubernetes.io"].pod.name, "whole");
  });

  test("its kernel is not the host's, and /proc shows its own processes alone", async () => {
    assert.notEqual(await inside("whole", "uname -r"), release());
    const processes = await inside("whole", "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done");
    assert.match(processes, /^httpd -f/m);
    assert.ok(processes.split("\n").length < 6, processes);
    assert.doesNotMatch(processes, /sleep 100000/);
  });

  test("exec with a terminal follows its size", async () => {
    const until = (size: string) => `until stty size | grep -q '${size}'; do sleep 0.2; done`;
    const seen = `${until("30 99")}; touch /tmp/first; ${until("41 111")}; echo is-41-by-111`;
    const client = `${await clientPath("kubectl")} --kubeconfig ${join(data, "admin.kubeconfig")} -n ${namespace}`;
    const go = join(folder, "go");
    const grow = `until test -e ${go}; do sleep 0.2; done; stty -F $t rows 41 cols 111`;
    const script = `t=$(tty); stty rows 30 cols 99; (${grow}) & ${client} exec -it whole -c c -- sh -c "${seen}"`;
    const path = join(folder, "terminal.sh");
    await writeFile(path, script);
    const session = runProgram("script", "-qec", `sh ${path}`, "/dev/null");
    await eventually("the first size is seen", async () => {
      return (await kubectlOutcome("exec", "whole", "-c", "c", "--", "test", "-e", "/tmp/first")).code === 0;
    });
    await writeFile(go, "");
    assert.match((await session).text, /is-41-by-111/);
  });

  test("cp goes both ways and changes nothing", async () => {
    const bytes = randomBytes(3_000_000);
    await writeFile(join(folder, "there"), bytes);
    await kubectl("cp", join(folder, "there"), "whole:/tmp/there", "-c", "c");
    await kubectl("cp", "whole:/tmp/there", join(folder, "back"), "-c", "c");
    const digest = (content: Buffer) => createHash("sha256").update(content).digest("hex");
    assert.equal(digest(await readFile(join(folder, "back"))), digest(bytes));
    assert.equal(await inside("whole", "stat -c %a /tmp"), "1777");
  });

  test("port-forward brings a port of the pod here", async () => {
    const kubeconfig = ["--kubeconfig", join(data, "admin.kubeconfig"), "-n", namespace];
    const child = spawn(await clientPath("kubectl"), [...kubeconfig, "port-forward", "pod/whole", ":8080"]);
    try {
      const port = await new Promise<string>((found, failed) => {
        child.stdout.on("data", (text: Buffer) => {
          const [, number] = /127\.0\.0\.1:(\d+)/.exec(text.toString()) ?? [];
          if (number !== undefined) found(number);
        });
        child.on("exit", () => failed(new Error("port-forward ended")));
      });
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "teal");
    } finally {
      child.kill();
    }
  });

  test("each kind of probe flips readiness, or restarts", async () => {
    const often = { periodSeconds: 1, failureThreshold: 1 };
    const page = "mkdir -p /www; echo yes > /www/ok; httpd -f -p 8080 -h /www";
    await apply(
      pod("exec", {
        containers: [
          shell("touch /tmp/ok; sleep 100000", {
            readinessProbe: { exec: { command: ["test", "-e", "/tmp/ok"] }, ...often },
          }),
        ],
      }),
      pod("http", {
        containers: [shell(page, { readinessProbe: { httpGet: { path: "/ok", port: 8080 }, ...often } })],
      }),
      pod("tcp", {
        containers: [
          shell("while true; do test -e /tmp/stop || timeout 3 httpd -f -p 9090; sleep 0.1; done", {
            readinessProbe: { tcpSocket: { port: 9090 }, ...often },
          }),
        ],
      }),
      pod("grpc", { containers: [shell(page, { readinessProbe: { grpc: { port: 8080 }, ...often } })] }),
      pod("alive", {
        containers: [
          shell("touch /tmp/ok; sleep 100000", {
            livenessProbe: { exec: { command: ["test", "-e", "/tmp/ok"] }, ...often },
          }),
        ],
      }),
      pod("starting", {
        containers: [
          shell("sleep 100000", {
            startupProbe: { exec: { command: ["test", "-e", "/tmp/up"] }, periodSeconds: 1, failureThreshold: 1000 },
          }),
        ],
      }),
    );
    await ready("exec", "http", "tcp", "alive");
    await Promise.all([
      inside("exec", "rm /tmp/ok"),
      inside("http", "rm /www/ok"),
      inside("tcp", "touch /tmp/stop; killall httpd || true"),
      inside("alive", "rm /tmp/ok"),
    ]);
    for (const name of ["exec", "http", "tcp"])
      await eventually(`${name} is not ready`, async () => (await field(name, condition("Ready"))) === "False");
    await eventually(
      "alive is started again",
      async () => Number(await field("alive", ".status.containerStatuses[0].restartCount")) > 0,
    );
    await Promise.all([
      inside("exec", "touch /tmp/ok"),
      inside("http", "echo yes > /www/ok"),
      inside("tcp", "rm /tmp/stop"),
    ]);
    await ready("exec", "http", "tcp");
    // A server that speaks no gRPC is none that is healthy.
    assert.equal(await field("grpc", condition("Ready")), "False");
    assert.equal(await field("starting", ".status.containerStatuses[0].started"), "false");
    await inside("starting", "touch /tmp/up");
    await ready("starting");
    await kubectl("delete", "pod", "exec", "http", "tcp", "grpc", "alive", "starting", "--wait=false");
  });

  test("who takes more memory than the limit is OOMKilled; the pod's other containers are not", async () => {
    const greedy = shell("tail /dev/zero", { resources: { limits: { memory: "48Mi" } } });
    const modest = { ...shell("sleep 100000"), name: "modest" };
    await apply(pod("greedy", { restartPolicy: "Never", containers: [greedy, modest] }));
    await eventually(
      "it is killed",
      async () =>
        (await field("greedy", ".status.containerStatuses[?(@.name=='c')].state.terminated.reason")) === "OOMKilled",
    );
    assert.equal(await inside("greedy", "echo well", "modest"), "well");
    await kubectl("delete", "pod", "greedy", "--wait=false");
  });

  test("deletion runs preStop, then signals, and waits as long as the grace period", async () => {
    const lifecycle = { preStop: { exec: { command: ["sh", "-c", "echo stopping-soon > /proc/1/fd/1"] } } };
    const polite = shell(
      "trap 'echo got-term; sleep 1; echo bye; exit 0' TERM; echo began; while true; do sleep 0.1; done",
      { lifecycle },
    );
    const deaf = shell("trap '' TERM; echo began; while true; do sleep 0.1; done");
    await apply(
      pod("polite", { containers: [polite], terminationGracePeriodSeconds: 60 }),
      pod("deaf", { containers: [deaf], terminationGracePeriodSeconds: 2 }),
    );
    await ready("polite", "deaf");
    const following = kubectlOutcome("logs", "-f", "polite");
    await eventually("it began", async () => (await kubectl("logs", "polite")).includes("began"));
    await kubectl("delete", "pod", "polite", "deaf", `--timeout=${patienceMs / 1000}s`);
    assert.match((await following).text, /began\nstopping-soon\ngot-term\nbye/);
  });

  test("two pods have boot ids and random bytes of their own", async () => {
    await apply(
      pod("one", { containers: [shell("sleep 100000")] }),
      pod("other", { containers: [shell("sleep 100000")] }),
    );
    await ready("one", "other");
    const look = "cat /proc/sys/kernel/random/boot_id; head -c 16 /dev/urandom | od -An -tx1";
    const [one, other] = await Promise.all([inside("one", look), inside("other", look)]);
    const [bootOne, randomOne] = one.split("\n");
    const [bootOther, randomOther] = other.split("\n");
    assert.notEqual(bootOne, bootOther);
    assert.notEqual(randomOne, randomOther);
  });

  test("each machine is a HostVM that nobody may change", async () => {
    const rows = async () => await kubectl("get", "hostvm", "--no-headers");
    await eventually("one has a line", async () =>
      /CRX\s+\S+\s+story\s+one\s+\d+\s+\d+\s+(tcg|kvm)\s+(clone|boot)\s+\d+/.test(await rows()),
    );
    const refused = await kubectlOutcome("delete", "hostvm", "--all");
    assert.match(refused.text, /a HostVM is written by the node that runs the machine/);
    await kubectl("delete", "pod", "one", "--wait=true");
    await eventually("its line is gone", async () => !/story\s+one\s/.test(await rows()));
  });

  test("an image is pulled by digest from a registry; evil ones are refused, and the host is as it was", async () => {
    const busybox = { path: "bin/busybox", mode: 0o755, content: await readFile("/bin/busybox") };
    const digest = await push("good", [[{ path: "bin/", type: "5", mode: 0o755 }, busybox]]);
    const names = Object.keys(evils);
    for (const [name, layers] of Object.entries(evils)) await push(name, layers);
    const before = await fingerprint(canary);
    const of = (name: string, ref: string) =>
      pod(`img-${name}`, { containers: [{ name: "c", image: `${registry.host}/${ref}` }] });
    await apply(of("good", `good@${digest}`), ...names.map((name) => of(name, `${name}:1`)));
    await ready("img-good");
    assert.match(await field("img-good", ".status.containerStatuses[0].imageID"), new RegExp(digest));
    for (const name of names) {
      const waiting = ".status.containerStatuses[0].state.waiting.message";
      await eventually(`${name} is refused`, async () => /layer|entry/.test(await field(`img-${name}`, waiting)));
      assert.match(
        await field(`img-${name}`, ".status.containerStatuses[0].state.waiting.reason"),
        /ErrImagePull|ImagePullBackOff/,
      );
    }
    assert.equal(await fingerprint(canary), before);
  });

  test("an image of an archive is imported, listed, and runs without a registry", async () => {
    const busybox = { path: "bin/busybox", mode: 0o755, content: await readFile("/bin/busybox") };
    const layout = join(folder, "archive");
    writeLayout(layout, testImage([[busybox]], { Cmd: ["/bin/busybox", "sleep", "1000"] }));
    const archive = join(folder, "archive.tar");
    assert.equal((await runProgram("tar", "-C", layout, "-cf", archive, ".")).code, 0);
    const name = "archive.local/busybox:1";
    const imported = await runAtoll("image", "import", archive, "-t", name, "--data", data);
    assert.equal(imported.code, 0, imported.text);
    assert.match((await runAtoll("image", "ls", "--data", data)).text, /archive\.local\/busybox:1/);
    await apply(pod("imported", { containers: [{ name: "c", image: name }] }));
    await ready("imported");
  });

  test("top tells what pods use", async () => {
    await eventually("figures are there", async () =>
      /^whole\s+\d+m\s+\d+Mi/m.test((await kubectlOutcome("top", "pod")).text),
    );
  });
});
