/**
 * The controls of the baseline level: what lets a pod out of its walls in known ways.
 * Source: k8s.io/pod-security-admission/policy/check_*.go of 1.36
 */
import type { Container } from "@atoll/api/builtin/core/v1.types";
import {
  addableCapabilities,
  seLinuxTypes0,
  sysctls0,
  sysctls27,
  sysctls29,
  sysctls32,
} from "@atoll/api/core/podstandards";
import {
  type Check,
  type Control,
  containers,
  containersOf,
  distinct,
  namesWhere,
  plural,
  type PodLike,
  quoted,
  setters,
  type Violation,
} from "./controls.ts";

const appArmorAnnotation = "container.apparmor.security.beta.kubernetes.io/";
const seccompPodAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
const seccompContainerAnnotation = "container.seccomp.security.alpha.kubernetes.io/";
const knownProfiles: ReadonlySet<string | undefined> = new Set(["RuntimeDefault", "Localhost"]);

const capabilities: ReadonlySet<string> = new Set(addableCapabilities);

const appArmor: Check = (pod) => {
  const own = pod.spec.securityContext?.appArmorProfile?.type;
  const podToo = pod.spec.securityContext?.appArmorProfile !== undefined && !knownProfiles.has(own);
  const bad = containersOf(pod).filter(
    ({ securityContext: context }) =>
      context?.appArmorProfile !== undefined && !knownProfiles.has(context.appArmorProfile.type),
  );
  const annotations = Object.entries(pod.metadata.annotations ?? {})
    .filter(([key, value]) => key.startsWith(appArmorAnnotation) && !isAllowedAnnotation(value))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const who = [
    setters(
      podToo,
      bad.map(({ name }) => name),
    ),
    ...(annotations.length > 0 ? [plural("annotation", annotations.length)] : []),
  ].filter((each) => each !== "");
  if (who.length === 0) return undefined;
  const types = [
    ...(podToo ? [own ?? ""] : []),
    ...bad.map(({ securityContext }) => securityContext?.appArmorProfile?.type ?? ""),
  ];
  const values = [...distinct(types), ...distinct(annotations)];
  return {
    reason: plural("forbidden AppArmor profile", values.length),
    detail: `${who.join(" and ")} must not set AppArmor profile type to ${quoted(values)}`,
  };
};

function isAllowedAnnotation(value: string): boolean {
  return value === "" || value === "runtime/default" || value.startsWith("localhost/");
}

const addedCapabilities: Check = (pod) => {
  const added = ({ securityContext }: Container) =>
    (securityContext?.capabilities?.add ?? []).filter((each) => !capabilities.has(each));
  const names = namesWhere(pod, (container) => added(container).length > 0);
  if (names.length === 0) return undefined;
  const values = quoted(distinct(containersOf(pod).flatMap(added)));
  return {
    reason: "non-default capabilities",
    detail: `${containers(names)} must not include ${values} in securityContext.capabilities.add`,
  };
};

const hostNamespaces: Check = ({ spec }) => {
  const held = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((each) => spec[each] === true);
  if (held.length === 0) return undefined;
  return { reason: "host namespaces", detail: held.map((each) => `${each}=true`).join(", ") };
};

const hostPaths: Check = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return { reason: "hostPath volumes", detail: `${plural("volume", names.length)} ${quoted(names)}` };
};

const hostPorts: Check = (pod) => {
  const ports = (container: Container) => (container.ports ?? []).flatMap(({ hostPort }) => hostPort || []);
  const names = namesWhere(pod, (container) => ports(container).length > 0);
  if (names.length === 0) return undefined;
  const numbers = distinct(containersOf(pod).flatMap(ports).map(String));
  const use = names.length === 1 ? "uses" : "use";
  return {
    reason: "hostPort",
    detail: `${containers(names)} ${use} ${plural("hostPort", numbers.length)} ${numbers.join(", ")}`,
  };
};

const probeHosts: Check = (pod) => {
  const found = containersOf(pod)
    .map((container) => ({ name: container.name, hosts: hostsOf(container) }))
    .filter(({ hosts }) => hosts.length > 0);
  if (found.length === 0) return undefined;
  const names = distinct(found.map(({ name }) => name));
  const hosts = distinct(found.flatMap((each) => each.hosts));
  const use = names.length === 1 ? "uses" : "use";
  return {
    reason: "probe or lifecycle host",
    detail: `${containers(names)} ${use} ${plural("probe or lifecycle host", hosts.length)} ${quoted(hosts)}`,
  };
};

function hostsOf({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Container): readonly string[] {
  return [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap((each) =>
    [each?.httpGet?.host, each?.tcpSocket?.host].flatMap((host) => host || []),
  );
}

const privileged: Check = (pod) => {
  const names = namesWhere(pod, ({ securityContext }) => securityContext?.privileged === true);
  if (names.length === 0) return undefined;
  return { reason: "privileged", detail: `${containers(names)} must not set securityContext.privileged=true` };
};

/** The masks of /proc stay on. */
export const procMount: Check = (pod) => {
  const mount = ({ securityContext }: Container) => securityContext?.procMount ?? "Default";
  const names = namesWhere(pod, (container) => mount(container) !== "Default");
  if (names.length === 0) return undefined;
  const values = distinct(
    containersOf(pod)
      .map(mount)
      .filter((each) => each !== "Default"),
  );
  return {
    reason: "procMount",
    detail: `${containers(names)} must not set securityContext.procMount to ${quoted(values)}`,
  };
};

/** A check that leaves alone pods whose root is nobody on the host. */
export function unlessUserNamespace(check: Check): Check {
  return (pod) => (pod.spec.hostUsers === false ? undefined : check(pod));
}

interface SELinux {
  readonly type?: string;
  readonly user?: string;
  readonly role?: string;
}

function seLinux(types: readonly string[]): Check {
  const isBad = (options: SELinux | undefined) =>
    options !== undefined && (!types.includes(options.type ?? "") || !!options.user || !!options.role);
  return (pod) => {
    const own = pod.spec.securityContext?.seLinuxOptions;
    const who = setters(
      isBad(own),
      namesWhere(pod, ({ securityContext }) => isBad(securityContext?.seLinuxOptions)),
    );
    if (who === "") return undefined;
    const all = [own, ...containersOf(pod).map(({ securityContext }) => securityContext?.seLinuxOptions)];
    const bad = distinct(all.map((each) => each?.type ?? "").filter((type) => !types.includes(type)));
    const told = [
      ...(bad.length > 0 ? [`${plural("type", bad.length)} ${quoted(bad)}`] : []),
      ...(all.some((each) => each?.user) ? ["user may not be set"] : []),
      ...(all.some((each) => each?.role) ? ["role may not be set"] : []),
    ];
    return {
      reason: "seLinuxOptions",
      detail: `${who} set forbidden securityContext.seLinuxOptions: ${told.join("; ")}`,
    };
  };
}

const seccompAnnotations: Check = (pod) => {
  const { annotations = {} } = pod.metadata;
  const keys = [seccompPodAnnotation, ...containersOf(pod).map(({ name }) => `${seccompContainerAnnotation}${name}`)];
  const bad = keys.filter((key) => {
    const value = annotations[key];
    return value !== undefined && !["runtime/default", "docker/default"].includes(value) && !isLocalhost(value);
  });
  if (bad.length === 0) return undefined;
  const told = distinct(bad.map((key) => `${key}=${JSON.stringify(annotations[key])}`));
  return { reason: "seccompProfile", detail: `forbidden ${plural("annotation", told.length)} ${told.join(", ")}` };
};

function isLocalhost(value: string): boolean {
  return value.startsWith("localhost/");
}

/** Who sets a seccomp profile that is none, at either level. */
export function wrongSeccomp(pod: PodLike): Violation | undefined {
  const own = pod.spec.securityContext?.seccompProfile;
  const isBad = (profile: { type?: string } | undefined) => profile !== undefined && !knownProfiles.has(profile.type);
  const who = setters(
    isBad(own),
    namesWhere(pod, ({ securityContext }) => isBad(securityContext?.seccompProfile)),
  );
  if (who === "") return undefined;
  const all = [own, ...containersOf(pod).map(({ securityContext }) => securityContext?.seccompProfile)];
  const values = distinct(all.filter(isBad).map((each) => each?.type ?? ""));
  return {
    reason: "seccompProfile",
    detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(values)}`,
  };
}

function sysctls(safe: readonly string[]): Check {
  return ({ spec }) => {
    const bad = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safe.includes(name));
    return bad.length === 0 ? undefined : { reason: "forbidden sysctls", detail: bad.join(", ") };
  };
}

const hostProcess: Check = (pod) => {
  const who = setters(
    pod.spec.securityContext?.windowsOptions?.hostProcess === true,
    namesWhere(pod, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true),
  );
  if (who === "") return undefined;
  return { reason: "hostProcess", detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` };
};

/** All of the baseline level, in the order in which violations are told: by id. */
export const baselineControls: readonly Control[] = [
  { id: "appArmorProfile", level: "baseline", versions: [[0, appArmor]] },
  { id: "capabilities_baseline", level: "baseline", versions: [[0, addedCapabilities]] },
  { id: "hostNamespaces", level: "baseline", versions: [[0, hostNamespaces]] },
  { id: "hostPathVolumes", level: "baseline", versions: [[0, hostPaths]] },
  { id: "hostPorts", level: "baseline", versions: [[0, hostPorts]] },
  { id: "hostProbesAndHostLifecycle", level: "baseline", versions: [[34, probeHosts]] },
  { id: "privileged", level: "baseline", versions: [[0, privileged]] },
  {
    id: "procMount",
    level: "baseline",
    versions: [
      [0, procMount],
      [35, unlessUserNamespace(procMount)],
    ],
  },
  {
    id: "seLinuxOptions",
    level: "baseline",
    versions: [
      [0, seLinux(seLinuxTypes0)],
      [31, seLinux([...seLinuxTypes0, "container_engine_t"])],
    ],
  },
  {
    id: "seccompProfile_baseline",
    level: "baseline",
    versions: [
      [0, seccompAnnotations],
      [19, wrongSeccomp],
    ],
  },
  {
    id: "sysctls",
    level: "baseline",
    versions: [
      [0, sysctls(sysctls0)],
      [27, sysctls(sysctls27)],
      [29, sysctls(sysctls29)],
      [32, sysctls(sysctls32)],
    ],
  },
  { id: "windowsHostProcess", level: "baseline", versions: [[0, hostProcess]] },
];
