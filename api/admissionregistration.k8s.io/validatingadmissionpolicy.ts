/** ValidatingAdmissionPolicy. Source: k8s.io/kubernetes/pkg/registry/admissionregistration/validatingadmissionpolicy */
import { Path } from "@atoll/machinery/field";
import { qualifiedNameErrors } from "@atoll/machinery/names";
import type {
  AuditAnnotation,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicySpec,
  Validation,
} from "../builtin/admissionregistration.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { condition, Expressions, type Wanted } from "./expressions.ts";
import { checkPolicy, paramKindCell, setPolicyDefaults } from "./policy.ts";

const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];
const maxAuditAnnotations = 20;
const maxValueExpression = 5 * 1024;
const message: Wanted = { yields: ["string"], refusal: "must evaluate to string" };
const annotation: Wanted = {
  yields: ["string", "null_type"],
  refusal: "must evaluate to one of [string null_type]",
  authorizer: true,
};

/** The rules of ValidatingAdmissionPolicies. */
export const validatingAdmissionPolicy: Strategy<ValidatingAdmissionPolicy> = {
  generation: true,
  setDefaults: ({ spec }) => setPolicyDefaults(spec),
  prepareForCreate(object) {
    object.status = {};
  },
  validate({ metadata, spec }, errors) {
    const at = new Place(errors, Path.of("spec"));
    const expressions = new Expressions({ params: spec.paramKind !== undefined, mutating: false, composed: true });
    checkPolicy(spec, expressions, at);
    checkChecks(spec, { expressions, name: metadata.name ?? "" }, at);
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate: (object, _, errors) => validatingAdmissionPolicy.validate?.(object, errors),
  status: {
    validateUpdate({ status }, _, errors) {
      const at = new Place(errors, Path.of("status", "typeChecking"));
      for (const [i, { fieldRef, warning }] of (status.typeChecking?.expressionWarnings ?? []).entries()) {
        const place = at.item("expressionWarnings", i);
        if (fieldRef === "") place.required("fieldRef");
        if (warning === "") place.required("warning");
      }
    },
  },
  table: {
    columns: [
      nameColumn,
      { name: "Validations", type: "integer", description: "How many validations it has.", priority: 0 },
      column("ParamKind", "Kind of its parameters."),
      ageColumn,
    ],
    cells: ({ metadata, spec }, nowMs) => [
      metadata.name ?? "",
      (spec.validations ?? []).length,
      paramKindCell(spec.paramKind),
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

interface Known {
  readonly expressions: Expressions;
  /** Of the policy. */
  readonly name: string;
}

function checkChecks(
  { validations = [], auditAnnotations = [] }: ValidatingAdmissionPolicySpec,
  known: Known,
  at: Place,
) {
  if (validations.length + auditAnnotations.length === 0) {
    const why = "validations or auditAnnotations must contain at least one entry";
    at.required("validations", why);
    at.required("auditAnnotations", why);
  }
  for (const [i, validation] of validations.entries()) {
    checkValidation(validation, known.expressions, at.item("validations", i));
  }
  if (auditAnnotations.length > maxAuditAnnotations) {
    at.invalid("auditAnnotations", auditAnnotations, "must not have more than 20 auditAnnotations");
  }
  const keys = auditAnnotations.map(({ key }) => key);
  for (const [i, given] of auditAnnotations.entries()) {
    const place = at.item("auditAnnotations", i);
    checkAnnotation(given, known, place);
    if (keys.indexOf(given.key) < i) place.duplicate("key", given.key);
  }
}

function checkValidation(validation: Validation, expressions: Expressions, at: Place): void {
  const { expression, message: text = "", messageExpression = "", reason } = validation;
  if (expression.trim() === "") at.required("expression", "expression is not specified");
  else expressions.check(expression, condition, at.child("expression"));
  if (messageExpression !== "" && messageExpression.trim() === "") {
    at.invalid("messageExpression", messageExpression, "must be non-empty if specified");
  } else if (messageExpression !== "") expressions.check(messageExpression, message, at.child("messageExpression"));
  const lines = /[\r\n]/;
  if (text !== "" && text.trim() === "") at.invalid("message", text, "message must be non-empty if specified");
  else if (lines.test(text.trim())) at.invalid("message", text, "message must not contain line breaks");
  else if (text === "" && lines.test(expression.trim())) {
    at.required("message", "message must be specified if expression contains line breaks");
  }
  if (reason !== undefined && !reasons.includes(reason)) at.notSupported("reason", reason, reasons);
}

/** A key becomes part of an annotation's, after the policy's name. */
function checkAnnotation({ key, valueExpression }: AuditAnnotation, { expressions, name }: Known, at: Place): void {
  const whole = name === "" ? key : `${name}/${key}`;
  at.each("key", whole, qualifiedNameErrors(whole));
  const trimmed = valueExpression.trim();
  if (trimmed === "") at.required("valueExpression", "valueExpression is not specified");
  else if (trimmed.length > maxValueExpression) at.required("valueExpression", "must not exceed 5kb in length");
  else expressions.check(valueExpression, annotation, at.child("valueExpression"));
}
