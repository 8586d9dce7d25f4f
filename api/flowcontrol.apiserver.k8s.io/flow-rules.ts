/** Whom and what a FlowSchema is about. Source: k8s.io/kubernetes/pkg/apis/flowcontrol/validation */
import { dns1123LabelErrors, dns1123SubdomainErrors } from "@atoll/machinery/names";
import type {
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  ServiceAccountSubject,
  Subject,
} from "../builtin/flowcontrol.apiserver.k8s.io/v1.types.ts";
import type { Place } from "../core/podspec/place.ts";

const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];

/** Subjects and what they do. */
export function checkRules(
  { subjects, resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects,
  at: Place,
) {
  if ((subjects ?? []).length === 0) at.required("subjects", "subjects must contain at least one value");
  for (const [i, subject] of (subjects ?? []).entries()) checkSubject(subject, at.item("subjects", i));
  if (resourceRules.length + nonResourceRules.length === 0) {
    at.required("", "at least one of resourceRules and nonResourceRules has to be non-empty");
  }
  for (const [i, rule] of resourceRules.entries()) checkResourceRule(rule, at.item("resourceRules", i));
  for (const [i, rule] of nonResourceRules.entries()) checkPathRule(rule, at.item("nonResourceRules", i));
}

const fieldOf = { User: "user", Group: "group", ServiceAccount: "serviceAccount" } as const;

function isSubjectKind(kind: string): kind is keyof typeof fieldOf {
  return Object.hasOwn(fieldOf, kind);
}

/** A subject has the field its kind says, and no other. */
function checkSubject(subject: Subject, at: Place): void {
  const { kind } = subject;
  if (!isSubjectKind(kind)) {
    at.notSupported("kind", kind, Object.keys(fieldOf));
    return;
  }
  for (const [other, field] of Object.entries(fieldOf)) {
    if (other !== kind && subject[field] !== undefined) {
      at.forbidden(field, `${field} is forbidden when subject kind is not '${other}'`);
    }
  }
  const field = fieldOf[kind];
  const given = subject[field];
  const place = at.child(field);
  if (given === undefined) place.required("", `${field} is required when subject kind is '${kind}'`);
  else if (kind === "ServiceAccount") checkAccount(given as ServiceAccountSubject, place);
  else if (given.name === "") place.required("name");
}

function checkAccount({ namespace, name }: ServiceAccountSubject, at: Place): void {
  if (name === "") at.required("name");
  else if (name !== "*") at.each("name", name, dns1123SubdomainErrors(name));
  if (namespace === "") at.required("namespace", "must specify namespace for service account");
  else at.each("namespace", namespace, dns1123LabelErrors(namespace));
}

function checkResourceRule(rule: ResourcePolicyRule, at: Place): void {
  checkVerbs(rule.verbs ?? [], at);
  for (const [field, what] of [
    ["apiGroups", "api group"],
    ["resources", "resource"],
  ] as const) {
    const values = rule[field] ?? [];
    if (values.length === 0) at.required(field, `resource rules must supply at least one ${what}`);
    else checkWildcard(values, at, { field, what: `${what}s` });
  }
  const namespaces = rule.namespaces ?? [];
  if (namespaces.length === 0 && rule.clusterScope !== true) {
    at.required("namespaces", "resource rules that are not cluster scoped must supply at least one namespace");
  } else if (namespaces.includes("*")) checkWildcard(namespaces, at, { field: "namespaces", what: "namespaces" });
  else for (const [i, name] of namespaces.entries()) at.item("namespaces", i).each("", name, namespaceErrors(name));
}

const namespaceErrors = (name: string): readonly string[] =>
  dns1123LabelErrors(name).map((message) => `each member must be '*' or a DNS-1123 label: ${message}`);

function checkPathRule({ verbs: given, nonResourceURLs }: NonResourcePolicyRule, at: Place): void {
  checkVerbs(given ?? [], at);
  const paths = nonResourceURLs ?? [];
  if (paths.length === 0) at.required("nonResourceURLs", "nonResourceURLs must contain at least one value");
  else if (paths.includes("*")) checkWildcard(paths, at, { field: "nonResourceURLs", what: "non-resource URLs" });
  else for (const [i, path] of paths.entries()) checkPath(path, at.item("nonResourceURLs", i));
}

function checkPath(path: string, at: Place): void {
  const star = path.indexOf("*");
  const why = [
    path === "" && "must not be empty",
    !path.startsWith("/") && "must start with slash",
    path.includes(" ") && "must not contain white-space",
    path.includes("//") && "must not contain double slash",
    star >= 0 && (star < path.length - 1 || !path.endsWith("/*")) && "wildcard can only do suffix matching",
  ].find((sentence) => sentence !== false);
  if (why !== undefined) at.invalid("", path, why);
}

function checkVerbs(given: readonly string[], at: Place): void {
  if (given.length === 0) at.required("verbs", "verbs must contain at least one value");
  else if (given.includes("*")) checkWildcard(given, at, { field: "verbs", what: "verbs" });
  else if (!given.every((verb) => verbs.includes(verb))) at.notSupported("verbs", given, verbs);
}

function checkWildcard(values: readonly string[], at: Place, { field, what }: { field: string; what: string }): void {
  if (values.length > 1 && values.includes("*")) {
    at.invalid(field, values, `if '*' is present, must not specify other ${what}`);
  }
}
