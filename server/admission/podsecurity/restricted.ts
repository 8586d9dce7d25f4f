/**
 * The controls that the restricted level adds: what hardened pods do without.
 * Source: k8s.io/pod-security-admission/policy/check_*.go of 1.36
 */
import { restrictedVolumes } from "@atoll/api/core/podstandards";
import { procMount, unlessUserNamespace, wrongSeccomp } from "./baseline.ts";
import {
  type Check,
  type Control,
  containers,
  containersOf,
  distinct,
  namesWhere,
  plural,
  quoted,
  setters,
} from "./controls.ts";

const privilegeEscalation: Check = (pod) => {
  const names = namesWhere(pod, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  return {
    reason: "allowPrivilegeEscalation != false",
    detail: `${containers(names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

const capabilities: Check = (pod) => {
  const keeping = namesWhere(pod, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes("ALL"));
  const added = containersOf(pod).map(({ name, securityContext }) => ({
    name,
    values: (securityContext?.capabilities?.add ?? []).filter((each) => each !== "NET_BIND_SERVICE"),
  }));
  const adding = added.filter(({ values }) => values.length > 0);
  const told = [];
  if (keeping.length > 0) told.push(`${containers(keeping)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length > 0) {
    const values = quoted(distinct(adding.flatMap((each) => each.values)));
    const who = containers(adding.map(({ name }) => name));
    told.push(`${who} must not include ${values} in securityContext.capabilities.add`);
  }
  return told.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: told.join("; ") };
};

const volumes: Check = ({ spec }) => {
  const bad = (spec.volumes ?? []).flatMap(({ name, ...source }) => {
    const types = Object.keys(source).filter((type) => (source as Record<string, unknown>)[type] !== undefined);
    if (types.some((type) => restrictedVolumes.includes(type))) return [];
    return [{ name, type: types[0] ?? "unknown" }];
  });
  if (bad.length === 0) return undefined;
  const types = distinct(bad.map(({ type }) => type));
  const names = quoted(bad.map(({ name }) => name));
  const use = bad.length === 1 ? "uses" : "use";
  return {
    reason: "restricted volume types",
    detail: `${plural("volume", bad.length)} ${names} ${use} ${plural("restricted volume type", types.length)} ${quoted(types)}`,
  };
};

const nonRoot: Check = (pod) => {
  const reason = "runAsNonRoot != true";
  const own = pod.spec.securityContext?.runAsNonRoot;
  const who = setters(
    own === false,
    namesWhere(pod, ({ securityContext }) => securityContext?.runAsNonRoot === false),
  );
  if (who !== "") return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  if (own === true) return undefined;
  const silent = namesWhere(pod, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${containers(silent)} must set securityContext.runAsNonRoot=true` };
};

const user: Check = (pod) => {
  const who = setters(
    pod.spec.securityContext?.runAsUser === 0,
    namesWhere(pod, ({ securityContext }) => securityContext?.runAsUser === 0),
  );
  return who === "" ? undefined : { reason: "runAsUser=0", detail: `${who} must not set runAsUser=0` };
};

const seccomp: Check = (pod) => {
  const wrong = wrongSeccomp(pod);
  if (wrong !== undefined || pod.spec.securityContext?.seccompProfile !== undefined) return wrong;
  const silent = namesWhere(pod, ({ securityContext }) => securityContext?.seccompProfile === undefined);
  if (silent.length === 0) return undefined;
  return {
    reason: "seccompProfile",
    detail: `pod or ${containers(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};

/** Windows has none of these, and says so by its name. */
function unlessWindows(check: Check): Check {
  return (pod) => (pod.spec.os?.name === "windows" ? undefined : check(pod));
}

/** All that the restricted level adds, in the order in which violations are told: by id. */
export const restrictedControls: readonly Control[] = [
  {
    id: "allowPrivilegeEscalation",
    level: "restricted",
    versions: [
      [8, privilegeEscalation],
      [25, unlessWindows(privilegeEscalation)],
    ],
  },
  {
    id: "capabilities_restricted",
    level: "restricted",
    overrides: ["capabilities_baseline"],
    versions: [
      [22, capabilities],
      [25, unlessWindows(capabilities)],
    ],
  },
  { id: "procMount_restricted", level: "restricted", overrides: ["procMount"], versions: [[35, procMount]] },
  { id: "restrictedVolumes", level: "restricted", overrides: ["hostPathVolumes"], versions: [[0, volumes]] },
  {
    id: "runAsNonRoot",
    level: "restricted",
    versions: [
      [0, nonRoot],
      [35, unlessUserNamespace(nonRoot)],
    ],
  },
  {
    id: "runAsUser",
    level: "restricted",
    versions: [
      [23, user],
      [35, unlessUserNamespace(user)],
    ],
  },
  {
    id: "seccompProfile_restricted",
    level: "restricted",
    overrides: ["seccompProfile_baseline"],
    versions: [
      [19, seccomp],
      [25, unlessWindows(seccomp)],
    ],
  },
];
