/**
 * Work that takes its time, as the objects themselves tell it: how far it is, what it waits for, and how it is called off.
 * Atoll keeps no list of tasks; what is under way is what differs from what is wanted.
 */
import type { AnyObject, Condition } from "./object.ts";
import type { Call } from "./call.ts";
import { objectPath, type Resource } from "./resources.ts";

/** How a task is called off. */
interface Way {
  readonly title: string;
  /** What becomes of what has been done. */
  readonly after: string;
  readonly kubectl: string;
  readonly path: string;
  readonly call: Call;
  /** What who does it must be allowed. */
  readonly verb: "patch" | "delete";
}

/** Something under way. */
export interface Task {
  readonly resource: Resource;
  readonly object: AnyObject;
  /** `Rolling out`, `Running`. */
  readonly what: string;
  readonly since: string | undefined;
  readonly done: number;
  /** 0: nobody can tell how much there is. */
  readonly of: number;
  /** What it waits for, or why it is stuck; "" for nothing. */
  readonly says: string;
  readonly isStuck: boolean;
  /** undefined: it cannot be called off. */
  readonly off: Way | undefined;
}

type Progress = Omit<Task, "resource" | "object" | "off"> | undefined;

interface Numbers {
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly availableReplicas?: number;
  readonly numberReady?: number;
  readonly desiredNumberScheduled?: number;
  readonly updatedNumberScheduled?: number;
  readonly succeeded?: number;
  readonly active?: number;
  readonly failed?: number;
  readonly startTime?: string;
}

const conditionsOf = ({ status }: AnyObject): readonly Condition[] => status?.conditions ?? [];
const numbersOf = ({ status }: AnyObject): Numbers => (status ?? {}) as Numbers;

function rollout(object: AnyObject): Progress {
  const wanted = Number(object.spec?.["replicas"] ?? 1);
  const { updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = numbersOf(object);
  const done = Math.min(updatedReplicas, availableReplicas, wanted);
  if (done >= wanted && replicas <= wanted) return undefined;
  const what = object.spec?.["paused"] === true ? "Paused" : "Rolling out";
  return { what, done, of: wanted, ...wordOf(object) };
}

/** Source: k8s.io/kubernetes/pkg/controller/deployment (conditions Progressing and ReplicaFailure) */
function wordOf(object: AnyObject): Pick<Task, "since" | "says" | "isStuck"> {
  const progressing = conditionsOf(object).find(({ type }) => type === "Progressing");
  const failure = conditionsOf(object).find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  return {
    since: progressing?.lastTransitionTime ?? object.metadata.creationTimestamp,
    says: (failure ?? progressing)?.message ?? "",
    isStuck: progressing?.status === "False" || failure !== undefined,
  };
}

function setRollout(object: AnyObject): Progress {
  const {
    updatedReplicas = 0,
    availableReplicas = 0,
    numberReady,
    desiredNumberScheduled,
    updatedNumberScheduled,
  } = numbersOf(object);
  const of = desiredNumberScheduled ?? Number(object.spec?.["replicas"] ?? 1);
  const done = Math.min(updatedNumberScheduled ?? updatedReplicas, numberReady ?? availableReplicas, of);
  if (done >= of) return undefined;
  return { what: "Rolling out", since: undefined, done, of, says: `${done} of ${of} pods are ready`, isStuck: false };
}

function job(object: AnyObject): Progress {
  const isOver = conditionsOf(object).some(
    ({ type, status }) => status === "True" && (type === "Complete" || type === "Failed"),
  );
  if (isOver) return undefined;
  const { succeeded = 0, active = 0, failed = 0, startTime } = numbersOf(object);
  const isPaused = object.spec?.["suspend"] === true;
  const failures = failed > 0 ? `, ${failed} failed` : "";
  return {
    what: isPaused ? "Suspended" : "Running",
    since: startTime ?? object.metadata.creationTimestamp,
    done: succeeded,
    of: Number(object.spec?.["completions"] ?? 0),
    says: `${active} running${failures}`,
    isStuck: false,
  };
}

function ending(object: AnyObject): Progress {
  const { deletionTimestamp } = object.metadata;
  if (deletionTimestamp === undefined) return undefined;
  const remaining = conditionsOf(object).filter(
    ({ type, status }) => /Remaining|Failure/.test(type) && status === "True",
  );
  return {
    what: "Being deleted",
    since: deletionTimestamp,
    done: 0,
    of: 0,
    says: remaining.map(({ message }) => message ?? "").join(" "),
    isStuck: remaining.some(({ type }) => type.includes("Failure")),
  };
}

function binding(object: AnyObject): Progress {
  if (object.status?.["phase"] !== "Pending") return undefined;
  const says = "Its disk is made when a pod that uses it has a host, or by hand.";
  return { what: "Waiting for a disk", since: object.metadata.creationTimestamp, done: 0, of: 0, says, isStuck: false };
}

function attaching(object: AnyObject): Progress {
  const phase = object.status?.["phase"] ?? "Pending";
  if (phase !== "Pending" && phase !== "Attaching" && phase !== "Detaching") return undefined;
  const says = conditionsOf(object).find(({ type }) => type === "Ready")?.message ?? "Its agent has not called yet.";
  const what = phase === "Detaching" ? "Detaching" : "Attaching";
  return { what, since: object.metadata.creationTimestamp, done: 0, of: 0, says, isStuck: false };
}

type Off = (resource: Resource, object: AnyObject, progress: NonNullable<Progress>) => Way;

interface Reader {
  readonly progress: (object: AnyObject) => Progress;
  readonly off?: Off;
}

const merge = "application/merge-patch+json";
const flagOf = ({ metadata }: AnyObject): string =>
  metadata.namespace === undefined ? "" : ` -n ${metadata.namespace}`;
const pathOf = (resource: Resource, { metadata }: AnyObject): string =>
  objectPath(resource, metadata.namespace ?? "", metadata.name);

const pause: Off = (resource, object, { what }) => {
  const isPaused = what === "Paused";
  return {
    title: isPaused ? "Go on" : "Pause",
    after: isPaused ? "Pods are replaced again." : "Pods that are new stay; no more are replaced. History rolls back.",
    kubectl: `kubectl rollout ${isPaused ? "resume" : "pause"} deployment/${object.metadata.name}${flagOf(object)}`,
    path: pathOf(resource, object),
    call: { method: "PATCH", body: { spec: { paused: !isPaused } }, contentType: merge },
    verb: "patch",
  };
};

const suspend: Off = (resource, object, { what }) => {
  const isPaused = what === "Suspended";
  const body = { spec: { suspend: !isPaused } };
  return {
    title: isPaused ? "Go on" : "Suspend",
    after: isPaused ? "Its pods start again." : "Its running pods end; what is finished stays finished.",
    kubectl: `kubectl patch job/${object.metadata.name}${flagOf(object)} --type=merge -p '${JSON.stringify(body)}'`,
    path: pathOf(resource, object),
    call: { method: "PATCH", body, contentType: merge },
    verb: "patch",
  };
};

const forget =
  (after: string): Off =>
  (resource, object) => ({
    title: "Give up",
    after,
    kubectl: `kubectl delete ${resource.kind.toLowerCase()}/${object.metadata.name}${flagOf(object)}`,
    path: pathOf(resource, object),
    call: { method: "DELETE", body: { preconditions: { uid: object.metadata.uid } } },
    verb: "delete",
  });

/** By kind: how far its objects are, and how they are called off. */
const readers: Readonly<Record<string, Reader>> = {
  Deployment: { progress: rollout, off: pause },
  StatefulSet: { progress: setRollout },
  DaemonSet: { progress: setRollout },
  Job: { progress: job, off: suspend },
  Namespace: { progress: ending },
  PersistentVolumeClaim: {
    progress: binding,
    off: forget("The claim is deleted; pods that name it wait for another."),
  },
  FleetCluster: {
    progress: attaching,
    off: forget("The hub forgets the cluster; its token is good for nothing any more."),
  },
};

/** Kinds whose objects can be under way. */
export const taskKinds: readonly string[] = Object.keys(readers);

/** What is under way of a kind's objects: stuck first, then the latest. */
export function tasksOf(kinds: readonly { readonly resource: Resource; readonly objects: readonly AnyObject[] }[]) {
  const all = kinds.flatMap(({ resource, objects }) => objects.flatMap((object) => taskOf(resource, object)));
  return all.toSorted((a, b) => Number(b.isStuck) - Number(a.isStuck) || (b.since ?? "").localeCompare(a.since ?? ""));
}

function taskOf(resource: Resource, object: AnyObject): readonly Task[] {
  const reader = readers[resource.kind];
  const progress = ending(object) ?? reader?.progress(object);
  if (progress === undefined) return [];
  const off = progress.what === "Being deleted" ? undefined : reader?.off?.(resource, object, progress);
  return [{ ...progress, resource, object, off }];
}
