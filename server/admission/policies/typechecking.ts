/**
 * What is wrong with a policy's expressions, given the types of the objects it is about. It is told in the policy's
 * status and changes nothing else: what a policy does is found out when it runs.
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking.go
 */
import type { Kind } from "@atoll/api/kind";
import type {
  ExpressionWarning,
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
} from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import {
  admissionVariables,
  type Compiler,
  type CelType,
  type Declaration,
  declareDynamic,
  declareObject,
  declareSchema,
  dynType,
} from "@atoll/machinery/cel/index";
import { parseApiVersion } from "@atoll/machinery/object";
import type { Catalogue } from "../../registry/catalogue.ts";

/** Types looked at for one policy, at most. */
const maxTypes = 10;

/** Warnings about validations and their messages; none when nothing is wrong, or nothing is known of the types. */
export function typeWarnings(
  compiler: Compiler,
  catalogue: Catalogue,
  { spec }: ValidatingAdmissionPolicy,
): ExpressionWarning[] {
  const params = spec.paramKind === undefined ? undefined : paramsOf(catalogue, spec.paramKind);
  const kinds = kindsOf(catalogue, spec.matchConstraints?.resourceRules ?? []);
  const environments = kinds.map((kind) => ({ kind, variables: environmentOf(compiler, spec, { kind, params }) }));
  const check = (field: string, expression = ""): ExpressionWarning[] => {
    if (expression === "") return [];
    const found = environments.flatMap(({ kind, variables }) => {
      const { program, ...compiled } = compiler.compile(expression, { variables });
      return program === undefined && "message" in compiled ? [`${nameOf(kind)}: ${compiled.message}\n`] : [];
    });
    return found.length === 0 ? [] : [{ fieldRef: `spec.validations${field}`, warning: found.join("\n") }];
  };
  return (spec.validations ?? []).flatMap(({ expression, messageExpression }, i) => [
    ...check(`[${i}].expression`, expression),
    ...check(`[${i}].messageExpression`, messageExpression),
  ]);
}

/** As Go prints a GroupVersionKind. */
function nameOf({ group, version, kind }: Kind): string {
  return `${group}/${version}, Kind=${kind}`;
}

/** The kinds that rules name outright: where there is a wildcard, nothing is known. */
function kindsOf(catalogue: Catalogue, rules: readonly NamedRuleWithOperations[]): readonly Kind[] {
  const found = new Map<string, Kind>();
  for (const { apiGroups = [], apiVersions = [], resources = [] } of rules) {
    if ([...apiGroups, ...apiVersions].some((text) => text.includes("*"))) continue;
    const plain = resources.filter((resource) => !/[*/]/.test(resource));
    const names = apiGroups.flatMap((group) =>
      apiVersions.flatMap((version) => plain.map((plural) => ({ group, version, plural }))),
    );
    for (const { group, version, plural } of names) {
      const kind = catalogue.find(group, version, plural)?.kind;
      if (kind !== undefined) found.set(nameOf(kind), kind);
    }
  }
  return [...found.values()].slice(0, maxTypes).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function paramsOf(catalogue: Catalogue, { apiVersion = "", kind = "" }: { apiVersion?: string; kind?: string }) {
  const { group, version } = parseApiVersion(apiVersion);
  return typed(catalogue.kindOf(group, version, kind)?.kind);
}

function typed(kind: Kind | undefined): Declaration {
  if (kind === undefined) return declareDynamic();
  return declareSchema(kind.schema, { name: kind.kind, root: true }) ?? declareDynamic();
}

function environmentOf(
  compiler: Compiler,
  spec: ValidatingAdmissionPolicy["spec"],
  { kind, params }: { kind: Kind; params: Declaration | undefined },
): Record<string, Declaration> {
  const object = typed(kind);
  const types: Record<string, CelType> = {};
  const variables = {
    ...admissionVariables({ params: params !== undefined, authorizer: true }),
    object,
    oldObject: object,
    ...(params === undefined ? {} : { params }),
  };
  for (const { name, expression } of spec.variables ?? []) {
    const composed = declareObject("kubernetes.variables", types);
    types[name] =
      compiler.compile(expression, { variables: { ...variables, variables: composed } }).program?.type ?? dynType;
  }
  return { ...variables, variables: declareObject("kubernetes.variables", types) };
}
