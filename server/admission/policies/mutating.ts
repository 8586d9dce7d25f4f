/**
 * The admission plugin MutatingAdmissionPolicy.
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/mutating/dispatcher.go
 */
import type { Kind } from "@atoll/api/kind";
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import { Compiler, kubernetesLibraries, mutation } from "@atoll/machinery/cel/index";
import { builtinSchema } from "@atoll/api/schemas";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { type FieldType, typeOfKind } from "@atoll/machinery/patch/types";
import type { Schema } from "@atoll/machinery/schema/schema";
import { type Reason, StatusError } from "@atoll/machinery/status";
import { clone } from "../../registry/versions.ts";
import { decodeObject } from "../../verbs/body.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import type { Inputs } from "../expressions/inputs.ts";
import { type Attributes, attributesOf, forbidden, type Matched } from "../matching/attributes.ts";
import { ownVersion, Versions } from "../matching/versions.ts";
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

/** What is remembered between the first run and the second. */
interface Kept {
  /** Policies that may run again, by key, and were run. */
  readonly ran: Set<string>;
  /** Those of them that are to. */
  readonly due: Set<string>;
  /** The object as the policies left it. */
  last: unknown;
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
      await replace(request, matched, patched(step, value, { object, form: this.#formOf(request, matched) }));
      return undefined;
    } catch (error) {
      if (error instanceof MutationFailed) return error.message;
      throw error;
    }
  }

  #formOf(request: AdmissionRequest, matched: Matched): FieldType {
    const { schema } = kindOf(request, matched);
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

/** Puts what a mutation made in the object's place, decoded and defaulted as if a client had sent it. */
async function replace(request: AdmissionRequest, matched: Matched, value: unknown): Promise<void> {
  const { object } = request;
  if (object === undefined) return;
  const kind = kindOf(request, matched);
  const given = decoded(kind, value);
  kind.strategy.setDefaults?.(given);
  const own = await ownVersion(request, matched, given);
  for (const field of Object.keys(object)) delete object[field];
  Object.assign(object, own);
}

/** The kind of what is written, which for some subresources is not the resource's. */
function kindOf({ kind: own }: AdmissionRequest, { other, kind: body }: Matched): Kind {
  const kind = other ?? own;
  if (body.kind === kind.kind && body.group === kind.group) return kind;
  const { group, version } = body;
  const schema = builtinSchema(`${group === "" ? "core" : group}/${version}`, body.kind);
  const { decode: _, ...rest } = kind;
  return { ...rest, group, version, kind: body.kind, schema, strategy: {} };
}

function decoded(kind: Kind, value: unknown): ApiObject {
  try {
    const { object, odd } = decodeObject(kind, { value: clone(value), duplicates: [] }, { origin: "patch" });
    if (odd.length === 0) return object;
    throw new MutationFailed(`strict decoding error: ${odd.join(", ")}`);
  } catch (cause) {
    if (!(cause instanceof StatusError)) throw cause;
    throw new MutationFailed(cause.message);
  }
}

function keptOf({ reinvocation }: AdmissionRequest, name: string): Kept {
  const known = reinvocation.kept.get(name);
  if (known !== undefined) return known as Kept;
  const kept: Kept = { ran: new Set(), due: new Set(), last: undefined };
  reinvocation.kept.set(name, kept);
  return kept;
}

function requireAgain({ ran, due }: Kept): void {
  for (const key of ran) due.add(key);
  ran.clear();
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
