/** Annotations that mean something on a pod. Source: pkg/apis/core/validation (ValidatePodSpecificAnnotations) */
import type { ObjectMeta } from "@atoll/machinery/object";
import type { AppArmorProfile, PodSpec, SeccompProfile } from "../../builtin/core/v1.types.ts";
import { type AnyContainer, containersOf } from "./defaults.ts";
import { checkDescending } from "./paths.ts";
import type { Place } from "./place.ts";

/** Marks the API's copy of a pod that a node made itself. */
export const mirrorKey = "kubernetes.io/config.mirror";
/** Start of the keys by which AppArmor profiles were chosen before there was a field. */
export const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";
const deletionCostKey = "controller.kubernetes.io/pod-deletion-cost";
const seccompPodKey = "seccomp.security.alpha.kubernetes.io/pod";
const seccompPrefix = "container.seccomp.security.alpha.kubernetes.io/";
const intMax = 2 ** 31;

/** `at` is the metadata's place, whose annotations are checked. */
export function checkPodAnnotations(meta: ObjectMeta, spec: PodSpec, at: Place): void {
  const { annotations } = meta;
  if (annotations === undefined) return;
  const mirror = annotations[mirrorKey];
  if (mirror !== undefined && !spec.nodeName) {
    at.entry("annotations", mirrorKey).invalid("", mirror, "must set spec.nodeName if mirror pod annotation is set");
  }
  checkDeletionCost(annotations[deletionCostKey], at);
  for (const [key, value] of Object.entries(annotations)) {
    if (key === seccompPodKey || key.startsWith(seccompPrefix)) checkSeccompName(value, at.child("annotations"), key);
    else if (key.startsWith(appArmorPrefix)) checkAppArmorKey(key, value, { spec, at });
  }
}

function checkDeletionCost(cost: string | undefined, at: Place): void {
  if (cost === undefined) return;
  const number = Number(cost);
  if (/^(0|-?[1-9]\d*)$/.test(cost) && number >= -intMax && number < intMax) return;
  at.entry("annotations", deletionCostKey).invalid("", cost, "must be a 32bit integer");
}

function checkSeccompName(name: string, at: Place, field: string): void {
  if (name === "runtime/default" || name === "docker/default" || name === "unconfined") return;
  if (name.startsWith("localhost/")) checkDescending(name.slice("localhost/".length), at, field);
  else at.invalid(field, name, "must be a valid seccomp profile");
}

function checkAppArmorKey(key: string, profile: string, { spec, at }: { spec: PodSpec; at: Place }): void {
  const here = at.entry("annotations", key);
  const container = key.slice(appArmorPrefix.length);
  if (![...containersOf(spec)].some(({ name }) => name === container)) {
    here.invalid("", container, "container not found");
  }
  if (["", "runtime/default", "unconfined"].includes(profile) || profile.startsWith("localhost/")) return;
  here.invalid("", profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`);
}

/** Annotation and field say the same where both speak. `at` is the specification's place. */
export function checkProfilesMatch(meta: ObjectMeta, spec: PodSpec, at: Place): void {
  const { annotations } = meta;
  if (annotations === undefined) return;
  const own = spec.securityContext?.seccompProfile;
  checkSame(annotations[seccompPodKey], own, { kind: "seccomp", at: at.child("securityContext") });
  for (const [list, containers] of listsOf(spec)) {
    for (const [i, { name, securityContext }] of containers.entries()) {
      const here = at.item(list, i).child("securityContext");
      const { seccompProfile } = securityContext ?? {};
      checkSame(annotations[seccompPrefix + name], seccompProfile, { kind: "seccomp", at: here });
      if (spec.os?.name === "windows") continue;
      const profile = securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
      checkSame(annotations[appArmorPrefix + name], profile, { kind: "apparmor", at: here });
    }
  }
}

function listsOf(spec: PodSpec): [string, readonly AnyContainer[]][] {
  return [
    ["initContainers", spec.initContainers ?? []],
    ["containers", spec.containers ?? []],
    ["ephemeralContainers", spec.ephemeralContainers ?? []],
  ];
}

function checkSame(
  name: string | undefined,
  profile: SeccompProfile | AppArmorProfile | undefined,
  { kind, at }: { kind: "seccomp" | "apparmor"; at: Place },
): void {
  if (name === undefined || profile === undefined) return;
  const here = at.child(kind === "seccomp" ? "seccompProfile" : "appArmorProfile");
  const expected: Readonly<Record<string, readonly string[]>> = {
    Unconfined: ["unconfined"],
    RuntimeDefault: kind === "seccomp" ? ["runtime/default", "docker/default"] : ["runtime/default"],
  };
  const local = profile.type === "Localhost";
  const same = local ? name.startsWith("localhost/") : (expected[profile.type]?.includes(name) ?? true);
  if (!same) here.forbidden("type", `${kind} type in annotation and field must match`);
  else if (local && name.slice("localhost/".length) !== profile.localhostProfile) {
    here.forbidden("localhostProfile", `${kind} profile in annotation and field must match`);
  }
}
