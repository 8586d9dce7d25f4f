/**
 * The admission plugin MutatingAdmissionPolicy.
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/mutating/dispatcher.go
 */
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import { Compiler, kubernetesLibraries, mutation } from "@atoll/machinery/cel/index";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { type FieldType, typeOfKind } from "@atoll/machinery/patch/types";
import type { Schema } from "@atoll/machinery/schema/schema";
import { type Reason, StatusError } from "@atoll/machinery/status";
import { clone } from "../../registry/versions.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import type { Inputs } from "../expressions/inputs.ts";
import { type Attributes, attributesOf, forbidden, type Matched } from "../matching/attributes.ts";
import { type Kept, keptOf, requireAgain } from "../matching/reinvocation.ts";
import { bodyKindOf, replaceObject } from "../matching/replace.ts";
import { Versions } from "../matching/versions.ts";
import { applies, compileMutations, evaluate, MutationFailed, type Mutations, patched } from "./mutations.ts";
import { type Invocation, type Met, type PolicyOptions, PolicyPlugin } from "./plugin.ts";

type Policy = MutatingAdmissionPolicy;
type Binding = MutatingAdmissionPolicyBinding;
type Invoked = Invocation<Policy, Binding, Mutations>;

/** Something that speaks against a request. */
interface Denial {
  readonly message: string;
  readonly reason: Reason | undefined;
}

/** The plugin, and its start and end. */
export class MutatingPolicies extends PolicyPlugin<Policy, Binding, Mutations> implements AdmissionPlugin {
  readonly name = "MutatingAdmissionPolicy";
  readonly #forms = new WeakMap<Schema, FieldType>();

  constructor(options: PolicyOptions) {
    const compiler = new Compiler([...kubernetesLibraries, mutation]);
    super(options, {
      policies: "mutatingadmissionpolicies",
      bindings: "mutatingadmissionpolicybindings",
      compile: (policy) => compileMutations(compiler, policy),
    });
  }

  override handles(request: AdmissionRequest): boolean {
    return request.object !== undefined && super.handles(request);
  }

  /** @throws {StatusError} when a policy with the failure policy Fail fails */
  async mutate(request: AdmissionRequest): Promise<void> {
    const attributes = attributesOf(request);
    const met = await this.meet(attributes);
    const kept = keptOf(request, this.name);
    const { reinvocation } = request;
    if (reinvocation.running && !deepEqual(kept.last, request.object)) requireAgain(kept);
    const denials: Denial[] = [];
    let changed = false;
    for (const each of met.found) {
      if ("problem" in each) {
        const { policy, binding, problem, ignore } = each;
        if (!ignore) denials.push({ message: spell(policy, binding, problem), reason: undefined });
      } else if (await this.#invoke(each, { attributes, met, kept, denials })) changed = true;
    }
    if (changed) {
      requireAgain(kept);
      reinvocation.wanted = true;
    }
    kept.last = clone(request.object);
    refuse(attributes, denials);
  }

  /** Runs one policy with one parameter; says whether the object changed. */
  async #invoke(invocation: Invoked, { attributes, met, kept, denials }: Running): Promise<boolean> {
    const { request } = attributes;
    const { hook, bound, params } = invocation;
    const deny = (message: string): boolean => {
      if (!hook.compiled.ignore) denials.push({ message: spell(hook.name, bound.name, message), reason: "Invalid" });
      return false;
    };
    const inputs = await inputsOf(invocation, attributes, met);
    const held = await met.asker.settle(() => applies(hook.compiled, inputs));
    if (held.error !== undefined) return deny(held.error);
    if (!held.matches) return false;
    const key = `${hook.name} ${bound.name} ${placeOf(params)}`;
    if (request.reinvocation.running && !kept.due.has(key)) return false;
    const before = clone(request.object);
    for (const step of hook.compiled.steps) {
      const failure = await this.#take(invocation, step, { attributes, met });
      if (failure !== undefined) deny(failure);
    }
    const changed = !deepEqual(before, request.object);
    if (changed) requireAgain(kept);
    if (hook.compiled.again) kept.ran.add(key);
    return changed;
  }

  /** Takes one step of a policy; gives what went wrong. */
  async #take(
    invocation: Invoked,
    step: Mutations["steps"][number],
    { attributes, met }: Pick<Running, "attributes" | "met">,
  ): Promise<string | undefined> {
    const { hook, matched } = invocation;
    const { request } = attributes;
    const inputs = await inputsOf(invocation, attributes, met);
    const { object } = inputs.objects;
    if (object === undefined) return undefined;
    try {
      const value = await met.asker.settle(() => evaluate(hook.compiled, step, inputs));
      const made = patched(step, value, { object, form: this.#formOf(request, matched) });
      await replaceObject(request, matched, made, { strict: true });
      return undefined;
    } catch (error) {
      if (error instanceof MutationFailed || error instanceof StatusError) return error.message;
      throw error;
    }
  }

  #formOf(request: AdmissionRequest, matched: Matched): FieldType {
    const { schema } = bodyKindOf(request, matched);
    const known = this.#forms.get(schema);
    if (known !== undefined) return known;
    const form = typeOfKind(schema);
    this.#forms.set(schema, form);
    return form;
  }
}

interface Running {
  readonly attributes: Attributes;
  readonly met: Met<Policy, Binding, Mutations>;
  readonly kept: Kept;
  readonly denials: Denial[];
}

/** Names a parameter. */
function placeOf(params: ApiObject | undefined): string {
  return params === undefined ? "" : `${params.metadata.namespace ?? ""}/${params.metadata.name ?? ""}`;
}

/** The object as it is now. */
async function inputsOf(
  { matched, params }: Invoked,
  attributes: Attributes,
  { namespace, asker }: Met<Policy, Binding, Mutations>,
): Promise<Inputs> {
  const objects = await new Versions(attributes.request).of(matched);
  return { attributes, matched, objects, namespace, params, asker };
}

/** Source: PolicyError.Error */
function spell(policy: string, binding: string | undefined, message: string): string {
  return binding === undefined
    ? `policy ${JSON.stringify(policy)} denied request: ${message}`
    : `policy '${policy}' with binding '${binding}' denied request: ${message}`;
}

/** Upstream changes the reason, and leaves the number that Forbidden has. */
function refuse(attributes: Attributes, denials: readonly Denial[]): void {
  const [first] = denials;
  if (first === undefined) return;
  const { details } = forbidden(attributes, "");
  const causes = denials.map(({ message }) => ({ message }));
  throw new StatusError(first.reason ?? "Forbidden", first.message, { code: 403, details: { ...details, causes } });
}
