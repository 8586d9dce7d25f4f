/** MutatingAdmissionPolicy. Source: k8s.io/kubernetes/pkg/registry/admissionregistration/mutatingadmissionpolicy */
import { Path } from "@atoll/machinery/field";
import type {
  MatchResources,
  MutatingAdmissionPolicy,
  Mutation,
} from "../builtin/admissionregistration.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { Expressions, type Wanted } from "./expressions.ts";
import { checkPolicy, paramKindCell, reinvocationPolicies, setPolicyDefaults } from "./policy.ts";

const patchTypes = ["ApplyConfiguration", "JSONPatch"];
// Objects that go or connect are not written, so there is nothing to change.
const mutable = ["CREATE", "UPDATE"];
const configuration: Wanted = { yields: ["object"], refusal: "must evaluate to Object", authorizer: true };
const patch: Wanted = { yields: ["list"], refusal: "must evaluate to list(JSONPatch)", authorizer: true };

/** The rules of MutatingAdmissionPolicies. */
export const mutatingAdmissionPolicy: Strategy<MutatingAdmissionPolicy> = {
  generation: true,
  setDefaults: ({ spec }) => setPolicyDefaults(spec),
  validate({ spec }, errors) {
    const at = new Place(errors, Path.of("spec"));
    const expressions = new Expressions({ params: spec.paramKind !== undefined, mutating: true, composed: true });
    checkPolicy(spec, expressions, at);
    checkOperations(spec.matchConstraints, at.child("matchConstraints").child("resourceRules"));
    const { mutations = [] } = spec;
    if (mutations.length === 0) at.required("mutations", "mutations must contain at least one item");
    for (const [i, mutation] of mutations.entries()) checkMutation(mutation, expressions, at.item("mutations", i));
    at.oneOf("reinvocationPolicy", spec.reinvocationPolicy, reinvocationPolicies);
  },
  validateUpdate: (object, _, errors) => mutatingAdmissionPolicy.validate?.(object, errors),
  table: {
    columns: [
      nameColumn,
      { name: "Mutations", type: "integer", description: "How many mutations it has.", priority: 0 },
      column("ParamKind", "Kind of its parameters."),
      ageColumn,
    ],
    cells: ({ metadata, spec }, nowMs) => [
      metadata.name ?? "",
      (spec.mutations ?? []).length,
      paramKindCell(spec.paramKind),
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function checkOperations(match: MatchResources | undefined, at: Place): void {
  const wanted = (match?.resourceRules ?? []).flatMap(({ operations = [] }) => operations);
  for (const operation of wanted) {
    if (!mutable.includes(operation)) at.notSupported("operations", operation, mutable);
  }
}

function checkMutation(
  { patchType, applyConfiguration, jsonPatch }: Mutation,
  expressions: Expressions,
  at: Place,
): void {
  switch (patchType) {
    case "":
      at.required("patchType");
      return;
    case "ApplyConfiguration":
      checkPatch("applyConfiguration", applyConfiguration, { expressions, wanted: configuration, at });
      if (jsonPatch !== undefined)
        at.invalid("jsonPatch", "{jsonPatch}", "must not be specified when patchType is ApplyConfiguration");
      return;
    case "JSONPatch":
      checkPatch("jsonPatch", jsonPatch, { expressions, wanted: patch, at });
      if (applyConfiguration !== undefined) {
        at.invalid("applyConfiguration", "{applyConfiguration}", "must not be specified when patchType is JSONPatch");
      }
      return;
    default:
      at.notSupported("patchType", patchType, patchTypes);
  }
}

function checkPatch(
  field: string,
  given: { expression?: string } | undefined,
  { expressions, wanted, at }: { expressions: Expressions; wanted: Wanted; at: Place },
): void {
  const expression = given?.expression ?? "";
  if (given === undefined) at.required(field, "must be specified for this patchType");
  else if (expression.trim() === "") at.child(field).required("expression", "expression is not specified");
  else expressions.check(expression, wanted, at.child(field).child("expression"));
}
