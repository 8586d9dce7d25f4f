/**
 * Containers: what all have in common, and what ordinary, init and ephemeral ones may not say.
 * Source: pkg/apis/core/validation (validateContainers, validateInitContainers, validateEphemeralContainers)
 */
import { dns1123LabelErrors } from "@atoll/machinery/names";
import type {
  Container,
  ContainerResizePolicy,
  EphemeralContainer,
  PodSpec,
  Volume,
} from "../../builtin/core/v1.types.ts";
import type { AnyContainer } from "./defaults.ts";
import { checkEnv, checkEnvFrom } from "./env.ts";
import { checkMounts } from "./mounts.ts";
import type { Place } from "./place.ts";
import { checkHostPorts, checkPorts } from "./ports.ts";
import { checkProbes } from "./probes.ts";
import { checkResources } from "./resources.ts";
import { checkContainerRestart } from "./restart.ts";
import { checkSecurityContext } from "./security.ts";

/** What containers refer to in their pod. */
export interface Pod {
  readonly spec: PodSpec;
  /** Volumes that are sound, by name. */
  readonly volumes: ReadonlyMap<string, Volume>;
  /** Names of the pod's resource claims. */
  readonly claims: ReadonlySet<string>;
  /** A pod itself, not the template of some. */
  readonly pod: boolean;
}

const messagePolicies = ["FallbackToLogsOnError", "File"];
const pullPolicies = ["Always", "IfNotPresent", "Never"];

/** Every container of a pod; `at` is the specification's place. */
export function checkContainers(pod: Pod, at: Place): void {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  checkOrdinary(containers ?? [], pod, at);
  for (const [i, container] of initContainers.entries()) {
    const here = at.item("initContainers", i);
    checkCommon(container, pod, here);
    checkInit(container, pod, here);
    checkHostPorts([container], at, "initContainers");
  }
  checkInitNames(containers ?? [], initContainers, at);
  if (ephemeralContainers.length > 0) checkEphemeral(ephemeralContainers, pod, at);
}

function checkOrdinary(containers: readonly Container[], pod: Pod, at: Place): void {
  if (containers.length === 0) return at.required("containers");
  const names = new Set<string>();
  for (const [i, container] of containers.entries()) {
    const here = at.item("containers", i);
    checkCommon(container, pod, here);
    if (names.has(container.name)) here.duplicate("name", container.name);
    names.add(container.name);
    checkProbes(container, pod.spec.terminationGracePeriodSeconds, here);
    checkContainerRestart(container, here);
  }
  checkHostPorts(containers, at, "containers");
}

function checkCommon(container: AnyContainer, pod: Pod, at: Place): void {
  const { name, image } = container;
  const nameErrors = name === "" ? [] : dns1123LabelErrors(name);
  if (name === "") at.required("name");
  else if (nameErrors.length > 0) at.each("name", name, nameErrors);
  if (!image) at.required("image");
  else if (pod.pod && image.trim() !== image) {
    at.invalid("image", image, "must not have leading or trailing whitespace");
  }
  at.oneOf("terminationMessagePolicy", container.terminationMessagePolicy, messagePolicies);
  at.oneOf("imagePullPolicy", container.imagePullPolicy, pullPolicies);
  checkLists(container, pod, at);
}

function checkLists(container: AnyContainer, pod: Pod, at: Place): void {
  const { ports, env, envFrom, resources, securityContext, resizePolicy } = container;
  if (ports !== undefined) checkPorts(ports, at);
  if (env !== undefined) checkEnv(env, at);
  if (envFrom !== undefined) checkEnvFrom(envFrom, at);
  checkMounts(container, pod.volumes, at);
  checkResources(resources, { claims: pod.claims }, at.child("resources"));
  if (resizePolicy !== undefined) checkResizePolicy(resizePolicy, pod.spec.restartPolicy ?? "", at);
  if (securityContext !== undefined) {
    checkSecurityContext(securityContext, pod.spec.hostUsers !== false, at.child("securityContext"));
  }
}

const resizable = ["cpu", "memory"];
const resizeRestarts = ["NotRequired", "RestartContainer"];

/** Upstream reports most of it at the list. */
function checkResizePolicy(policies: readonly ContainerResizePolicy[], podRestart: string, at: Place): void {
  const seen = new Set<string>();
  for (const [i, { resourceName, restartPolicy }] of policies.entries()) {
    if (seen.has(resourceName)) at.item("resizePolicy", i).duplicate("", resourceName);
    seen.add(resourceName);
    at.oneOf("resizePolicy", resourceName, resizable);
    at.oneOf("resizePolicy", restartPolicy, resizeRestarts);
    if (podRestart === "Never" && restartPolicy !== "NotRequired") {
      at.invalid("resizePolicy", restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'");
    }
  }
}

const sidecarFields = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const;

/** Only a sidecar, an init container that stays, may be probed. */
function checkInit(container: Container, { spec }: Pod, at: Place): void {
  checkContainerRestart(container, at);
  if (container.restartPolicy === "Always") return checkProbes(container, spec.terminationGracePeriodSeconds, at);
  for (const field of sidecarFields) {
    if (container[field] === undefined) continue;
    at.forbidden(field, "may not be set for init containers without restartPolicy=Always");
  }
}

function checkInitNames(containers: readonly Container[], inits: readonly Container[], at: Place): void {
  if (inits.length === 0) return;
  const names = new Set(containers.map(({ name }) => name));
  for (const [i, { name }] of inits.entries()) {
    if (names.has(name)) at.item("initContainers", i).duplicate("name", name);
    else if (name !== "") names.add(name);
  }
}

const ephemeralFields: ReadonlySet<string> = new Set([
  "name",
  "image",
  "command",
  "args",
  "workingDir",
  "env",
  "envFrom",
  "volumeMounts",
  "volumeDevices",
  "terminationMessagePath",
  "terminationMessagePolicy",
  "imagePullPolicy",
  "securityContext",
  "stdin",
  "stdinOnce",
  "tty",
  "targetContainerName",
]);
const notEphemeral = "cannot be set for an Ephemeral Container";

function checkEphemeral(ephemeral: readonly EphemeralContainer[], pod: Pod, at: Place): void {
  const others = new Set([...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(others);
  for (const [i, container] of ephemeral.entries()) {
    const here = at.item("ephemeralContainers", i);
    checkCommon(container, { ...pod, pod: true }, here);
    if (names.has(container.name)) here.duplicate("name", container.name);
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !others.has(target)) here.notFound("targetContainerName", target);
    for (const [field, value] of Object.entries(container)) {
      if (!ephemeralFields.has(field) && isSet(value)) here.forbidden(field, notEphemeral);
    }
    for (const [j, { subPath, subPathExpr }] of (container.volumeMounts ?? []).entries()) {
      if (subPath) here.item("volumeMounts", j).forbidden("subPath", notEphemeral);
      if (subPathExpr) here.item("volumeMounts", j).forbidden("subPathExpr", notEphemeral);
    }
  }
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  return typeof value !== "object" || Array.isArray(value) || Object.keys(value).length > 0;
}
