/**
 * A MutatingAdmissionPolicy, compiled, and what each of its mutations makes of an object.
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/mutating (patch/smd.go, patch/json_patch.go)
 */
import type { MutatingAdmissionPolicy, Mutation } from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import {
  type AdmissionOptions,
  type Compiler,
  CostBudget,
  MadeObject,
  misplacedTypes,
  NotJson,
  objectBudget,
  toJson,
  type Value,
} from "@atoll/machinery/cel/index";
import { ListValue } from "@atoll/machinery/cel/values";
import type { ApiObject } from "@atoll/machinery/object";
import { mergeConfiguration } from "@atoll/machinery/patch/combine";
import { BadValue } from "@atoll/machinery/patch/items";
import { applyJsonPatch, TestFailed } from "@atoll/machinery/patch/json";
import { checkForm } from "@atoll/machinery/patch/owned";
import type { FieldType } from "@atoll/machinery/patch/types";
import { StatusError } from "@atoll/machinery/status";
import { compileConditions, type Held, hold } from "../expressions/conditions.ts";
import { compile, type Expression, OutOfBudget, run } from "../expressions/expression.ts";
import { bind, type Inputs } from "../expressions/inputs.ts";
import { compileVariables, Composition, type Variables } from "../expressions/variables.ts";
import { atomics } from "./atomics.ts";

interface Step {
  readonly type: Mutation["patchType"];
  readonly expression: Expression;
}

/** A policy's expressions, ready to run. */
export interface Mutations {
  readonly ignore: boolean;
  readonly conditions: readonly Expression[];
  readonly variables: Variables;
  readonly steps: readonly Step[];
  /** Whether it runs again when a later one changed the object. */
  readonly again: boolean;
}

/** A mutation that cannot be done; the message is for the client. */
export class MutationFailed extends Error {
  override readonly name = "MutationFailed";
}

/** Compiles all that a policy says; what does not compile is told when it would run. */
export function compileMutations(compiler: Compiler, { spec }: MutatingAdmissionPolicy): Mutations {
  const params = spec.paramKind !== undefined;
  const variables = compileVariables(compiler, spec.variables, { params, authorizer: true });
  const options: AdmissionOptions = { params, authorizer: true, variables: variables.types };
  return {
    ignore: spec.failurePolicy === "Ignore",
    conditions: compileConditions(compiler, spec.matchConditions, { params, authorizer: true, variables: {} }),
    variables,
    steps: (spec.mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) => ({
      type: patchType,
      expression: compile(compiler, applyConfiguration?.expression ?? jsonPatch?.expression ?? "", options),
    })),
    again: spec.reinvocationPolicy === "IfNeeded",
  };
}

/** Whether the policy's conditions hold. */
export function applies(policy: Mutations, inputs: Inputs): Held {
  const composition = new Composition(policy.variables);
  return hold(policy.conditions, composition.within(bind(inputs, composition)), policy.ignore, composition.spent);
}

/** What a mutation asks for. @throws {MutationFailed} */
export function evaluate({ variables }: Mutations, { expression }: Step, inputs: Inputs): Value {
  const composition = new Composition(variables);
  const bindings = composition.within(bind(inputs, composition));
  try {
    const outcome = run(expression, bindings, new CostBudget(objectBudget), composition.spent);
    if (outcome.error !== undefined) throw new MutationFailed(outcome.error);
    return outcome.value;
  } catch (stop) {
    if (!(stop instanceof OutOfBudget)) throw stop;
    throw new MutationFailed(stop.message);
  }
}

/**
 * The object with what a mutation asks for; not decoded yet.
 * @param object not changed
 * @throws {MutationFailed}
 */
export function patched(
  { type }: Step,
  value: Value,
  { object, form }: { object: ApiObject; form: FieldType },
): unknown {
  if (type === "JSONPatch") return withOperations(object, operationsOf(value));
  if (!(value instanceof MadeObject)) {
    throw new MutationFailed("unsupported return type from ApplyConfiguration expression");
  }
  requirePlaces(value, "Object");
  const { apiVersion, kind } = object;
  return merged(object, { ...(jsonOf(value) as Record<string, unknown>), apiVersion, kind }, form);
}

function merged(object: ApiObject, configuration: Record<string, unknown>, form: FieldType): unknown {
  try {
    checkForm(form, configuration);
  } catch (cause) {
    if (!(cause instanceof BadValue)) throw cause;
    throw new MutationFailed(`error applying patch: failed to convert patch object to typed object: ${cause.message}`);
  }
  const replaced = atomics(form, configuration);
  if (replaced.length > 0) {
    const why = `may not mutate atomic arrays, maps or structs: ${replaced.join(", ")}`;
    throw new MutationFailed(`error applying patch: invalid ApplyConfiguration: ${why}`);
  }
  try {
    return mergeConfiguration(form, object, configuration);
  } catch (cause) {
    if (!(cause instanceof BadValue)) throw cause;
    throw new MutationFailed(`error applying patch: failed to merge patch: ${cause.message}`);
  }
}

/** Leaves the object as it is when a `test` operation does not hold. */
function withOperations(object: ApiObject, operations: readonly unknown[]): unknown {
  try {
    return applyJsonPatch(object, operations);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    if (error.cause instanceof TestFailed) return object;
    throw new MutationFailed(`JSON Patch: ${error.cause instanceof Error ? error.cause.message : error.message}`);
  }
}

function operationsOf(value: Value): readonly unknown[] {
  if (!(value instanceof ListValue)) {
    throw new MutationFailed("type mismatch: JSONPatchType.expression should evaluate to array");
  }
  return Array.from({ length: value.size }, (_, i) => operationOf(value.at(i)));
}

function operationOf(item: Value): Record<string, unknown> {
  if (!(item instanceof MadeObject) || item.typeName !== "JSONPatch") {
    throw new MutationFailed("type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch");
  }
  const content = item.field("value");
  if (content instanceof MadeObject) requirePlaces(content, content.typeName);
  const from = item.field("from") ?? "";
  return {
    op: item.field("op") ?? "",
    path: item.field("path") ?? "",
    ...(from === "" ? {} : { from }),
    ...(content === undefined ? {} : { value: jsonOf(content) }),
  };
}

function requirePlaces(value: MadeObject, root: string): void {
  const wrong = misplacedTypes(value, root);
  if (wrong.length > 0) throw new MutationFailed(`type mismatch: ${wrong.join("\n")}`);
}

function jsonOf(value: Value): unknown {
  try {
    return toJson(value);
  } catch (cause) {
    if (!(cause instanceof NotJson)) throw cause;
    throw new MutationFailed(`expression evaluated to a type that could not marshal to JSON: ${cause.message}`);
  }
}
