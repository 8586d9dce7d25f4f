/**
 * Which objects break a policy as they are: the ValidatingAdmissionPolicies of the Works, judged on what exists already
 * as admission would judge making it now. Pure. Whether a policy refuses, warns or audits makes no difference.
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating/validator.go
 */
import type { ClusterReport } from "@atoll/api/fleet/v1alpha1/clusterreport";
import type { Work } from "@atoll/api/fleet/v1alpha1/work";
import type { Resource } from "@atoll/client/resource";
import { admissionVariables, type CelType, Compiler, dynType, type Program } from "@atoll/machinery/cel/index";
import { CelError, type Value } from "@atoll/machinery/cel/values";
import type { ApiObject } from "@atoll/machinery/object";
import { type LabelSelectorObject, matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";

/** An object that breaks a policy. */
export interface Violation extends Readonly<ReportedViolation> {
  /** What lets it pass until a day: names of match conditions, each one PolicyException's. None: nothing does. */
  readonly exceptions: readonly string[];
  readonly apiVersion: string;
  readonly uid: string;
}
type ReportedViolation = ClusterReport["spec"]["violations"][number];

/** What was found. */
export interface Found {
  /** At most `mostTold`. */
  readonly violations: readonly Violation[];
  readonly total: number;
  /** By KIND/NAME of the policy, all of them. */
  readonly ofPolicy: Readonly<Record<string, number>>;
  /** By namespace, all of them; "" for what is in none. */
  readonly ofNamespace: Readonly<Record<string, number>>;
  /** Objects that pass by an exception alone, by its match condition, 0 included; none of them is counted elsewhere. */
  readonly ofException: Readonly<Record<string, number>>;
}

/** No object breaks any policy. */
export const nothingFound: Found = { violations: [], total: 0, ofPolicy: {}, ofNamespace: {}, ofException: {} };

/** How many violations a report carries. */
export const mostTold = 500;
const longestMessage = 1024;

/** What a policy of either kind says of its reach. */
export interface Matching {
  readonly matchConstraints?: {
    readonly resourceRules?: readonly {
      readonly apiGroups: readonly string[];
      readonly apiVersions: readonly string[];
      readonly operations: readonly string[];
      readonly resources: readonly string[];
      readonly scope?: string;
    }[];
  };
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
}
interface Expressions extends Matching {
  readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  readonly validations?: readonly { readonly expression: string; readonly message?: string }[];
}
interface Reach {
  readonly policyName: string;
  readonly matchResources?: { readonly namespaceSelector?: LabelSelectorObject };
}

/** A policy, ready to judge. */
export interface Judge {
  /** KIND/NAME of the policy on the hub. */
  readonly source: string;
  /** Its match conditions, each one PolicyException's. */
  readonly exceptions: readonly string[];
  /** Whether it is about such objects. */
  concerns(resource: Resource): boolean;
  /** What is wrong with an object; undefined when nothing is. @param namespace the object's own; absent for others */
  judge(object: ApiObject, resource: Resource, namespace: ApiObject | undefined): Violation | undefined;
}

/** Judges as Works want them; those of policies that stay as they are need not be made again. */
export class Judges {
  #compiler: Compiler | undefined;
  #made = new Map<string, Judge>();

  /** Those policies of the Works that judge what is made. */
  of(works: readonly { readonly spec: Pick<Work["spec"], "objects"> }[]): readonly Judge[] {
    const objects = works.flatMap(({ spec }) => spec.objects);
    const made = new Map<string, Judge>();
    for (const { source, spec, reach } of boundOf<Expressions>("ValidatingAdmissionPolicy", objects)) {
      const said = JSON.stringify([source, spec, reach]);
      this.#compiler ??= new Compiler();
      made.set(said, this.#made.get(said) ?? judgeOf(source, { spec, reach, compiler: this.#compiler }));
    }
    this.#made = made;
    return [...made.values()];
  }
}

/** A policy on the cluster and where its binding has it hold. */
interface Bound<T> {
  readonly source: string;
  readonly spec: T;
  readonly reach: Reach;
}

/** The policies of a kind that have a binding. */
export function boundOf<T>(kind: string, objects: Work["spec"]["objects"]): readonly Bound<T>[] {
  const of = (wanted: string) => objects.filter(({ manifest }) => manifest.kind === wanted);
  const reaches = new Map(
    of(`${kind}Binding`).map(({ manifest }) => {
      const reach = manifest["spec"] as Reach | undefined;
      return [reach?.policyName, reach];
    }),
  );
  return of(kind).flatMap(({ source, manifest }) => {
    const reach = reaches.get(manifest.metadata.name);
    return reach === undefined || manifest["spec"] === undefined
      ? []
      : [{ source, spec: manifest["spec"] as T, reach }];
  });
}

/** Whether a policy reaches an object, by the labels of its namespace. @param home the namespace; undefined: it is in none */
export function reaches({ matchResources }: Reach) {
  const selector = selectorOf(matchResources?.namespaceSelector) ?? [];
  return (object: ApiObject, { kind, group }: Resource, home: ApiObject | undefined): boolean => {
    const labelled = kind === "Namespace" && group === "" ? object : home;
    return labelled === undefined || matchesLabels(selector, labelled.metadata.labels);
  };
}

function judgeOf(source: string, of: { spec: Expressions; reach: Reach; compiler: Compiler }): Judge {
  const { spec, reach, compiler } = of;
  const isReached = reaches(reach);
  const rules = compiled(spec, compiler);
  return {
    source,
    exceptions: (spec.matchConditions ?? []).map(({ name }) => name),
    concerns: (resource) => concerns(spec, resource),
    judge(object, resource, namespace) {
      if (!isReached(object, resource, namespace)) return undefined;
      const { failures, exceptions } = rules(object, resource, namespace);
      if (failures.length === 0) return undefined;
      return {
        exceptions,
        policy: source,
        rule: failures.map(({ at }) => at).join(","),
        apiVersion: resource.group === "" ? resource.version : `${resource.group}/${resource.version}`,
        kind: resource.kind,
        uid: object.metadata.uid ?? "",
        namespace: object.metadata.namespace ?? "",
        name: object.metadata.name ?? "",
        message: failures
          .map(({ message }) => message)
          .join("; ")
          .slice(0, longestMessage),
      };
    },
  };
}

/** Admission never judges the kinds it is made of. Source: k8s.io/apiserver/pkg/admission/plugin/policy/generic/plugin.go */
const admissionGroup = "admissionregistration.k8s.io";

/** Whether a policy is about making such objects. */
export function concerns({ matchConstraints }: Matching, { group, version, plural, namespaced }: Resource): boolean {
  const has = (values: readonly string[], wanted: readonly string[]) => wanted.some((value) => values.includes(value));
  return (
    group !== admissionGroup &&
    (matchConstraints?.resourceRules ?? []).some(
      (rule) =>
        has(rule.apiGroups, ["*", group]) &&
        has(rule.apiVersions, ["*", version]) &&
        has(rule.operations, ["*", "CREATE"]) &&
        has(rule.resources, ["*", "*/*", plural]) &&
        has([rule.scope ?? "*"], ["*", namespaced ? "Namespaced" : "Cluster"]),
    )
  );
}

interface Failure {
  readonly at: number;
  readonly message: string;
}

interface Verdict {
  readonly failures: readonly Failure[];
  readonly exceptions: readonly string[];
}

/** Who made an object, and what they may do, is not known any more: such rules are not judged. */
const asksWho = /\b(userInfo|authorizer)\b/;

function compiled(spec: Expressions, compiler: Compiler) {
  const conditions = (spec.matchConditions ?? []).map(({ name, expression }) => {
    return { name, program: compileOne(compiler, expression, {}) };
  });
  const types: Record<string, CelType> = {};
  const variables = (spec.variables ?? []).map(({ name, expression }) => {
    const program = compileOne(compiler, expression, { ...types });
    types[name] = program?.type ?? dynType;
    return { name, program };
  });
  const rules = (spec.validations ?? []).map(({ expression, message }) => ({
    message: message ?? `failed expression: ${expression}`,
    program: asksWho.test(expression) ? undefined : compileOne(compiler, expression, types),
  }));
  return (object: ApiObject, resource: Resource, namespace: ApiObject | undefined): Verdict => {
    const bindings = bindingsOf(object, resource, { namespace, variables });
    const exceptions = conditions.filter(({ program }) => program?.evaluate(bindings).value === false);
    const failures = rules.flatMap(({ message, program }, at): Failure[] => {
      const outcome = program?.evaluate(bindings);
      if (outcome === undefined || outcome.value === true) return [];
      return [{ at, message: outcome.error === undefined ? message : `${message} (${outcome.error.message})` }];
    });
    return { failures, exceptions: exceptions.map(({ name }) => name) };
  };
}

/** @returns undefined when it does not compile: the cluster's own status of the policy says so */
export function compileOne(compiler: Compiler, text: string, variables: Readonly<Record<string, CelType>>) {
  return compiler.compile(text, { variables: admissionVariables({ variables, authorizer: true }) }).program;
}

interface Around {
  readonly namespace: ApiObject | undefined;
  readonly variables: readonly { readonly name: string; readonly program: Program | undefined }[];
}

/** What an expression sees, as if the object were made now. Variables are computed when they are first mentioned. */
export function bindingsOf(object: ApiObject, resource: Resource, { namespace, variables }: Around) {
  const { group, version, kind, plural } = resource;
  const [ofKind, ofResource] = [
    { group, version, kind },
    { group, version, resource: plural },
  ];
  const composed = {};
  const bindings = {
    object,
    oldObject: null,
    namespaceObject: namespace ?? null,
    variables: composed,
    request: {
      kind: ofKind,
      resource: ofResource,
      requestKind: ofKind,
      requestResource: ofResource,
      name: object.metadata.name ?? "",
      namespace: object.metadata.namespace ?? "",
      operation: "CREATE",
      userInfo: {},
      dryRun: false,
      options: null,
    },
  };
  for (const { name, program } of variables) {
    let value: Value | undefined;
    const get = () => {
      value ??= valueOf(name, program, bindings);
      return value;
    };
    Object.defineProperty(composed, name, { get, enumerable: true });
  }
  return bindings;
}

function valueOf(name: string, program: Program | undefined, bindings: Readonly<Record<string, unknown>>): Value {
  if (program === undefined) return new CelError(`composited variable "${name}" fails to compile`);
  const { value, error } = program.evaluate(bindings);
  return error === undefined
    ? value
    : new CelError(`composited variable "${name}" fails to evaluate: ${error.message}`);
}
