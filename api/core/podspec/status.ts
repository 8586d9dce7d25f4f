/** What a pod's status may become. Source: pkg/apis/core/validation (ValidatePodStatusUpdate) */
import { nameRules, qualifiedNameErrors } from "@atoll/machinery/names";
import type { ContainerStatus, Pod, PodStatus } from "../../builtin/core/v1.types.ts";
import { ipErrors } from "./dns.ts";
import type { Place } from "./place.ts";

const systemConditions: ReadonlySet<string> = new Set(["PodScheduled", "Ready", "Initialized"]);

/** `root` is the pod's own place. */
export function checkPodStatus(pod: Pod, old: Pod, root: Place): void {
  const { status } = pod;
  // Upstream reports conditions at the metadata.
  for (const [i, { type }] of (status.conditions ?? []).entries()) {
    if (!systemConditions.has(type))
      root.child("metadata").item("conditions", i).each("Type", type, qualifiedNameErrors(type));
  }
  const at = root.child("status");
  const { nominatedNodeName: node, qosClass } = status;
  if (node && node !== old.status.nominatedNodeName) {
    at.each("nominatedNodeName", node, nameRules.dnsSubdomain(node, false));
  }
  if (qosClass !== old.status.qosClass) at.invalid("qosClass", qosClass ?? "", "field is immutable");
  checkTransitions(pod, old, at);
  checkClaimStatuses(pod, at);
  checkIps(status, at);
  checkUsers(pod, at);
}

/** What is over stays over, where nothing starts it again. */
function checkTransitions({ status }: Pod, old: Pod, at: Place): void {
  const { restartPolicy, initContainers = [] } = old.spec;
  const sidecars = new Set(initContainers.filter((each) => each.restartPolicy === "Always").map(({ name }) => name));
  const lists = [
    ["containerStatuses", restartPolicy],
    ["initContainerStatuses", restartPolicy],
    ["ephemeralContainerStatuses", "Never"],
  ] as const;
  for (const [list, policy] of lists) {
    if (policy === "Always") continue;
    for (const [i, { name, state }] of (old.status[list] ?? []).entries()) {
      const { terminated } = state;
      const restarts = policy === "OnFailure" && terminated?.exitCode !== 0;
      if (terminated === undefined || restarts || sidecars.has(name)) continue;
      if (runsAgain(status[list], name)) {
        at.item(list, i).forbidden("state", "may not be transitioned to non-terminated state");
      }
    }
  }
}

function runsAgain(statuses: readonly ContainerStatus[] | undefined, name: string): boolean {
  return (statuses ?? []).some((status) => status.name === name && status.state.terminated === undefined);
}

function checkClaimStatuses({ spec, status }: Pod, at: Place): void {
  const seen = new Set<string>();
  for (const [i, { name, resourceClaimName }] of (status.resourceClaimStatuses ?? []).entries()) {
    const here = at.item("resourceClaimStatuses", i);
    if (spec.resourceClaims?.some((claim) => claim.name === name) !== true) {
      here.invalid("name", name, "must match the name of an entry in `spec.resourceClaims`");
    }
    if (seen.has(name)) here.duplicate("name", name);
    seen.add(name);
    if (resourceClaimName !== undefined)
      here.each("name", resourceClaimName, nameRules.dnsSubdomain(resourceClaimName, false));
  }
}

function checkIps({ podIPs = [], hostIPs = [], hostIP = "" }: PodStatus, at: Place): void {
  checkFamilies(podIPs, [at, "podIPs"]);
  const first = hostIPs[0]?.ip;
  if (first !== undefined && first !== hostIP) {
    at.item("hostIPs", 0).invalid("ip", first, "must be equal to `hostIP`");
  }
  checkFamilies(hostIPs, [at, "hostIPs"]);
}

/** At most one address of each family. */
function checkFamilies(addresses: readonly { ip: string }[], [at, field]: [Place, string]): void {
  const seen = new Set<string>();
  for (const [i, { ip }] of addresses.entries()) {
    at.item(field, i).each("", ip, ipErrors(ip));
    if (seen.has(ip)) at.item(field, i).duplicate("", { ip });
    seen.add(ip);
  }
  const families = new Set(addresses.map(({ ip }) => ip.includes(":")));
  if (addresses.length > 1 && (families.size < 2 || addresses.length > 2)) {
    at.invalid(field, addresses, "may specify no more than one IP for each IP family");
  }
}

const idMax = 2 ** 31 - 1;

function checkUsers({ spec, status }: Pod, at: Place): void {
  for (const list of ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const) {
    for (const [i, { user }] of (status[list] ?? []).entries()) {
      if (user?.linux === undefined) continue;
      const here = at.item(list, i);
      if (spec.os?.name === "windows") here.forbidden("linux", "cannot be set for a windows pod");
      else checkIds(user.linux, here.child("linux"));
    }
  }
}

function checkIds(
  { uid, gid, supplementalGroups = [] }: { uid: number; gid: number; supplementalGroups?: number[] },
  at: Place,
): void {
  const detail = `must be between 0 and ${idMax}, inclusive`;
  if (uid < 0 || uid > idMax) at.invalid("uid", uid, detail);
  if (gid < 0 || gid > idMax) at.invalid("gid", gid, detail);
  for (const [i, id] of supplementalGroups.entries()) {
    if (id < 0 || id > idMax) at.item("supplementalGroups", i).invalid("", id, detail);
  }
}
