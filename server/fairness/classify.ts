/**
 * Which flow a request belongs to: the first FlowSchema by precedence that speaks of who asks and for what.
 * Source: k8s.io/apiserver/pkg/util/flowcontrol/{apf_controller,rule,formatting}.go;
 * https://kubernetes.io/docs/concepts/cluster-administration/flow-control
 */
import type {
  FlowSchema,
  NonResourcePolicyRule,
  ResourcePolicyRule,
  Subject,
} from "@atoll/api/builtin/flowcontrol.apiserver.k8s.io/v1.types";
import type { User } from "../call.ts";
import type { RequestInfo } from "../request.ts";

/** A FlowSchema, ready to be asked, with what the metrics count of it. */
export interface Schema {
  readonly name: string;
  readonly uid: string;
  readonly level: string;
  readonly distinguisher: "user" | "namespace" | "none";
  dispatched: number;
  /** By reason. */
  readonly rejected: Map<string, number>;
}

type Matches<T> = (value: T) => boolean;

interface Rule {
  readonly schema: Schema;
  readonly isFor: Matches<User>;
  readonly speaksOf: Matches<RequestInfo>;
}

/** Finds the schema of a request; undefined when none speaks of it. */
export type Classifier = (user: User, info: RequestInfo) => Schema | undefined;

/**
 * Compiles schemas whose priority level is there.
 * @param known counts of schemas that were there before go on
 */
export function compileSchemas(
  given: readonly FlowSchema[],
  levels: ReadonlySet<string>,
  known: ReadonlyMap<string, Schema>,
): { readonly classify: Classifier; readonly schemas: ReadonlyMap<string, Schema> } {
  const usable = given.filter(({ spec }) => levels.has(spec.priorityLevelConfiguration.name));
  usable.sort((a, b) => a.spec.matchingPrecedence - b.spec.matchingPrecedence || (nameOf(a) < nameOf(b) ? -1 : 1));
  const schemas = new Map(usable.map((each) => [nameOf(each), schemaOf(each, known.get(nameOf(each)))]));
  const rules = usable.flatMap((each) => rulesOf(each, schemas.get(nameOf(each))));
  // One connection's requests share a User, so what depends on it alone is found once.
  const byUser = new WeakMap<User, readonly Rule[]>();
  const rulesFor = (user: User): readonly Rule[] => {
    let found = byUser.get(user);
    if (found === undefined) byUser.set(user, (found = rules.filter(({ isFor }) => isFor(user))));
    return found;
  };
  return {
    schemas,
    classify(user, info) {
      for (const { schema, speaksOf } of rulesFor(user)) if (speaksOf(info)) return schema;
      return undefined;
    },
  };
}

/** The flow within a schema: what is treated as one. */
export function flowOf({ name, distinguisher }: Schema, user: User, info: RequestInfo): string {
  switch (distinguisher) {
    case "user":
      return `${name}\0${user.name}`;
    case "namespace":
      return `${name}\0${info.namespace}`;
    case "none":
      return name;
  }
}

function nameOf({ metadata }: FlowSchema): string {
  return metadata.name ?? "";
}

function schemaOf({ metadata, spec }: FlowSchema, known: Schema | undefined): Schema {
  const { name = "", uid = "" } = metadata;
  const method = spec.distinguisherMethod?.type;
  const distinguisher = method === undefined ? "none" : (method === "ByUser" && "user") || "namespace";
  return {
    name,
    uid,
    level: spec.priorityLevelConfiguration.name,
    distinguisher,
    dispatched: known?.dispatched ?? 0,
    rejected: known?.rejected ?? new Map<string, number>(),
  };
}

function rulesOf({ spec }: FlowSchema, schema: Schema | undefined): readonly Rule[] {
  if (schema === undefined) return [];
  return (spec.rules ?? []).map(({ subjects, resourceRules = [], nonResourceRules = [] }) => {
    const whose = (subjects ?? []).map(subjectMatcher);
    const resources = resourceRules.map(resourceMatcher);
    const paths = nonResourceRules.map(pathMatcher);
    return {
      schema,
      isFor: (user) => whose.some((matches) => matches(user)),
      speaksOf: (info) => (info.resource === "" ? paths : resources).some((matches) => matches(info)),
    };
  });
}

function subjectMatcher({ kind, user, group, serviceAccount }: Subject): Matches<User> {
  if (kind === "User") return user?.name === "*" ? () => true : ({ name }) => name === user?.name;
  if (kind === "Group") return group?.name === "*" ? () => true : ({ groups }) => groups.includes(group?.name ?? "");
  const prefix = `system:serviceaccount:${serviceAccount?.namespace}:`;
  if (serviceAccount?.name === "*") return ({ name }) => name.startsWith(prefix);
  return ({ name }) => name === `${prefix}${serviceAccount?.name}`;
}

/** Whether a list names a value, or everything. */
function listed(list: readonly string[] | null): Matches<string> {
  if (list?.includes("*") === true) return () => true;
  const set = new Set(list ?? []);
  return (value) => set.has(value);
}

function resourceMatcher(rule: ResourcePolicyRule): Matches<RequestInfo> {
  const [verb, group, resource] = [listed(rule.verbs), listed(rule.apiGroups), listed(rule.resources)];
  const namespace = listed(rule.namespaces);
  const clusterScope = rule.clusterScope === true;
  return (info) => {
    if (!verb(info.verb) || !group(info.group)) return false;
    if (!resource(info.subresource === "" ? info.resource : `${info.resource}/${info.subresource}`)) return false;
    return info.namespace === "" ? clusterScope : namespace(info.namespace);
  };
}

function pathMatcher({ verbs, nonResourceURLs }: NonResourcePolicyRule): Matches<RequestInfo> {
  const verb = listed(verbs);
  const patterns = nonResourceURLs ?? [];
  const matches = (pattern: string, path: string) =>
    pattern === "*" || pattern === path || (pattern.endsWith("/*") && path.startsWith(pattern.slice(0, -1)));
  return (info) => verb(info.verb) && patterns.some((pattern) => matches(pattern, info.path));
}
