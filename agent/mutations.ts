/** What would be written into objects that exist already if they were made now: the MutatingAdmissionPolicies of a Trial. Pure. */
import type { Work } from "@atoll/api/fleet/v1alpha1/work";
import type { Resource } from "@atoll/client/resource";
import { Compiler, kubernetesLibraries, mutation, NotJson, type Program, toJson } from "@atoll/machinery/cel/index";
import type { ApiObject } from "@atoll/machinery/object";
import { isWithin } from "./plan.ts";
import { bindingsOf, boundOf, compileOne, concerns, type Matching, reaches } from "./violations.ts";

interface Mutation extends Matching {
  readonly mutations?: readonly { readonly applyConfiguration?: { readonly expression: string } }[];
}

/** A policy, ready to say what it would change. */
export interface Mutator {
  /** KIND/NAME of the policy on the hub. */
  readonly source: string;
  /** Whether it is about such objects. */
  concerns(resource: Resource): boolean;
  /** Whether it would write something into an object. @param home the object's namespace */
  changes(object: ApiObject, resource: Resource, home: ApiObject | undefined): boolean;
}

/** The policies among objects that write into what is made. */
export function mutatorsOf(objects: Work["spec"]["objects"]): readonly Mutator[] {
  const compiler = new Compiler([...kubernetesLibraries, mutation]);
  return boundOf<Mutation>("MutatingAdmissionPolicy", objects).map(({ source, spec, reach }) => {
    const isReached = reaches(reach);
    const compiled = (expression: string) => compileOne(compiler, expression, {});
    const conditions = (spec.matchConditions ?? []).map(({ expression }) => compiled(expression));
    const writes = (spec.mutations ?? []).map((each) => compiled(each.applyConfiguration?.expression ?? "Object{}"));
    return {
      source,
      concerns: (resource) => concerns(spec, resource),
      changes(object, resource, home) {
        if (!isReached(object, resource, home)) return false;
        const bindings = bindingsOf(object, resource, { namespace: home, variables: [] });
        if (conditions.some((condition) => condition?.evaluate(bindings).value === false)) return false;
        return writes.some((program) => !isWithin(writtenBy(program, bindings), object));
      },
    };
  });
}

/** Nothing when it cannot be told. */
function writtenBy(program: Program | undefined, bindings: Readonly<Record<string, unknown>>): unknown {
  const { value, error } = program?.evaluate(bindings) ?? {};
  if (value === undefined || error !== undefined) return {};
  try {
    return toJson(value);
  } catch (cause) {
    if (!(cause instanceof NotJson)) throw cause;
    return {};
  }
}
