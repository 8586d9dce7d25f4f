/**
 * What validating and mutating admission policies share.
 * Source: k8s.io/kubernetes/pkg/apis/admissionregistration/validation, …/v1/defaults.go
 */
import { dns1035LabelErrors, dns1123SubdomainErrors } from "@atoll/machinery/names";
import type {
  MatchCondition,
  MatchResources,
  ParamKind,
  Variable,
} from "../builtin/admissionregistration.k8s.io/v1.types.ts";
import type { Place } from "../core/podspec/place.ts";
import { checkMatchConditions, type Expressions } from "./expressions.ts";
import { checkChoice, checkMatch, failurePolicies, setMatchDefaults } from "./matching.ts";

/** When a mutation may run again. */
export const reinvocationPolicies: readonly string[] = ["Never", "IfNeeded"];

/** The fields both kinds of policy have. */
export interface PolicySpec {
  failurePolicy?: string;
  paramKind?: ParamKind;
  matchConstraints?: MatchResources;
  matchConditions?: MatchCondition[];
  variables?: Variable[];
}

/** Fills what a policy leaves out. */
export function setPolicyDefaults(spec: PolicySpec): void {
  spec.failurePolicy ??= "Fail";
  setMatchDefaults(spec.matchConstraints);
}

/** Checks the fields both kinds have; variables are known to `expressions` afterwards. */
export function checkPolicy(spec: PolicySpec, expressions: Expressions, at: Place): void {
  checkChoice(spec.failurePolicy, failurePolicies, at.child("failurePolicy"));
  if (spec.paramKind !== undefined) checkParamKind(spec.paramKind, at.child("paramKind"));
  if (spec.matchConstraints === undefined) at.required("matchConstraints");
  else {
    const place = at.child("matchConstraints");
    checkMatch(spec.matchConstraints, place);
    if ((spec.matchConstraints.resourceRules ?? []).length === 0) place.required("resourceRules");
  }
  checkMatchConditions(spec.matchConditions, expressions, at);
  for (const [i, variable] of (spec.variables ?? []).entries()) expressions.declare(variable, at.item("variables", i));
}

function checkParamKind({ apiVersion = "", kind = "" }: ParamKind, at: Place): void {
  if (apiVersion === "") at.required("apiVersion");
  else checkApiVersion(apiVersion, at);
  const wrong = dns1035LabelErrors(kind.toLowerCase());
  if (kind === "") at.required("kind");
  else if (wrong.length > 0) {
    at.invalid("kind", kind, `may have mixed case, but should otherwise match: ${wrong.join(",")}`);
  }
}

function checkApiVersion(apiVersion: string, at: Place): void {
  const parts = apiVersion.split("/");
  if (parts.length > 2) {
    at.invalid("apiVersion", apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
    return;
  }
  const version = parts.at(-1) ?? "";
  const group = parts.length === 2 ? (parts[0] ?? "") : "";
  const wrongGroup = group === "" ? [] : dns1123SubdomainErrors(group);
  if (wrongGroup.length > 0) at.invalid("apiVersion", group, wrongGroup.join(","));
  const wrongVersion = dns1035LabelErrors(version);
  if (version === "") at.invalid("apiVersion", apiVersion, "version must be specified");
  else if (wrongVersion.length > 0) at.invalid("apiVersion", version, wrongVersion.join(","));
}

/** `v1/ConfigMap`, `<unset>` when there is none. */
export function paramKindCell(kind: ParamKind | undefined): string {
  return kind === undefined ? "<unset>" : `${kind.apiVersion ?? ""}/${kind.kind ?? ""}`;
}
