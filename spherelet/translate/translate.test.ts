import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import type { ImageConfig } from "@atoll/images/store/config";
import { qosOf } from "../lifecycle/qos.ts";
import { container, podOf } from "../lifecycle/testing.ts";
import { filesOf } from "../volumes/contents.ts";
import { containerSpec } from "./container.ts";
import { environmentOf, serviceVariables } from "./environment.ts";
import { expand } from "./expand.ts";
import type { NodeFacts } from "./fields.ts";
import { hostsFile, ownName, resolvFile } from "./names.ts";
import { refusalsOf } from "@atoll/api/supervisor/micropods";
import { machineSize, podRequests, scratchBytes } from "./resources.ts";

const facts: NodeFacts = { hostIP: "192.0.2.1", podIP: "10.244.0.7", allocatable: { cpu: "4", memory: "8Gi" } };
const encode = (text: string) => Buffer.from(text).toString("base64");
const sources = {
  configMap: (name: string) =>
    name === "settings"
      ? { data: { colour: "blue", "app.conf": "a = 1\n" }, binaryData: { raw: encode("\u0000\u0001") } }
      : undefined,
  secret: (name: string) => (name === "keys" ? { data: { password: encode("hunter2") } } : undefined),
};

const image: ImageConfig = {
  os: "linux",
  architecture: "amd64",
  entrypoint: ["/entry"],
  cmd: ["serve"],
  env: ["PATH=/bin", "FROM=image", "COLOUR=grey"],
  user: "web",
  workingDir: "/srv",
  stopSignal: "",
  volumes: [],
  exposedPorts: [],
  labels: {},
  diffIds: [],
};

/** Compares with the file; `ATOLL_GOLDEN=write` writes it. */
async function golden(name: string, value: unknown): Promise<void> {
  const path = join(import.meta.dirname, "testdata", `${name}.golden`);
  const spell = (_: string, each: unknown) => (typeof each === "bigint" ? `${each}n` : each);
  const text = `${JSON.stringify(value, spell, 2)}\n`;
  if (process.env["ATOLL_GOLDEN"] === "write") await writeFile(path, text);
  assert.equal(text, await readFile(path, "utf8"));
}

const rich = podOf(
  {
    hostname: "shop",
    subdomain: "market",
    shareProcessNamespace: true,
    hostAliases: [{ ip: "192.0.2.7", hostnames: ["a.test", "b.test"] }],
    dnsConfig: { searches: ["extra.test"], options: [{ name: "ndots", value: "2" }, { name: "edns0" }] },
    securityContext: {
      runAsUser: 1000,
      runAsNonRoot: true,
      fsGroup: 2000,
      supplementalGroups: [3000],
      seccompProfile: { type: "RuntimeDefault" },
    },
    volumes: [
      { name: "data", emptyDir: {} },
      {
        name: "config",
        configMap: { name: "settings", items: [{ key: "app.conf", path: "etc/app.conf", mode: 0o600 }] },
      },
      {
        name: "all",
        projected: {
          defaultMode: 0o440,
          sources: [
            { configMap: { name: "settings" } },
            { secret: { name: "keys" } },
            { serviceAccountToken: { path: "token", expirationSeconds: 3607 } },
            {
              downwardAPI: {
                items: [
                  { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
                  { path: "cpu", resourceFieldRef: { containerName: "main", resource: "limits.cpu", divisor: "1m" } },
                ],
              },
            },
          ],
        },
      },
    ],
    containers: [
      container("main", {
        args: ["--colour=$(COLOUR)", "--raw=$$(COLOUR)", "--none=$(NONE)"],
        env: [
          { name: "COLOUR", valueFrom: { configMapKeyRef: { name: "settings", key: "colour" } } },
          { name: "BOTH", value: "$(COLOUR) and $(ALL_password)" },
          { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
          { name: "LABEL", valueFrom: { fieldRef: { fieldPath: "metadata.labels['tier']" } } },
          { name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
          { name: "ABSENT", valueFrom: { configMapKeyRef: { name: "none", key: "x", optional: true } } },
        ],
        envFrom: [{ prefix: "ALL_", secretRef: { name: "keys" } }],
        resources: { requests: { cpu: "250m", memory: "64Mi" }, limits: { cpu: "1500m", memory: "128Mi" } },
        securityContext: {
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          runAsGroup: 1001,
          capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
        },
        terminationMessagePath: "/tmp/why",
        stdin: true,
        tty: true,
        volumeMounts: [
          { name: "data", mountPath: "/data", subPathExpr: "$(COLOUR)/x" },
          { name: "config", mountPath: "/config", readOnly: true },
          { name: "all", mountPath: "/all" },
        ],
      }),
    ],
  },
  { metadata: { name: "web", namespace: "shop", uid: "u", labels: { tier: "gold", "a/b": 'with "quotes"' } } },
);

test("a Pod's container as its machine is to run it", async () => {
  const [main] = rich.spec.containers ?? [];
  assert.ok(main !== undefined);
  const services = serviceVariables([
    {
      metadata: { name: "kubernetes" },
      spec: { clusterIP: "10.96.0.1", ports: [{ name: "https", port: 443, protocol: "TCP" }] } as never,
    },
  ]);
  const environment = environmentOf({ pod: rich, container: main, sources, facts, services });
  const spec = containerSpec({
    pod: rich,
    container: main,
    run: "main.0",
    image: { config: image, volume: "i0" },
    upper: "up-1",
    environment,
    hostname: ownName(rich, "cluster.local"),
    machineMemoryBytes: 256 << 20,
    seccomp: () => Uint8Array.of(1, 2, 3),
  });
  await golden("container", { ...spec, process: { ...spec.process, seccomp: [...(spec.process?.seccomp ?? [])] } });
});

test("a Pod's volumes as files", async () => {
  const volumes = (rich.spec.volumes ?? []).slice(1).map((volume) => {
    const files = filesOf(volume, { pod: rich, sources, facts, token: () => "a.b.c" });
    return files.map((file) => ({
      ...file,
      content: Buffer.from(file.content).toString("utf8"),
      mode: file.mode.toString(8),
    }));
  });
  await golden("volumes", volumes);
});

test("a Pod's /etc/hosts and /etc/resolv.conf", async () => {
  const names = {
    podIP: "10.244.0.7",
    clusterDomain: "cluster.local",
    clusterDns: ["10.96.0.10"],
    hostResolv: "nameserver 192.0.2.53\nsearch lan.test\n",
  };
  const plain = podOf({ dnsPolicy: "Default", containers: [container("main")] });
  await golden("names", [
    hostsFile(rich, names),
    resolvFile(rich, names),
    hostsFile(plain, names),
    resolvFile(plain, names),
  ]);
});

test("expand() puts in what is known, and leaves the rest", () => {
  const lookUp = (name: string) => ({ A: "1", B: "$(A)" })[name];
  assert.equal(expand("$(A) $$(A) $(B) $(C) $ $( $()", lookUp), "1 $(A) $(A) $(C) $ $( $()");
});

test("missing objects are told as the kubelet tells them", () => {
  const pod = (env: object) => podOf({ containers: [container("main", { env: [{ name: "X", valueFrom: env }] })] });
  const words = (env: object) => {
    const given = pod(env);
    const [main = container("none")] = given.spec.containers ?? [];
    try {
      environmentOf({ pod: given, container: main, sources, facts, services: {} });
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(words({ configMapKeyRef: { name: "none", key: "x" } }), 'configmap "none" not found');
  assert.equal(
    words({ configMapKeyRef: { name: "settings", key: "x" } }),
    "couldn't find key x in ConfigMap shop/settings",
  );
  assert.equal(words({ secretKeyRef: { name: "none", key: "x" } }), 'secret "none" not found');
  assert.equal(words({ secretKeyRef: { name: "keys", key: "x" } }), "couldn't find key x in Secret shop/keys");
  const volume = { name: "v", secret: { secretName: "keys", items: [{ key: "x", path: "x" }] } };
  const sight = { pod: rich, sources, facts, token: () => undefined };
  assert.throws(() => filesOf(volume, sight), { message: 'secret "keys" references non-existent key: x' });
});

test("what a micro-VM cannot honour is refused by the field's name", () => {
  const pod = podOf({
    hostNetwork: true,
    hostPID: true,
    hostIPC: true,
    volumes: [
      { name: "v", hostPath: { path: "/" } },
      { name: "n", nfs: { server: "x", path: "/" } as never },
      { name: "ok", emptyDir: {} },
    ],
    initContainers: [container("init", { ports: [{ containerPort: 80, hostPort: 80 }] })],
    containers: [container("main", { securityContext: { privileged: true } })],
  });
  assert.deepEqual(
    refusalsOf(pod.spec).map(({ path }) => path),
    [
      "spec.volumes[0].hostPath",
      "spec.volumes[1].nfs",
      "spec.initContainers[0].ports[0].hostPort",
      "spec.containers[0].securityContext.privileged",
      "spec.hostNetwork",
      "spec.hostPID",
      "spec.hostIPC",
    ],
  );
});

test("no field of a Pod is ignored that its machine has no means for", () => {
  const security = { appArmorProfile: { type: "RuntimeDefault" }, seLinuxOptions: { level: "s0" } };
  const pod = podOf({
    runtimeClassName: "gvisor",
    os: { name: "windows" },
    resourceClaims: [{ name: "gpu", resourceClaimName: "gpu" }],
    securityContext: {
      ...security,
      supplementalGroupsPolicy: "Strict",
      sysctls: [
        { name: "net.core.somaxconn", value: "1" },
        { name: "kernel.shm_rmid_forced", value: "1" },
      ],
    },
    containers: [
      container("main", {
        securityContext: { ...security, capabilities: { add: ["CAP_NET_ADMIN", "FLY"], drop: ["ALL"] } },
      }),
    ],
  });
  assert.deepEqual(
    refusalsOf(pod.spec).map(({ path }) => path),
    [
      "spec.containers[0].securityContext.appArmorProfile.type",
      "spec.containers[0].securityContext.seLinuxOptions",
      "spec.containers[0].securityContext.capabilities.add[1]",
      "spec.securityContext.supplementalGroupsPolicy",
      "spec.securityContext.appArmorProfile.type",
      "spec.securityContext.seLinuxOptions",
      "spec.securityContext.sysctls[1].name",
      "spec.runtimeClassName",
      "spec.os.name",
      "spec.resourceClaims",
    ],
  );
  const open = { appArmorProfile: { type: "Unconfined" }, seLinuxOptions: {} };
  const fine = podOf({
    os: { name: "linux" },
    hostUsers: false,
    securityContext: open,
    containers: [container("main")],
  });
  assert.deepEqual(refusalsOf(fine.spec), []);
});

test("machines come in few sizes, as large as their containers may become", () => {
  const host = { memoryMiB: 16_384, vcpus: 8 };
  const size = (...resources: object[]) =>
    machineSize({ containers: resources.map((each, index) => container(`c${index}`, { resources: each })) }, host);
  assert.deepEqual(size({}), { memoryMiB: 512, vcpus: 1 });
  assert.deepEqual(size({ limits: { memory: "128Mi", cpu: "100m" } }), { memoryMiB: 256, vcpus: 1 });
  assert.deepEqual(size({ limits: { memory: "600Mi", cpu: "2500m" } }), { memoryMiB: 768, vcpus: 3 });
  assert.deepEqual(size({ limits: { memory: "64Gi", cpu: "64" } }), { memoryMiB: 16_384, vcpus: 8 });
  const sidecar = container("s", { restartPolicy: "Always", resources: { requests: { cpu: "100m", memory: "10Mi" } } });
  const init = container("i", { resources: { requests: { cpu: "2", memory: "5Mi" } } });
  const main = container("m", { resources: { requests: { cpu: "500m", memory: "100Mi" } } });
  const spec = podOf({ initContainers: [sidecar, init], containers: [main] }).spec;
  assert.deepEqual(podRequests(spec), { cpuMillis: 2100, memoryBytes: 110 << 20 });
  assert.equal(
    scratchBytes(
      podOf({ containers: [container("m", { resources: { limits: { "ephemeral-storage": "1Gi" } } })] }).spec,
    ),
    1 << 30,
  );
});

test("qosOf() tells the three classes apart", () => {
  const qos = (...resources: object[]) =>
    qosOf({ containers: resources.map((each, index) => container(`c${index}`, { resources: each })) });
  assert.equal(qos({}, {}), "BestEffort");
  assert.equal(qos({ requests: { cpu: "1m" } }, {}), "Burstable");
  const whole = { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1000m", memory: "1Gi" } };
  assert.equal(qos(whole, whole), "Guaranteed");
  assert.equal(qos(whole, {}), "Burstable");
});
