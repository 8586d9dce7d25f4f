/**
 * A Deployment's ReplicaSets: which makes the Pods it wants now, which did before, and the annotations by which they
 * are told apart and taken back to.
 * Source: k8s.io/kubernetes/pkg/controller/deployment/util/deployment_util.go
 */
import { Deployment as DeploymentKind, type Deployment, type ReplicaSet } from "@atoll/client/builtin";
import type { Given } from "@atoll/client/client";
import { controllerReference } from "@atoll/runtime/children";
import { hashOf, sameTemplate, templateHashLabel } from "../pods/template.ts";
import { leeway, wanted } from "./sizes.ts";

const prefix = "deployment.kubernetes.io/";
/** Which of the Deployment's templates, counted from 1. */
export const revisionAnnotation = `${prefix}revision`;
const historyAnnotation = `${prefix}revision-history`;
const desiredAnnotation = `${prefix}desired-replicas`;
const maxAnnotation = `${prefix}max-replicas`;
/** Annotations of a Deployment that are its own affair. */
const notCopied: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
]);
const longestHistory = 2000;

/** Oldest first. */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const [aTime = "", bTime = ""] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (aTime !== bTime) return aTime < bTime ? -1 : 1;
  return (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
}

/** A ReplicaSet's revision; 0 for none. */
export function revisionOf({ metadata }: ReplicaSet): number {
  const revision = Number(metadata.annotations?.[revisionAnnotation] ?? "0");
  return Number.isSafeInteger(revision) ? revision : 0;
}

/** The ReplicaSets: the one with the template of now, if it is there, and all others, oldest first. */
export function sortOut(
  deployment: Deployment,
  all: readonly ReplicaSet[],
): { readonly current: ReplicaSet | undefined; readonly old: readonly ReplicaSet[] } {
  const sorted = [...all].sort(byAge);
  // Of several, the oldest, so that all look at the same.
  const current = sorted.find(({ spec }) => sameTemplate(spec.template, deployment.spec.template));
  return { current, old: sorted.filter((each) => each !== current) };
}

/** The revision that the template of now must have. */
export function nextRevision(old: readonly ReplicaSet[]): number {
  return Math.max(0, ...old.map(revisionOf)) + 1;
}

/** How many Pods the Deployment wanted when the ReplicaSet's size was last set; undefined when that is not known. */
export function desiredAtScaling({ metadata }: ReplicaSet): number | undefined {
  const desired = Number(metadata.annotations?.[desiredAnnotation]);
  return Number.isSafeInteger(desired) ? desired : undefined;
}

/** How many Pods there could be at most then. */
export function mostAtScaling({ metadata }: ReplicaSet): number | undefined {
  const most = Number(metadata.annotations?.[maxAnnotation]);
  return Number.isSafeInteger(most) && most > 0 ? most : undefined;
}

/** The annotations that go with a change of size. */
export function scalingAnnotations(deployment: Deployment): Record<string, string> {
  const total = wanted(deployment);
  return {
    [desiredAnnotation]: String(total),
    [maxAnnotation]: String(total === 0 ? 0 : total + leeway(deployment).surge),
  };
}

/** The ReplicaSet of the template of now as it must be noted down; the same object when it is. */
export function noted(deployment: Deployment, current: ReplicaSet, revision: number): ReplicaSet {
  const before = current.metadata.annotations ?? {};
  const annotations = { ...before, ...copied(deployment), ...revised(current, revision) };
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  const isSame =
    minReadySeconds === (current.spec.minReadySeconds ?? 0) &&
    Object.entries(annotations).every(([name, value]) => before[name] === value);
  if (isSame) return current;
  return { ...current, metadata: { ...current.metadata, annotations }, spec: { ...current.spec, minReadySeconds } };
}

function copied({ metadata }: Deployment): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([name]) => !notCopied.has(name)));
}

/** A template that comes back gets a new revision, and remembers those it had. */
function revised(current: ReplicaSet, revision: number): Record<string, string> {
  const { annotations = {} } = current.metadata;
  if (revisionOf(current) >= revision) return {};
  const had = annotations[revisionAnnotation];
  if (had === undefined) return { [revisionAnnotation]: String(revision) };
  const history = [...(annotations[historyAnnotation] ?? "").split(",").filter((each) => each !== ""), had];
  while (history.join(",").length > longestHistory) history.shift();
  return { [revisionAnnotation]: String(revision), [historyAnnotation]: history.join(",") };
}

/** A ReplicaSet for the template of now. */
export function freshReplicaSet(
  deployment: Deployment,
  { revision, replicas }: { revision: number; replicas: number },
): Given<ReplicaSet> {
  const { template, selector, minReadySeconds = 0 } = deployment.spec;
  const { name = "", namespace } = deployment.metadata;
  const hash = hashOf(template, deployment.status?.collisionCount ?? 0);
  const labels = { ...template.metadata?.labels, [templateHashLabel]: hash };
  return {
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace !== undefined && { namespace }),
      labels,
      annotations: { ...copied(deployment), ...scalingAnnotations(deployment), [revisionAnnotation]: String(revision) },
      ownerReferences: [controllerReference(DeploymentKind, deployment.metadata)],
    },
    spec: {
      replicas,
      minReadySeconds,
      selector: { ...selector, matchLabels: { ...selector?.matchLabels, [templateHashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}
