/**
 * Expressions of webhooks and policies: whether they compile, and to what.
 * Source: k8s.io/kubernetes/pkg/apis/admissionregistration/validation (validateCELCondition, validateMatchConditions)
 */
import {
  admissionVariables,
  type CelType,
  Compiler,
  dynType,
  kubernetesLibraries,
  mutation,
} from "@atoll/machinery/cel/index";
import { qualifiedNameErrors } from "@atoll/machinery/names";
import type { MatchCondition, Variable } from "../builtin/admissionregistration.k8s.io/v1.types.ts";
import type { Place } from "../core/podspec/place.ts";

const maxConditions = 64;
const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
// Source: k8s.io/kubernetes/pkg/apis/admissionregistration/validation (isCELIdentifier): CEL's reserved words
const reserved: ReadonlySet<string> = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

/** What an expression's place offers and wants. */
export interface Wanted {
  /** Kinds of types it may yield; none: any. */
  readonly yields: readonly string[];
  /** The refusal when it yields another. */
  readonly refusal: string;
  readonly authorizer?: boolean;
}

/** A condition; also a validation. */
export const condition: Wanted = { yields: ["bool"], refusal: "must evaluate to bool", authorizer: true };

/** The expressions of one policy or webhook; compiled when there are any, so that others pay nothing. */
export class Expressions {
  readonly #params: boolean;
  readonly #mutating: boolean;
  readonly #types: Record<string, CelType> | undefined;
  #compiler: Compiler | undefined;

  /** @param composed whether it has variables of its own */
  constructor({ params, mutating, composed }: { params: boolean; mutating: boolean; composed: boolean }) {
    this.#params = params;
    this.#mutating = mutating;
    this.#types = composed ? {} : undefined;
  }

  /** Checks one expression at a place. */
  check(expression: string, wanted: Wanted, at: Place): void {
    const found = this.#compile(expression, wanted.authorizer === true);
    if (found.type === undefined) at.invalid("", expression, `compilation failed: ${found.message}`);
    else if (wanted.yields.length > 0 && !wanted.yields.includes(found.type.kind)) {
      at.invalid("", expression, wanted.refusal);
    }
  }

  /** Checks a variable, and lets expressions that follow use it. */
  declare({ name, expression }: Variable, at: Place): void {
    if (name.trim() === "") at.required("name", "name is not specified");
    else if (!identifier.test(name) || reserved.has(name)) {
      at.invalid("name", name, "name is not a valid CEL identifier");
    }
    if (expression.trim() === "") {
      at.required("expression", "expression is not specified");
      return;
    }
    const { type, message } = this.#compile(expression, true);
    if (type === undefined) at.invalid("expression", expression, `compilation failed: ${message}`);
    // What uses a variable that does not compile is not at fault.
    if (this.#types !== undefined) this.#types[name] = type ?? dynType;
  }

  #compile(expression: string, authorizer: boolean): { type: CelType | undefined; message: string } {
    this.#compiler ??= new Compiler(this.#mutating ? [...kubernetesLibraries, mutation] : kubernetesLibraries);
    const variables = admissionVariables({
      params: this.#params,
      authorizer,
      ...(this.#types === undefined ? {} : { variables: this.#types }),
    });
    const compiled = this.#compiler.compile(expression, { variables });
    return { type: compiled.program?.type, message: compiled.program === undefined ? compiled.message : "" };
  }
}

/** The `matchConditions` of a place: each has to hold, and has a name of its own. */
export function checkMatchConditions(
  conditions: readonly MatchCondition[] = [],
  expressions: Expressions,
  at: Place,
): void {
  if (conditions.length > maxConditions)
    at.errors.tooMany(at.path.child("matchConditions"), conditions.length, maxConditions);
  const names = conditions.map(({ name }) => name);
  for (const [i, { name, expression }] of conditions.entries()) {
    const place = at.item("matchConditions", i);
    if (expression.trim() === "") place.required("expression");
    else expressions.check(expression.trim(), condition, place.child("expression"));
    if (name === "") place.required("name");
    else place.each("name", name, qualifiedNameErrors(name));
    if (name !== "" && names.indexOf(name) < i) place.duplicate("name", name);
  }
}
