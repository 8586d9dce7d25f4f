/**
 * Pod Security: a namespace's labels say what its pods may be. Pods that may not are refused; what makes pods is only
 * warned about, for the pods are what counts; and who raises a namespace's level hears which pods are there already.
 * Source: k8s.io/pod-security-admission/admission
 */
import type { Pod } from "@atoll/api/builtin/core/v1.types";
import type { ApiObject } from "@atoll/machinery/object";
import type { Catalogue } from "../../registry/catalogue.ts";
import { invalid } from "../../registry/invalid.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { forbidden } from "../forbidden.ts";
import { templateOf, hasTemplate } from "../podtemplates.ts";
import { containersOf, type PodLike, type Violation } from "./controls.ts";
import { describe, formatLevel, isStricter, type LevelVersion, policyOf, sameLevel, violations } from "./levels.ts";

const maxPodsChecked = 3000;
const maxCheckMs = 1000;
const annotationPrefix = "pod-security.kubernetes.io/";
/** Subresources of a pod through which its spec cannot change. */
const harmless: ReadonlySet<string> = new Set([
  "exec",
  "attach",
  "binding",
  "eviction",
  "log",
  "portforward",
  "proxy",
  "status",
]);
/** The plugin; it reads namespaces and, when one is labelled, its pods. */
export function podSecurity(catalogue: Catalogue): AdmissionPlugin {
  return {
    name: "PodSecurity",
    handles({ kind, operation, subresource }) {
      if (operation !== "CREATE" && operation !== "UPDATE") return false;
      if (kind.group === "" && kind.plural === "pods") return !harmless.has(subresource);
      if (subresource !== "") return false;
      return hasTemplate(kind) || isNamespace(kind);
    },
    validate(request) {
      if (isNamespace(request.kind)) return judgeNamespace(catalogue, request);
      return judgePod(catalogue, request);
    },
  };
}

function isNamespace({ group, plural }: { readonly group: string; readonly plural: string }): boolean {
  return group === "" && plural === "namespaces";
}

function judgePod(catalogue: Catalogue, request: AdmissionRequest): void | Promise<void> {
  const namespaces = catalogue.resource("", "namespaces");
  if (namespaces === undefined) throw new TypeError("namespaces are not served");
  const entry = namespaces.cache.get(namespaces.key("", request.namespace));
  if (entry !== undefined) return judgeBy(namespaces.cache.object(entry).metadata.labels, request);
  // Another server may just have made it.
  return namespaces
    .get("", request.namespace)
    .then((found) => judgeBy(namespaces.cache.object(found).metadata.labels, request));
}

function judgeBy(labels: Readonly<Record<string, string>> | undefined, request: AdmissionRequest): void {
  const { policy, errors } = policyOf(labels);
  const isPod = request.kind.plural === "pods";
  const asked = [policy.audit, policy.warn, ...(isPod ? [policy.enforce] : [])];
  if (errors.ok && asked.every(({ level }) => level === "privileged")) return;
  const pod = isPod ? (request.object as unknown as Pod) : templateOf(request);
  if (pod === undefined || (isPod && !mayMatter(pod, request.old as unknown as Pod | undefined))) return;
  if (!errors.ok) {
    const told = errors.list.map(({ field, message }) => `${field}: ${message}`).join(", ");
    request.annotate(`${annotationPrefix}error`, `Failed to parse policy: ${told}`);
  }
  const audited = violations(pod, policy.audit);
  if (audited.length > 0) request.annotate(`${annotationPrefix}audit-violations`, would(policy.audit, audited));
  if (isPod) {
    request.annotate(`${annotationPrefix}enforce-policy`, formatLevel(policy.enforce));
    const found = violations(pod, policy.enforce);
    if (found.length > 0) {
      throw forbidden(request, `violates PodSecurity "${formatLevel(policy.enforce)}": ${describe(found)}`);
    }
  }
  const warned = violations(pod, policy.warn);
  if (warned.length > 0) request.warn(would(policy.warn, warned));
}

function would(level: LevelVersion, found: readonly Violation[]): string {
  return `would violate PodSecurity "${formatLevel(level)}": ${describe(found)}`;
}

/** Of a pod that exists, only images, ephemeral containers and old seccomp annotations can change. */
function mayMatter(pod: PodLike, old: PodLike | undefined): boolean {
  if (old === undefined) return true;
  const signature = (each: PodLike) => [
    each.metadata.annotations?.["seccomp.security.alpha.kubernetes.io/pod"],
    ...containersOf(each).flatMap(({ name, image }) => [
      name,
      image,
      each.metadata.annotations?.[`container.seccomp.security.alpha.kubernetes.io/${name}`],
    ]),
  ];
  return JSON.stringify(signature(pod)) !== JSON.stringify(signature(old));
}

async function judgeNamespace(catalogue: Catalogue, request: AdmissionRequest): Promise<void> {
  const { kind, object, old, operation } = request;
  const name = object?.metadata.name ?? "";
  const { policy, errors } = policyOf(object?.metadata.labels);
  const before = policyOf(old?.metadata.labels);
  // Labels that were wrong before may stay so, lest nothing else could be changed.
  const isNew = operation === "CREATE" || JSON.stringify(errors.list) !== JSON.stringify(before.errors.list);
  if (!errors.ok && isNew) throw invalid(kind, name, errors);
  if (operation === "CREATE") return;
  const wanted = policy.enforce;
  const had = before.policy.enforce;
  if (sameLevel(wanted, had) || wanted.level === "privileged") return;
  if (wanted.version === had.version && !isStricter(wanted.level, had.level)) return;
  for (const warning of await warningsOf(catalogue, name, wanted)) request.warn(warning);
}

/** What to say about the pods that are in a namespace already. */
async function warningsOf(catalogue: Catalogue, namespace: string, level: LevelVersion): Promise<readonly string[]> {
  const pods = catalogue.resource("", "pods");
  if (pods === undefined) return [];
  await pods.cache.loaded();
  const entries = pods.cache.range(pods.prefix(namespace));
  const until = performance.now() + maxCheckMs;
  const names = new Map<string, string[]>();
  let checked = 0;
  for (const entry of entries.slice(0, maxPodsChecked)) {
    if (performance.now() > until) break;
    const pod: ApiObject = pods.cache.object(entry);
    checked++;
    const reasons = violations(pod as unknown as Pod, level).map(({ reason }) => reason);
    if (reasons.length === 0) continue;
    const told = reasons.join(", ");
    names.set(told, [...(names.get(told) ?? []), pod.metadata.name ?? ""]);
  }
  return [
    ...(checked < entries.length
      ? [`new PodSecurity enforce level only checked against the first ${checked} of ${entries.length} existing pods`]
      : []),
    ...(names.size > 0
      ? [`existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${formatLevel(level)}"`]
      : []),
    ...[...names].map(([reasons, who]) => `${who[0]}${others(who.length - 1)}: ${reasons}`).sort(),
  ];
}

function others(count: number): string {
  if (count === 0) return "";
  return ` (and ${count} other ${count === 1 ? "pod" : "pods"})`;
}
