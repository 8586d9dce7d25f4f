/**
 * What bindings of validating and mutating policies share.
 * Source: k8s.io/kubernetes/pkg/apis/admissionregistration/validation (validateParamRef), …/v1/defaults.go
 */
import { dns1123SubdomainErrors, pathSegmentErrors } from "@atoll/machinery/names";
import type { MatchResources, ParamRef } from "../builtin/admissionregistration.k8s.io/v1.types.ts";
import { ageColumn, column, nameColumn } from "../cells.ts";
import type { Place } from "../core/podspec/place.ts";
import { checkSelector } from "../core/podspec/selector.ts";
import type { Column } from "../kind.ts";
import { checkMatch } from "./matching.ts";

const notFoundActions = ["Allow", "Deny"];

/** The fields both kinds of binding have. */
export interface BindingSpec {
  policyName?: string;
  paramRef?: ParamRef;
  matchResources?: MatchResources;
}

/** Columns of both kinds. */
export const bindingColumns: readonly Column[] = [
  nameColumn,
  column("PolicyName", "The policy it puts to use."),
  column("ParamRef", "The parameters it hands to the policy."),
  ageColumn,
];

/** Checks the fields both kinds have. */
export function checkBinding({ policyName = "", paramRef, matchResources }: BindingSpec, at: Place): void {
  if (policyName === "") at.required("policyName");
  else at.each("policyName", policyName, dns1123SubdomainErrors(policyName));
  if (paramRef !== undefined) checkParamRef(paramRef, at.child("paramRef"));
  if (matchResources !== undefined) checkMatch(matchResources, at.child("matchResources"));
}

function checkParamRef({ name = "", selector, parameterNotFoundAction }: ParamRef, at: Place): void {
  if (name !== "") {
    at.each("name", name, pathSegmentErrors(name, false));
    if (selector !== undefined) at.forbidden("name", "name and selector are mutually exclusive");
  }
  if (selector !== undefined) {
    checkSelector(selector, at.child("selector"));
    if (name !== "") at.forbidden("selector", "name and selector are mutually exclusive");
  } else if (name === "") at.required("", "one of name or selector must be specified");
  at.oneOf("parameterNotFoundAction", parameterNotFoundAction, notFoundActions);
}

/** `namespace/name`, `*` for a selector, `<unset>` when there is none. */
export function paramRefCell(ref: ParamRef | undefined): string {
  if (ref === undefined) return "<unset>";
  const what = ref.name !== undefined && ref.name !== "" ? ref.name : "*";
  return ref.namespace !== undefined && ref.namespace !== "" ? `${ref.namespace}/${what}` : `*/${what}`;
}
