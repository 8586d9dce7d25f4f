/**
 * What is audited, and how much of it: the first rule of the policy that speaks of a request decides.
 * Source: k8s.io/apiserver/pkg/audit/policy, k8s.io/apiserver/pkg/apis/audit;
 * https://kubernetes.io/docs/tasks/debug/debug-cluster/audit
 */
import { FieldErrors, Path } from "@atoll/machinery/field";
import type { Schema } from "@atoll/machinery/schema/schema";
import type { User } from "../call.ts";
import { type ConfigurationKind, readConfiguration, refuseErrors } from "../configuration/read.ts";
import type { RequestInfo } from "../request.ts";

/** How much is told, in rising order. */
export type Level = "None" | "Metadata" | "Request" | "RequestResponse";

/** When something is told. */
export type Stage = "RequestReceived" | "ResponseStarted" | "ResponseComplete" | "Panic";

/** A rule as the file has it. What is absent matches everything. */
export interface AuditRule {
  readonly level: Level;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly {
    readonly group?: string;
    /** `pods`, `pods/log`, `pods/*`, `*`+`/scale`, `*`. None: all of the group. */
    readonly resources?: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
  /** "" stands for what is in no namespace. */
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
}

/** A policy that can be used. */
export interface AuditPolicy {
  readonly rules: readonly AuditRule[];
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
}

/** What is told of one request. */
export interface Verdict {
  readonly level: Level;
  readonly omitStages: ReadonlySet<Stage>;
  readonly omitManagedFields: boolean;
}

const levels: readonly Level[] = ["None", "Metadata", "Request", "RequestResponse"];
const stages: readonly Stage[] = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"];

const string: Schema = { type: "string" };
const boolean: Schema = { type: "boolean" };
const list = (items: Schema): Schema => ({ type: "array", items });
const object = (properties: Readonly<Record<string, Schema>>): Schema => ({ type: "object", properties });
const omissions = { omitStages: list(string), omitManagedFields: boolean };

const fileKind: ConfigurationKind = {
  kind: "Policy",
  apiVersions: ["audit.k8s.io/v1"],
  properties: {
    metadata: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    ...omissions,
    rules: list(
      object({
        level: string,
        users: list(string),
        userGroups: list(string),
        verbs: list(string),
        resources: list(object({ group: string, resources: list(string), resourceNames: list(string) })),
        namespaces: list(string),
        nonResourceURLs: list(string),
        ...omissions,
      }),
    ),
  },
};

const none: readonly string[] = [];

/** @throws {ConfigurationInvalid} */
export function readAuditPolicy(text: string): AuditPolicy {
  const policy = readConfiguration<AuditPolicy>(text, fileKind);
  const errors = new FieldErrors();
  const { rules = [], omitStages = [] } = policy as Partial<AuditPolicy>;
  if (rules.length === 0) errors.required(Path.of("rules"), "a policy without rules audits nothing");
  checkStages(omitStages, Path.of("omitStages"), errors);
  for (const [i, rule] of rules.entries()) checkRule(rule, Path.of("rules").index(i), errors);
  refuseErrors(errors);
  return { ...policy, rules };
}

function checkRule(rule: AuditRule, at: Path, errors: FieldErrors): void {
  if (!levels.includes(rule.level)) errors.notSupported(at.child("level"), rule.level, levels);
  checkStages(rule.omitStages ?? [], at.child("omitStages"), errors);
  const { resources: targets = [], namespaces = none, nonResourceURLs: urls = none } = rule;
  if (targets.length + namespaces.length > 0 && urls.length > 0) {
    const why = "rules cannot apply to both regular resources and non-resource URLs";
    errors.invalid(at.child("nonResourceURLs"), urls, why);
  }
  for (const [i, url] of urls.entries()) checkUrl(url, at.child("nonResourceURLs").index(i), errors);
  for (const [i, { resources = [], resourceNames = [] }] of targets.entries()) {
    if (resourceNames.length === 0 || resources.length > 0) continue;
    const why = "using resourceNames requires at least one resource";
    errors.invalid(at.child("resources").index(i).child("resourceNames"), resourceNames, why);
  }
}

function checkUrl(url: string, at: Path, errors: FieldErrors): void {
  if (url !== "*" && !url.startsWith("/")) {
    errors.invalid(at, url, "non-resource URL rules must begin with a '/' character");
  }
  if (url.slice(0, -1).includes("*")) {
    errors.invalid(at, url, "non-resource URL wildcards '*' must be the final character of the rule");
  }
}

function checkStages(given: readonly string[], at: Path, errors: FieldErrors): void {
  for (const [i, stage] of given.entries()) {
    if (!stages.some((known) => known === stage)) errors.notSupported(at.index(i), stage, stages);
  }
}

/** Finds the rule that decides. Made once for a policy. */
export function judge(policy: AuditPolicy): (user: User, info: RequestInfo) => Verdict {
  const omitted = (rule: AuditRule): Verdict => ({
    level: rule.level,
    omitStages: new Set([...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]),
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
  });
  const prepared = policy.rules.map((rule) => ({ rule, verdict: omitted(rule) }));
  const nothing: Verdict = { level: "None", omitStages: new Set(), omitManagedFields: false };
  return (user, info) => {
    for (const { rule, verdict } of prepared) if (speaksOf(rule, user, info)) return verdict;
    return nothing;
  };
}

function speaksOf(rule: AuditRule, user: User, info: RequestInfo): boolean {
  const { users = none, userGroups = none, verbs = none } = rule;
  if (users.length > 0 && !users.includes(user.name)) return false;
  if (userGroups.length > 0 && !userGroups.some((group) => user.groups.includes(group))) return false;
  return (verbs.length === 0 || verbs.includes(info.verb)) && speaksOfTarget(rule, info);
}

function speaksOfTarget(rule: AuditRule, info: RequestInfo): boolean {
  const { resources = none, namespaces = none, nonResourceURLs = none } = rule;
  if (resources.length > 0 || namespaces.length > 0) return speaksOfResource(rule, info);
  if (nonResourceURLs.length === 0) return true;
  return info.resource === "" && nonResourceURLs.some((url) => matchesPath(url, info.path));
}

function speaksOfResource({ resources = [], namespaces = [] }: AuditRule, info: RequestInfo): boolean {
  if (info.resource === "") return false;
  if (namespaces.length > 0 && !namespaces.includes(info.namespace)) return false;
  if (resources.length === 0) return true;
  return resources.some(({ group = "", resources: names = [], resourceNames = [] }) => {
    if (group !== info.group) return false;
    if (names.length === 0) return true;
    if (resourceNames.length > 0 && !resourceNames.includes(info.name)) return false;
    return names.some((name) => matchesResource(name, info));
  });
}

function matchesResource(pattern: string, { resource, subresource }: RequestInfo): boolean {
  if (pattern === "*") return true;
  const slash = pattern.indexOf("/");
  if (slash < 0) return pattern === resource && subresource === "";
  const [of, part] = [pattern.slice(0, slash), pattern.slice(slash + 1)];
  if (part === "*") return of === resource;
  return part === subresource && (of === "*" || of === resource);
}

function matchesPath(pattern: string, path: string): boolean {
  return pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

const core = (resources: readonly string[]) => [{ group: "", resources }];

/**
 * What is audited when no file says: every change, with who made it; every touch of secrets and of ways into a
 * workload; no reading else, and none of the system's own heartbeats.
 */
export const usualPolicy: AuditPolicy = {
  omitStages: ["RequestReceived"],
  rules: [
    // Who failed to say who they are has no name.
    { level: "Metadata", users: [""] },
    { level: "None", nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi/*", "/metrics"] },
    { level: "None", resources: [{ group: "coordination.k8s.io", resources: ["leases"] }] },
    { level: "None", resources: [...core(["events"]), { group: "events.k8s.io", resources: ["events"] }] },
    { level: "None", users: ["system:apiserver"], verbs: ["get", "list", "watch"] },
    {
      level: "Metadata",
      resources: [
        ...core(["secrets", "serviceaccounts/token", "pods/exec", "pods/attach", "pods/portforward"]),
        ...core(["pods/proxy", "services/proxy", "nodes/proxy"]),
        { group: "authentication.k8s.io", resources: ["tokenreviews"] },
      ],
    },
    { level: "None", verbs: ["get", "list", "watch", "head", "options"] },
    // Questions about rights change nothing, and are asked all the time.
    { level: "None", resources: [{ group: "authorization.k8s.io" }] },
    { level: "Metadata" },
  ],
};
