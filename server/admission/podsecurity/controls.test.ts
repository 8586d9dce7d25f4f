import assert from "node:assert/strict";
import { test } from "node:test";
import { baselineControls } from "./baseline.ts";
import type { PodLike } from "./controls.ts";
import { describe, type Level, violations } from "./levels.ts";
import { restrictedControls } from "./restricted.ts";

type Fields = Record<string, unknown>;

const hardened = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

/** A pod that the restricted level takes, but for what is given. */
function pod(spec: Fields, context: Fields = {}, annotations: Record<string, string> = {}): PodLike {
  const container = { name: "a", image: "x", securityContext: { ...hardened, ...context } };
  return { metadata: { annotations }, spec: { containers: [container], ...spec } } as unknown as PodLike;
}

function container(fields: Fields): PodLike {
  return pod({ containers: [{ name: "a", image: "x", securityContext: hardened, ...fields }] });
}

const latest = Number.POSITIVE_INFINITY;

interface Case {
  readonly control: string;
  readonly version?: number;
  readonly allowed: PodLike;
  readonly refused: PodLike;
  readonly told: string;
  /** Default: what the control's own level is. */
  readonly level?: Level;
}

const cases: readonly Case[] = [
  {
    control: "appArmorProfile",
    allowed: pod({ securityContext: { appArmorProfile: { type: "Localhost" } } }),
    refused: pod({}, { appArmorProfile: { type: "Unconfined" } }),
    told: 'forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined")',
  },
  {
    control: "appArmorProfile",
    allowed: pod({}, {}, { "container.apparmor.security.beta.kubernetes.io/a": "localhost/x" }),
    refused: pod(
      { securityContext: { appArmorProfile: { type: "Unconfined" } } },
      {},
      { "container.apparmor.security.beta.kubernetes.io/a": "unconfined" },
    ),
    told: 'forbidden AppArmor profiles (pod and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/a="unconfined"")',
  },
  {
    control: "capabilities_baseline",
    allowed: pod({}, { capabilities: { drop: ["ALL"], add: ["CHOWN"] } }),
    refused: pod({}, { capabilities: { drop: ["ALL"], add: ["NET_RAW", "CHOWN"] } }),
    told: 'non-default capabilities (container "a" must not include "NET_RAW" in securityContext.capabilities.add)',
  },
  {
    control: "hostNamespaces",
    allowed: pod({ hostNetwork: false }),
    refused: pod({ hostNetwork: true, hostIPC: true }),
    told: "host namespaces (hostNetwork=true, hostIPC=true)",
  },
  {
    control: "hostPathVolumes",
    allowed: pod({ volumes: [{ name: "v", emptyDir: {} }] }),
    refused: pod({ volumes: [{ name: "v", hostPath: { path: "/" } }] }),
    told: 'hostPath volumes (volume "v")',
  },
  {
    control: "hostPorts",
    allowed: container({ ports: [{ containerPort: 80, hostPort: 0 }] }),
    refused: container({ ports: [{ hostPort: 81 }, { hostPort: 80 }] }),
    told: 'hostPort (container "a" uses hostPorts 80, 81)',
  },
  {
    control: "hostProbesAndHostLifecycle",
    allowed: container({ livenessProbe: { httpGet: { path: "/" } } }),
    refused: container({ lifecycle: { preStop: { tcpSocket: { host: "10.0.0.1" } } } }),
    told: 'probe or lifecycle host (container "a" uses probe or lifecycle host "10.0.0.1")',
  },
  {
    control: "privileged",
    allowed: pod({}, { privileged: false }),
    refused: pod({ initContainers: [{ name: "i", securityContext: { ...hardened, privileged: true } }] }),
    told: 'privileged (container "i" must not set securityContext.privileged=true)',
  },
  {
    control: "procMount",
    allowed: pod({ hostUsers: false }, { procMount: "Unmasked" }),
    refused: pod({}, { procMount: "Unmasked" }),
    told: 'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
  },
  {
    control: "seLinuxOptions",
    allowed: pod({ securityContext: { seLinuxOptions: { type: "container_engine_t" } } }),
    refused: pod({}, { seLinuxOptions: { type: "spc_t", user: "u", role: "r" } }),
    told: 'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; role may not be set)',
  },
  {
    control: "seLinuxOptions",
    version: 30,
    allowed: pod({ securityContext: { seLinuxOptions: { type: "container_kvm_t" } } }),
    refused: pod({ securityContext: { seLinuxOptions: { type: "container_engine_t" } } }),
    told: 'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "container_engine_t")',
  },
  {
    control: "seccompProfile_baseline",
    allowed: pod({ securityContext: { seccompProfile: { type: "RuntimeDefault" } } }),
    refused: pod({ securityContext: { seccompProfile: { type: "Unconfined" } } }),
    told: 'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
  },
  {
    control: "seccompProfile_baseline",
    version: 18,
    allowed: pod({}, {}, { "seccomp.security.alpha.kubernetes.io/pod": "runtime/default" }),
    refused: pod({}, {}, { "container.seccomp.security.alpha.kubernetes.io/a": "unconfined" }),
    told: 'seccompProfile (forbidden annotation container.seccomp.security.alpha.kubernetes.io/a="unconfined")',
  },
  {
    control: "sysctls",
    allowed: pod({ securityContext: { sysctls: [{ name: "net.ipv4.tcp_rmem", value: "1" }] } }),
    refused: pod({ securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } }),
    told: "forbidden sysctls (kernel.msgmax)",
  },
  {
    control: "sysctls",
    version: 31,
    allowed: pod({ securityContext: { sysctls: [{ name: "net.ipv4.tcp_fin_timeout", value: "1" }] } }),
    refused: pod({ securityContext: { sysctls: [{ name: "net.ipv4.tcp_rmem", value: "1" }] } }),
    told: "forbidden sysctls (net.ipv4.tcp_rmem)",
  },
  {
    control: "windowsHostProcess",
    allowed: pod({}, { windowsOptions: { hostProcess: false } }),
    refused: pod({ securityContext: { windowsOptions: { hostProcess: true } } }),
    told: "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
  },
  {
    control: "allowPrivilegeEscalation",
    allowed: pod({ os: { name: "windows" } }, { allowPrivilegeEscalation: true }),
    refused: pod({}, { allowPrivilegeEscalation: undefined }),
    told: 'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)',
  },
  {
    control: "allowPrivilegeEscalation",
    version: 24,
    allowed: pod({}),
    refused: pod({ os: { name: "windows" } }, { allowPrivilegeEscalation: true }),
    told: 'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)',
  },
  {
    control: "capabilities_restricted",
    allowed: pod({}, { capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } }),
    refused: pod({}, { capabilities: { add: ["CHOWN"] } }),
    told: 'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; container "a" must not include "CHOWN" in securityContext.capabilities.add)',
  },
  {
    control: "procMount_restricted",
    allowed: pod({}, { procMount: "Default" }),
    refused: pod({ hostUsers: false }, { procMount: "Unmasked" }),
    told: 'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
  },
  {
    control: "restrictedVolumes",
    allowed: pod({ volumes: [{ name: "v", image: { reference: "x" } }] }),
    refused: pod({
      volumes: [
        { name: "v", nfs: {} },
        { name: "w", hostPath: { path: "/" } },
      ],
    }),
    told: 'restricted volume types (volumes "v", "w" use restricted volume types "hostPath", "nfs")',
  },
  {
    control: "runAsNonRoot",
    allowed: pod({ hostUsers: false }, { runAsNonRoot: false }),
    refused: pod({}, { runAsNonRoot: undefined }),
    told: 'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
  },
  {
    control: "runAsNonRoot",
    version: 34,
    allowed: pod({ securityContext: { runAsNonRoot: true } }, { runAsNonRoot: undefined }),
    refused: pod({ hostUsers: false, securityContext: { runAsNonRoot: false } }, { runAsNonRoot: false }),
    told: 'runAsNonRoot != true (pod and container "a" must not set securityContext.runAsNonRoot=false)',
  },
  {
    control: "runAsUser",
    allowed: pod({ securityContext: { runAsUser: 1 } }),
    refused: pod({ securityContext: { runAsUser: 0 } }, { runAsUser: 0 }),
    told: 'runAsUser=0 (pod and container "a" must not set runAsUser=0)',
  },
  {
    control: "seccompProfile_restricted",
    allowed: pod({ securityContext: { seccompProfile: { type: "Localhost" } } }, { seccompProfile: undefined }),
    refused: pod({}, { seccompProfile: undefined }),
    told: 'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  },
];

const controls = [...baselineControls, ...restrictedControls];

for (const { control, version = latest, allowed, refused, told } of cases) {
  const level = controls.find(({ id }) => id === control)?.level ?? "restricted";
  test(`the control ${control} as of 1.${version} takes the one pod and refuses the other`, () => {
    assert.equal(describe(violations(allowed, { level, version })), "");
    assert.equal(describe(violations(refused, { level, version })), told);
    assert.deepEqual(violations(refused, { level: "privileged", version }), []);
  });
}

test("every control of both levels has an allowed and a refused pod", () => {
  assert.deepEqual(
    [...new Set(cases.map(({ control }) => control))],
    controls.map(({ id }) => id),
  );
});

test("what baseline refuses, restricted refuses, too, and says it once", () => {
  for (const { control, version = latest, refused } of cases) {
    if (baselineControls.every(({ id }) => id !== control)) continue;
    assert.equal(violations(refused, { level: "restricted", version }).length, 1, control);
  }
});

test("what only restricted refuses, baseline takes", () => {
  const own = cases.filter(({ control }) => restrictedControls.some(({ id }) => id === control));
  for (const { control, refused } of own) {
    if (control === "restrictedVolumes") continue;
    assert.deepEqual(violations(refused, { level: "baseline", version: latest }), [], control);
  }
});

test("a version before a control was there does without it", () => {
  const host = container({ livenessProbe: { httpGet: { host: "h" } } });
  assert.deepEqual(violations(host, { level: "baseline", version: 33 }), []);
  const bare = pod({}, { capabilities: {}, seccompProfile: undefined, allowPrivilegeEscalation: undefined });
  assert.deepEqual(violations(bare, { level: "restricted", version: 7 }), []);
});

test("ephemeral containers are judged, and a plain pod hears everything in order", () => {
  const debug = pod({ ephemeralContainers: [{ name: "d", securityContext: { ...hardened, privileged: true } }] });
  assert.match(describe(violations(debug, { level: "restricted", version: latest })), /^privileged \(container "d"/);
  const plain = { metadata: {}, spec: { containers: [{ name: "a" }, { name: "b" }] } } as unknown as PodLike;
  const reasons = violations(plain, { level: "restricted", version: latest }).map(({ reason }) => reason);
  const wanted = [
    "allowPrivilegeEscalation != false",
    "unrestricted capabilities",
    "runAsNonRoot != true",
    "seccompProfile",
  ];
  assert.deepEqual(reasons, wanted);
});
