/** Pods on Windows and what they must not say; Atoll's nodes run Linux, but the API takes them. Source: pkg/apis/core/validation (validateWindows, validateOS) */
import { dns1123SubdomainErrors } from "@atoll/machinery/names";
import type { PodSpec, SecurityContext, WindowsSecurityContextOptions } from "../../builtin/core/v1.types.ts";
import type { AnyContainer } from "./defaults.ts";
import type { Place } from "./place.ts";

const specMaxKiB = 64;
const domainMax = 256;
const userMax = 104;
const netBios = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const dnsLabel = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const dnsName = new RegExp(`^${dnsLabel}(?:\\.${dnsLabel})*$`);

/** Options of a container or pod. */
export function checkWindowsOptions(options: WindowsSecurityContextOptions, at: Place): void {
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName } = options;
  if (name !== undefined) at.each("gmsaCredentialSpecName", name, dns1123SubdomainErrors(name));
  if (spec === "") at.invalid("gmsaCredentialSpec", spec, "gmsaCredentialSpec cannot be an empty string");
  else if (spec !== undefined && spec.length > specMaxKiB * 1024) {
    at.invalid("gmsaCredentialSpec", spec, `gmsaCredentialSpec size must be under ${specMaxKiB} KiB`);
  }
  if (runAsUserName !== undefined) at.each("runAsUserName", runAsUserName, userNameErrors(runAsUserName));
}

function userNameErrors(text: string): string[] {
  if (text === "") return ["runAsUserName cannot be an empty string"];
  if (/[\x00-\x1f\x7f]/.test(text)) return ["runAsUserName cannot contain control characters"];
  const parts = text.split("\\");
  if (parts.length > 2) return ["runAsUserName cannot contain more than one backslash"];
  const user = parts[parts.length - 1] ?? "";
  return [...(parts.length === 2 ? domainErrors(parts[0] ?? "") : []), ...userErrors(user)];
}

function domainErrors(domain: string): string[] {
  const errors =
    domain.length >= domainMax ? [`runAsUserName's Domain length must be under ${domainMax} characters`] : [];
  if (!netBios.test(domain) && !dnsName.test(domain)) {
    errors.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  return errors;
}

function userErrors(user: string): string[] {
  const errors: string[] = [];
  if (user === "") errors.push("runAsUserName's User cannot be empty");
  if (user.length > userMax) errors.push(`runAsUserName's User length must not be longer than ${userMax} characters`);
  if (/^[. ]+$/.test(user)) errors.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    errors.push(`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`);
  }
  return errors;
}

const containerLists = ["initContainers", "containers", "ephemeralContainers"] as const;

function* placed(spec: PodSpec, at: Place): Generator<{ container: AnyContainer; at: Place }> {
  for (const list of containerLists) {
    for (const [i, container] of (spec[list] ?? []).entries()) yield { container, at: at.item(list, i) };
  }
}

/** Host processes: all containers or none, and on the host's network. */
export function checkHostProcess(spec: PodSpec, at: Place): void {
  const own = spec.securityContext?.windowsOptions?.hostProcess;
  let count = 0;
  let all = true;
  for (const { container, at: here } of placed(spec, at)) {
    const set = container.securityContext?.windowsOptions?.hostProcess;
    if (own !== undefined && set !== undefined && own !== set) {
      const detail = `pod hostProcess value must be identical if both are specified, was ${own}`;
      here.child("securityContext").child("windowsOptions").invalid("hostProcess", set, detail);
    }
    if (set ?? own ?? false) count++;
    else all = false;
  }
  if (count === 0) return;
  if (!all) {
    at.invalid("", "", "If pod contains any hostProcess containers then all containers must be HostProcess containers");
  }
  if (spec.hostNetwork !== true) {
    at.invalid("hostNetwork", false, "hostNetwork must be true if pod contains any hostProcess containers");
  }
}

const systems = ["linux", "windows"];

/** The system a pod says it is for, and the fields that the other one has. */
export function checkOs(spec: PodSpec, at: Place): void {
  const name = spec.os?.name;
  if (name === undefined) return;
  if (name === "") return at.child("os").required("name", "cannot be empty");
  if (name === "linux") return checkLinux(spec, at);
  if (name === "windows") return checkWindows(spec, at);
  at.notSupported("os", name, systems);
}

function checkLinux(spec: PodSpec, at: Place): void {
  const why = "windows options cannot be set for a linux pod";
  if (spec.securityContext?.windowsOptions !== undefined) at.child("securityContext").forbidden("windowsOptions", why);
  for (const { container, at: here } of placed(spec, at)) {
    if (container.securityContext?.windowsOptions === undefined) continue;
    here.child("securityContext").forbidden("windowsOptions", why);
  }
}

const podFields = ["resources", "hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"] as const;
const podContextFields = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "fsGroup",
  "fsGroupChangePolicy",
  "sysctls",
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seLinuxChangePolicy",
] as const;
const contextFields: readonly (keyof SecurityContext)[] = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
];

function checkWindows(spec: PodSpec, at: Place): void {
  const why = "cannot be set for a windows pod";
  const { securityContext } = spec;
  for (const field of podFields) {
    const host = field === "hostPID" || field === "hostIPC";
    if (host ? spec[field] === true : spec[field] !== undefined) at.forbidden(field, why);
  }
  for (const field of podContextFields) {
    if (securityContext?.[field] !== undefined) at.child("securityContext").forbidden(field, why);
  }
  for (const { container, at: here } of placed(spec, at)) {
    for (const field of contextFields) {
      if (container.securityContext?.[field] !== undefined) here.child("securityContext").forbidden(field, why);
    }
  }
}
