/** A policy that judges or changes objects, as the two objects that make a cluster do so. */
import type { Envelope, Exemption, Output } from "./envelope.ts";
import type { Validation } from "./podrules.ts";

/** Which requests. Source: admissionregistration.k8s.io/v1 RuleWithOperations */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly operations: readonly string[];
  readonly resources: readonly string[];
  readonly scope?: "Cluster" | "Namespaced";
}

/** What is judged, and how. */
export interface Judgement {
  readonly rules: readonly Rule[];
  readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  readonly validations: readonly Validation[];
}

/** What is changed, and how. */
export interface Change {
  readonly rules: readonly Rule[];
  /** CEL that gives an Object. */
  readonly expressions: readonly string[];
}

/** For rules about objects as they are written. */
export const onCreateAndUpdate = { apiVersions: ["*"], operations: ["CREATE", "UPDATE"] } as const;

const group = "admissionregistration.k8s.io";
const actions = { Enforce: "Deny", Warn: "Warn", Audit: "Audit" } as const;

/** ValidatingAdmissionPolicy and its binding. Source: admissionregistration.k8s.io/v1 */
export function admissionPolicy(
  envelope: Envelope,
  { rules, variables = [], validations }: Judgement,
): readonly Output[] {
  const { name, enforcement, namespaces, everywhere } = envelope;
  const policy = {
    failurePolicy: "Fail",
    matchConstraints: { resourceRules: everywhere ? rules : rules.flatMap(withinNamespaces) },
    matchConditions: conditions(envelope.exemptions),
    variables,
    validations,
  };
  const binding = {
    policyName: name,
    validationActions: [actions[enforcement]],
    matchResources: { namespaceSelector: namespaces },
  };
  return [output("ValidatingAdmissionPolicy", name, policy), output("ValidatingAdmissionPolicyBinding", name, binding)];
}

/**
 * A namespace selector lets through whatever is in no namespace: of a policy for some namespaces, such objects are none of its
 * business, but for the namespaces themselves. Source: k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/namespace
 */
function withinNamespaces(rule: Rule): readonly Rule[] {
  const has = (values: readonly string[], wanted: readonly string[]) => wanted.some((each) => values.includes(each));
  const ofNamespaces = has(rule.apiGroups, ["", "*"]) && has(rule.resources, ["namespaces", "*", "*/*"]);
  const themselves: Rule = { ...rule, apiGroups: [""], resources: ["namespaces"], scope: "Cluster" };
  return [{ ...rule, scope: "Namespaced" }, ...(ofNamespaces ? [themselves] : [])];
}

/** MutatingAdmissionPolicy and its binding. Source: admissionregistration.k8s.io/v1 */
export function mutationPolicy(
  { name, namespaces, exemptions }: Envelope,
  { rules, expressions }: Change,
): readonly Output[] {
  const policy = {
    failurePolicy: "Fail",
    reinvocationPolicy: "Never",
    matchConstraints: { resourceRules: rules },
    matchConditions: conditions(exemptions),
    mutations: expressions.map((expression) => ({
      patchType: "ApplyConfiguration",
      applyConfiguration: { expression },
    })),
  };
  const binding = { policyName: name, matchResources: { namespaceSelector: namespaces } };
  return [output("MutatingAdmissionPolicy", name, policy), output("MutatingAdmissionPolicyBinding", name, binding)];
}

function output(kind: string, name: string, spec: object): Output {
  return { manifest: { apiVersion: `${group}/v1`, kind, metadata: { name }, spec } };
}

const longest = 63;

/** The condition by which a PolicyException lets pass: of longer names the beginning, and what tells them apart. */
export function conditionOf(exception: string): string {
  if (exception.length <= longest) return exception;
  let sum = 0;
  for (let at = 0; at < exception.length; at++) sum = (Math.imul(sum, 31) + exception.charCodeAt(at)) >>> 0;
  return `${exception.slice(0, longest - 9)}-${sum.toString(16).padStart(8, "0")}`;
}

/** One condition for each exemption: the policy does not concern what is exempt. */
function conditions(exemptions: readonly Exemption[]) {
  return exemptions.map(({ exception, namespace, name }) => ({
    name: conditionOf(exception),
    expression: `!(request.namespace == '${namespace}' && (request.name + object.metadata.?generateName.orValue('')).startsWith('${name}'))`,
  }));
}
