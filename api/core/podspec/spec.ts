/** A pod's specification, in a pod or in the template of some. Source: pkg/apis/core/validation (ValidatePodSpec) */
import { nameRules, qualifiedNameErrors } from "@atoll/machinery/names";
import { checkLabels } from "@atoll/machinery/objectmeta";
import type { PodSpec } from "../../builtin/core/v1.types.ts";
import { checkAffinity } from "./affinity.ts";
import { checkContainers } from "./containers.ts";
import { checkNames } from "./dns.ts";
import type { Place } from "./place.ts";
import { checkPodClaims, checkPodResources } from "./podresources.ts";
import { checkNodeNetwork } from "./ports.ts";
import { checkResources } from "./resources.ts";
import { checkSchedulingGates, checkSpreading, checkTolerations } from "./scheduling.ts";
import { checkPodSecurityContext } from "./security.ts";
import { checkVolumes } from "./volumes.ts";
import { checkHostProcess, checkOs } from "./windows.ts";

const none: readonly never[] = [];
const restartPolicies = ["Always", "Never", "OnFailure"];
const preemptions = ["Never", "PreemptLowerPriority"];
const deadlineMax = 2 ** 31 - 1;

/** Whose specification it is. */
export interface SpecOwner {
  /** A pod itself, not the template of some. */
  readonly pod: boolean;
  /** The pod's name, when it has one already. */
  readonly name?: string | undefined;
}

/** All rules within a specification. */
export function checkPodSpec(spec: PodSpec, at: Place, { pod, name }: SpecOwner): void {
  if (spec.terminationGracePeriodSeconds === undefined) at.required("terminationGracePeriodSeconds");
  const volumes = checkVolumes(spec.volumes ?? none, at, name);
  const claims = checkPodClaims(spec.resourceClaims ?? none, at);
  checkContainers({ spec, volumes, claims, pod }, at);
  if (spec.resources !== undefined) checkPodResources(spec, spec.resources, at.child("resources"));
  if (spec.hostNetwork === true) checkNodeNetwork(spec.containers ?? none, at, { pod });
  at.oneOf("restartPolicy", spec.restartPolicy, restartPolicies);
  checkNames(spec, at);
  if (spec.securityContext !== undefined) {
    checkPodSecurityContext(spec.securityContext, spec, at.child("securityContext"));
  }
  checkPlacement(spec, at);
  checkHostProcess(spec, at);
  checkHostUsers(spec, at);
  checkReferences(spec, at);
  if (spec.os !== undefined) checkOs(spec, at);
}

/** Where it may run. */
function checkPlacement(spec: PodSpec, at: Place): void {
  if (spec.nodeSelector !== undefined) checkLabels(spec.nodeSelector, at.path.child("nodeSelector"), at.errors);
  if (spec.affinity !== undefined) checkAffinity(spec.affinity, at.child("affinity"));
  for (const [i, { conditionType }] of (spec.readinessGates ?? none).entries()) {
    at.item("readinessGates", i).each("conditionType", conditionType, qualifiedNameErrors(conditionType));
  }
  checkSchedulingGates(spec.schedulingGates ?? none, at);
  checkSpreading(spec.topologySpreadConstraints ?? none, at);
  checkTolerations(spec.tolerations ?? none, at);
  const { activeDeadlineSeconds: deadline } = spec;
  if (deadline !== undefined && (deadline < 1 || deadline > deadlineMax)) {
    at.invalid("activeDeadlineSeconds", deadline, `must be between 1 and ${deadlineMax}, inclusive`);
  }
}

const names = ["serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"] as const;

/** Names of other objects. */
function checkReferences(spec: PodSpec, at: Place): void {
  for (const field of names) {
    const name = spec[field];
    // A class that is named has a name; the others may be left empty.
    if (name || (name === "" && field === "runtimeClassName"))
      at.each(field, name, nameRules.dnsSubdomain(name, false));
  }
  const { preemptionPolicy, overhead } = spec;
  if (preemptionPolicy !== undefined) at.oneOf("preemptionPolicy", preemptionPolicy, preemptions);
  if (overhead !== undefined) checkOverhead(overhead, at.child("overhead"));
}

/** Upstream checks it as limits, and reports it so. */
function checkOverhead(overhead: Record<string, string>, at: Place): void {
  checkResources({ limits: overhead }, { claims: new Set() }, at);
}

/** A pod with users of its own has its own other name spaces, too. */
function checkHostUsers(spec: PodSpec, at: Place): void {
  if (spec.hostUsers !== false) return;
  const why = "when `hostUsers` is false";
  if (spec.hostNetwork === true) at.forbidden("hostNetwork", why);
  if (spec.hostPID === true) at.forbidden("HostPID", why);
  if (spec.hostIPC === true) at.forbidden("HostIPC", why);
}
