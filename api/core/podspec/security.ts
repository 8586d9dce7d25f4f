/** Security contexts. Source: pkg/apis/core/validation (ValidateSecurityContext, validatePodSpecSecurityContext) */
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from "../../builtin/core/v1.types.ts";
import { checkDescending } from "./paths.ts";
import type { Place } from "./place.ts";
import { checkWindowsOptions } from "./windows.ts";

const idMax = 2 ** 31 - 1;
const procMounts = ["Default", "Unmasked"];
const profileTypes = ["Localhost", "RuntimeDefault", "Unconfined"];
const profileMax = 4095;

/** A user or group that is there. */
function checkId(id: number | undefined, at: Place, field: string): void {
  if (id !== undefined && (id < 0 || id > idMax)) {
    at.invalid(field, id, `must be between 0 and ${idMax}, inclusive`);
  }
}

/** A container's. @param hostUsers whether the pod shares the host's user names */
export function checkSecurityContext(context: SecurityContext, hostUsers: boolean, at: Place): void {
  checkId(context.runAsUser, at, "runAsUser");
  checkId(context.runAsGroup, at, "runAsGroup");
  const { procMount } = context;
  if (procMount !== undefined && !procMounts.includes(procMount)) at.notSupported("procMount", procMount, procMounts);
  if (procMount === "Unmasked" && hostUsers) {
    at.invalid("procMount", procMount, "`hostUsers` must be false to use `Unmasked`");
  }
  checkEscalation(context, at);
  checkProfiles(context, at);
}

function checkEscalation(context: SecurityContext, at: Place): void {
  if (context.allowPrivilegeEscalation !== false) return;
  if (context.privileged === true) {
    at.invalid("", context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  }
  if (context.capabilities?.add?.includes("CAP_SYS_ADMIN") === true) {
    at.invalid("", context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
  }
}

function checkProfiles(context: SecurityContext | PodSecurityContext, at: Place): void {
  const { seccompProfile, windowsOptions, appArmorProfile } = context;
  if (seccompProfile !== undefined) checkSeccomp(seccompProfile, at.child("seccompProfile"));
  if (windowsOptions !== undefined) checkWindowsOptions(windowsOptions, at.child("windowsOptions"));
  if (appArmorProfile !== undefined) checkAppArmor(appArmorProfile, at.child("appArmorProfile"));
}

function checkSeccomp(profile: SeccompProfile, at: Place): void {
  const { type, localhostProfile } = profile;
  if (type === "") at.required("type", "type is required when seccompProfile is set");
  else if (!profileTypes.includes(type)) at.notSupported("type", type, profileTypes);
  if (type !== "Localhost") {
    if (localhostProfile !== undefined) {
      at.invalid("localhostProfile", profile, "can only be set when seccomp type is Localhost");
    }
  } else if (localhostProfile === undefined) {
    at.required("localhostProfile", "must be set when seccomp type is Localhost");
  } else checkDescending(localhostProfile, at, "localhostProfile");
}

/** A profile of AppArmor's. Source: ValidateAppArmorProfileField */
function checkAppArmor({ type, localhostProfile }: AppArmorProfile, at: Place): void {
  if (type === "Localhost") return checkAppArmorName(localhostProfile, at);
  if (type === "") at.required("type", "type is required when appArmorProfile is set");
  else if (!profileTypes.includes(type)) at.notSupported("type", type, profileTypes);
  else if (localhostProfile !== undefined) {
    at.invalid("localhostProfile", localhostProfile, "can only be set when AppArmor type is Localhost");
  }
}

function checkAppArmorName(name: string | undefined, at: Place): void {
  const field = "localhostProfile";
  const missing = "must be set when AppArmor type is Localhost";
  if (name === undefined) return at.required(field, missing);
  if (name.trim() !== name) at.invalid(field, name, "must not be padded with whitespace");
  else if (name === "") at.required(field, missing);
  if (name.length > profileMax) at.tooLong(field, profileMax);
}

const changePolicies = ["Always", "OnRootMismatch"];
const groupPolicies = ["Merge", "Strict"];
const seLinuxPolicies = ["MountOption", "Recursive"];

/** The pod's. */
export function checkPodSecurityContext(context: PodSecurityContext, spec: PodSpec, at: Place): void {
  checkId(context.fsGroup, at, "fsGroup");
  checkId(context.runAsUser, at, "runAsUser");
  checkId(context.runAsGroup, at, "runAsGroup");
  for (const [i, id] of (context.supplementalGroups ?? []).entries()) {
    if (id < 0 || id > idMax) checkId(id, at.item("supplementalGroups", i), "");
  }
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    at.invalid("shareProcessNamespace", true, "ShareProcessNamespace and HostPID cannot both be enabled");
  }
  if (context.sysctls !== undefined) checkSysctls(context.sysctls, spec, at);
  checkChoice(context.fsGroupChangePolicy, changePolicies, [at, "fsGroupChangePolicy"]);
  checkProfiles(context, at);
  checkChoice(context.supplementalGroupsPolicy, groupPolicies, [at, "supplementalGroupsPolicy"]);
  checkChoice(context.seLinuxChangePolicy, seLinuxPolicies, [at, "seLinuxChangePolicy"]);
}

function checkChoice(value: string | undefined, choices: readonly string[], [at, field]: [Place, string]): void {
  if (value !== undefined && !choices.includes(value)) at.notSupported(field, value, choices);
}

const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlMax = 253;

function checkSysctls(sysctls: readonly { name: string }[], spec: PodSpec, at: Place): void {
  const names = new Set<string>();
  for (const [i, { name }] of sysctls.entries()) {
    const here = at.item("sysctls", i);
    if (name === "") here.required("name");
    else if (name.length > sysctlMax || !sysctlName.test(name)) {
      here.invalid("name", name, `must have at most ${sysctlMax} characters and match regex ${sysctlName.source}`);
    } else if (names.has(name)) here.duplicate("name", name);
    names.add(name);
    const space = sysctlSpace(name);
    if (spec.hostNetwork === true && space === "net") {
      here.invalid("name", name, "may not be specified when 'hostNetwork' is true");
    } else if (spec.hostIPC === true && space === "ipc") {
      here.invalid("name", name, "may not be specified when 'hostIPC' is true");
    }
  }
}

const ipcNames: ReadonlySet<string> = new Set(["kernel.sem", "kernel.shm_rmid_forced"]);

/** The kernel's name space a setting belongs to. Source: k8s.io/component-helpers/node/util/sysctl */
function sysctlSpace(name: string): "ipc" | "net" | undefined {
  const dotted = name.replaceAll("/", ".");
  if (dotted.startsWith("net.")) return "net";
  const ipc = ["kernel.shm", "kernel.msg", "fs.mqueue."].some((prefix) => dotted.startsWith(prefix));
  return ipc || ipcNames.has(dotted) ? "ipc" : undefined;
}
