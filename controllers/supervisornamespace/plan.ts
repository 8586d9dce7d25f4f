/**
 * What a SupervisorNamespace stands for in Kubernetes' own terms, and what it uses. Pure.
 * A limit is a ResourceQuota on limits and requests alike, so that what is allowed is also what is kept free; containers
 * that do not say what they need get defaults, since such a quota lets none in without.
 */
import type { PersistentVolumeClaim, Pod } from "@atoll/api/builtin/core/v1.types";
import { add, type Amounts } from "@atoll/api/core/quota/amounts";
import { measureOf } from "@atoll/api/core/quota/measure";
import { networkLabel, type SupervisorNamespace } from "@atoll/api/supervisor/v1alpha1/supervisornamespace";
import type { Condition } from "@atoll/api/own/kind";
import { formatTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { formatQuantity, normalizeQuantity, type Quantity } from "@atoll/machinery/quantity";
import type { Child } from "./children.ts";

type Spec = SupervisorNamespace["spec"];
type Limits = NonNullable<Spec["limits"]>;
type Role = NonNullable<Spec["access"]>[number]["role"];
type Status = NonNullable<SupervisorNamespace["status"]>;

/**
 * Names that the cluster keeps for itself: Kubernetes', Atoll's own, and those of attached clusters' namespaces on the hub.
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/; fleet/cluster/names.ts
 */
export function isReserved(name: string): boolean {
  return name === "default" || /^(kube|atoll)-/.test(name) || /^fleet-.*-[0-9a-f]{8}$/.test(name);
}

const rbac = "rbac.authorization.k8s.io";
const roles: readonly { readonly role: Role; readonly clusterRole: string }[] = [
  { role: "Owner", clusterRole: "admin" },
  { role: "Edit", clusterRole: "edit" },
  { role: "View", clusterRole: "view" },
];
const defaultCpu = "500m";
const defaultMemory = "512Mi";

/** The Namespace. */
export function namespaceOf({ metadata: { name = "" }, spec }: SupervisorNamespace): Child {
  const level = spec.podSecurity.toLowerCase();
  const labels = {
    [networkLabel]: spec.network,
    "pod-security.kubernetes.io/enforce": level,
    "pod-security.kubernetes.io/warn": level,
  };
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

/**
 * What is in the Namespace.
 * @param classes the names of all StorageClasses
 */
export function contentOf({ metadata, spec }: SupervisorNamespace, classes: readonly string[]): readonly Child[] {
  const namespace = metadata.name ?? "";
  const hard = hardOf(spec, classes);
  const range = containerDefaults(spec);
  return [
    ...(Object.keys(hard).length === 0
      ? []
      : [{ apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "supervisor", namespace }, spec: { hard } }]),
    ...(range === undefined
      ? []
      : [
          {
            apiVersion: "v1",
            kind: "LimitRange",
            metadata: { name: "supervisor", namespace },
            spec: { limits: [range] },
          },
        ]),
    ...roles.flatMap(({ role, clusterRole }) => {
      const subjects = subjectsOf(spec, role);
      if (subjects.length === 0) return [];
      const roleRef = { apiGroup: rbac, kind: "ClusterRole", name: clusterRole };
      const name = `supervisor-${role.toLowerCase()}`;
      return [{ apiVersion: `${rbac}/v1`, kind: "RoleBinding", metadata: { name, namespace }, roleRef, subjects }];
    }),
  ];
}

type Allowance = readonly [name: string, given: string | number | undefined];

/** What its ResourceQuota allows. */
function hardOf({ limits = {}, storagePolicies }: Spec, classes: readonly string[]): Record<string, string> {
  const { cpu, memory, storage, storagePolicies: byPolicy = {}, counts = {} } = limits;
  const both = (resource: string, given: string | number | undefined): Allowance[] => [
    [`requests.${resource}`, given],
    [`limits.${resource}`, given],
  ];
  const policy = (name: string, what: string) => `${name}.storageclass.storage.k8s.io/${what}`;
  const refused = storagePolicies === undefined ? [] : classes.filter((name) => !storagePolicies.includes(name));
  const all: readonly Allowance[] = [
    ...both("cpu", cpu),
    ...both("memory", memory),
    ["requests.storage", storage],
    ...Object.entries(byPolicy).map(([name, given]): Allowance => [policy(name, "requests.storage"), given]),
    ...refused.map((name): Allowance => [policy(name, "persistentvolumeclaims"), 0]),
    ...Object.entries(counts),
  ];
  return Object.fromEntries(
    all.flatMap(([name, given]) => (given === undefined ? [] : [[name, normalizeQuantity(`${given}`)]])),
  );
}

/** What containers get that do not say what they need; undefined when they need not. */
function containerDefaults({ limits = {}, containerDefaults: given = {} }: Spec): object | undefined {
  const missing = {
    ...(limits.cpu === undefined ? {} : { cpu: defaultCpu }),
    ...(limits.memory === undefined ? {} : { memory: defaultMemory }),
  };
  const most = amountsOf({ ...missing, ...given.limits });
  const sure = amountsOf({ ...most, ...given.requests });
  if (Object.keys(sure).length === 0) return undefined;
  return { type: "Container", default: most, defaultRequest: sure };
}

function amountsOf(given: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, normalizeQuantity(`${value}`)]));
}

function subjectsOf({ access = [] }: Spec, role: Role): readonly object[] {
  const given = access.filter((entry) => entry.role === role);
  const of = (kind: "User" | "Group", names: readonly string[]) =>
    [...new Set(names)].sort().map((name) => ({ apiGroup: rbac, kind, name }));
  return [
    ...of(
      "User",
      given.flatMap(({ users = [] }) => users),
    ),
    ...of(
      "Group",
      given.flatMap(({ groups = [] }) => groups),
    ),
  ];
}

/** Use of a Namespace, by kind of guest and at a glance. */
export function usageOf(
  limits: Limits | undefined,
  { pods, claims, nowMs }: { pods: readonly Pod[]; claims: readonly PersistentVolumeClaim[]; nowMs: number },
): Required<Pick<Status, "usage" | "summary">> {
  const measure = measureOf("", "pods");
  const counted = pods.filter(({ status: { phase } }) => phase !== "Succeeded" && phase !== "Failed");
  const used = sum(counted.map((pod) => measure.usage(pod as ApiObject, nowMs)));
  const stored = sum(claims.map((claim) => measureOf("", "persistentvolumeclaims").usage(claim as ApiObject, nowMs)));
  const cpu = spell(used.get("limits.cpu"));
  const memory = spell(used.get("limits.memory"));
  const storage = spell(stored.get("requests.storage"));
  return {
    usage: [{ guest: "Pod", count: counted.length, cpu, memory }],
    summary: {
      cpu: share(cpu, limits?.cpu),
      memory: share(memory, limits?.memory),
      storage: share(storage, limits?.storage),
      guests: counted.length,
    },
  };
}

function sum(amounts: readonly Amounts[]): Amounts {
  return amounts.reduce<Amounts>((total, each) => add(total, each), new Map());
}

function spell(amount: Quantity | undefined): string {
  return amount === undefined ? "0" : formatQuantity(amount);
}

function share(used: string, limit: string | number | undefined): string {
  return limit === undefined ? used : `${used}/${normalizeQuantity(`${limit}`)}`;
}

/** One word and a sentence for what is wrong. */
export type Verdict = Pick<Condition, "reason" | "message">;

/** The condition Ready, dated when it last turned. */
export function readyCondition(
  { metadata: { generation }, status }: SupervisorNamespace,
  problem: Verdict | undefined,
  nowMs: number,
): Condition {
  const holds = problem === undefined ? "True" : "False";
  const before = status?.conditions?.find(({ type }) => type === "Ready");
  return {
    type: "Ready",
    status: holds,
    ...(problem ?? { reason: "Furnished", message: "the Namespace and what belongs to it are there" }),
    lastTransitionTime: before?.status === holds ? before.lastTransitionTime : formatTime(nowMs),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}
