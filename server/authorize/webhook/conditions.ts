/**
 * Which requests a webhook is asked about: CEL over the review it would get.
 * Source: k8s.io/apiserver/pkg/authorization/cel
 */
import type { SubjectAccessReview } from "@atoll/api/builtin/authorization.k8s.io/v1.types";
import { accessReviewVariables, Compiler, type Program } from "@atoll/machinery/cel/index";
import { spellType } from "@atoll/machinery/cel/types";
import type { FieldErrors, Path } from "@atoll/machinery/field";

/** What all conditions come to: one that is false settles it, else one that failed. */
export type Outcome = { readonly met: boolean } | { readonly error: string };

/** Asked with a review's spec. */
export type Conditions = (spec: SubjectAccessReview["spec"]) => Outcome;

const most = 64;

/** Conditions compiled; errors are added where they are wrong, and then they must not be used. */
export function compileConditions(expressions: readonly string[], at: Path, errors: FieldErrors): Conditions {
  if (expressions.length > most) errors.tooMany(at, expressions.length, most);
  const compiler = new Compiler();
  const programs = expressions.slice(0, most).flatMap((expression, i) => {
    const place = at.index(i).child("expression");
    if (expression.trim() === "") errors.required(place);
    else if (expressions.indexOf(expression) < i) errors.duplicate(place, expression);
    else {
      const compiled = compiler.compile(expression, { variables: accessReviewVariables() }) as {
        program?: Program;
        message?: string;
      };
      if (compiled.program === undefined) errors.invalid(place, expression, `compilation failed: ${compiled.message}`);
      else if (spellType(compiled.program.type) === "bool") return [compiled.program];
      else errors.invalid(place, expression, "must evaluate to bool");
    }
    return [];
  });
  return (spec) => evaluate(programs, spec);
}

function evaluate(programs: readonly Program[], spec: SubjectAccessReview["spec"]): Outcome {
  if (programs.length === 0) return { met: true };
  const request = { extra: {}, ...spec };
  let error: string | undefined;
  for (const program of programs) {
    const outcome = program.evaluate({ request });
    if (outcome.error !== undefined) error ??= outcome.error.message;
    else if (outcome.value !== true) return { met: false };
  }
  return error === undefined ? { met: true } : { error };
}
