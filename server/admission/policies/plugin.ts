/**
 * What the plugins for validating and mutating policies share: which policies, bindings and parameters a request meets.
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/generic (plugin.go, policy_dispatcher.go)
 */
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import type { Clock } from "@atoll/machinery/clock";
import type { Authorizer } from "../../authorize/stage.ts";
import type { Catalogue, Served } from "../../registry/catalogue.ts";
import type { AdmissionRequest } from "../admission.ts";
import type { AdmissionMetrics } from "../metrics.ts";
import { Asker } from "../expressions/asker.ts";
import { type Attributes, attributesOf, isExempt, type Matched } from "../matching/attributes.ts";
import { match, type Surroundings } from "../matching/criteria.ts";
import type { Equivalents } from "../matching/equivalents.ts";
import type { Namespaces } from "../matching/namespaces.ts";
import { Versions } from "../matching/versions.ts";
import { collectParams, Misconfigured, paramKindOf } from "./params.ts";
import { type BindingObject, type Bound, type Hook, type PolicyObject, PolicySet } from "./set.ts";

/** What policies need of the server. */
export interface PolicyOptions {
  readonly catalogue: Catalogue;
  readonly equivalents: Equivalents;
  readonly namespaces: Namespaces;
  readonly authorizers: readonly Authorizer[];
  readonly metrics: AdmissionMetrics;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** A policy to be run with one binding and one parameter. */
export interface Invocation<P, B, C> {
  readonly hook: Hook<P, B, C>;
  readonly bound: Bound<B>;
  readonly matched: Matched;
  readonly params: ApiObject | undefined;
}

/** A policy or binding that cannot be used. */
export interface Problem {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly problem: string;
  readonly ignore: boolean;
}

/** What a request meets, and what expressions see around it. */
export interface Met<P, B, C> {
  readonly found: readonly (Invocation<P, B, C> | Problem)[];
  /** For expressions: undefined for what is in no namespace, and for Namespaces. */
  readonly namespace: ApiObject | undefined;
  readonly asker: Asker;
  /** The objects as they were when the request met the policies. */
  readonly versions: Versions;
}

interface Kinds<P, C> {
  readonly policies: string;
  readonly bindings: string;
  readonly compile: (policy: P) => C;
}

/** Reviews that are asked, not stored, are not the policies' affair. Source: pkg/kubeapiserver/admission/exclusion */
const excluded: ReadonlySet<string> = new Set([
  "authentication.k8s.io/tokenreviews",
  "authentication.k8s.io/selfsubjectreviews",
  "authorization.k8s.io/localsubjectaccessreviews",
  "authorization.k8s.io/selfsubjectaccessreviews",
  "authorization.k8s.io/selfsubjectrulesreviews",
  "authorization.k8s.io/subjectaccessreviews",
]);

interface Spec {
  readonly failurePolicy?: string;
  readonly paramKind?: { apiVersion?: string; kind?: string };
}

export class PolicyPlugin<P extends PolicyObject & { spec: Spec }, B extends BindingObject, C> {
  readonly #options: PolicyOptions;
  readonly #set: PolicySet<P, B, C>;

  constructor(options: PolicyOptions, kinds: Kinds<P, C>) {
    this.#options = options;
    this.#set = new PolicySet({ ...options, ...kinds });
  }

  /** Resolves when the policies there are, are in force. */
  start(): Promise<void> {
    return this.#set.start();
  }

  close(): void {
    this.#set.close();
  }

  handles(request: AdmissionRequest): boolean {
    if (this.#set.empty || isExempt(request)) return false;
    if (request.kind.virtual === true && excluded.has(`${request.kind.group}/${request.kind.plural}`)) return false;
    return this.#set.candidates(attributesOf(request)).length > 0;
  }

  /** Everything the request meets, in order of policies and bindings. */
  async meet(attributes: Attributes): Promise<Met<P, B, C>> {
    const { namespaces, equivalents, authorizers } = this.#options;
    const around = namespaces.around(attributes);
    const namespace = around instanceof Promise ? await around : around;
    const found: (Invocation<P, B, C> | Problem)[] = [];
    const versions = new Versions(attributes.request);
    const meeting = { attributes, surroundings: { namespace, equivalents }, found, versions };
    for (const hook of this.#set.candidates(attributes)) {
      const matched = match(hook.criteria, attributes, { namespace, equivalents });
      if (matched === undefined) continue;
      await this.#meetPolicy({ hook, matched }, meeting);
    }
    const { kind } = attributes.own;
    const isNamespace = kind.group === "" && kind.kind === "Namespace";
    return {
      found,
      namespace: isNamespace ? undefined : namespace,
      asker: new Asker(authorizers, attributes.request.user),
      versions,
    };
  }

  async #meetPolicy({ hook, matched }: Matching<P, B, C>, meeting: Meeting<P, B, C>): Promise<void> {
    const { attributes, surroundings, found, versions } = meeting;
    const { paramKind, failurePolicy } = hook.policy.spec;
    const trouble = { policy: hook.name, ignore: failurePolicy === "Ignore" };
    let served: Served | undefined;
    try {
      served = paramKindOf(this.#options.catalogue, paramKind);
    } catch (error) {
      found.push({ ...trouble, binding: undefined, problem: `failed to configure policy: ${textOf(error)}` });
      return;
    }
    for (const bound of hook.bindings) {
      if (match(bound.criteria, attributes, surroundings) === undefined) continue;
      if (served === undefined && matched.other === undefined) {
        found.push({ hook, bound, matched, params: undefined });
        continue;
      }
      try {
        await requireConvertible(versions, matched);
        const all = await collectParams(served, bound.binding.spec.paramRef, attributes.namespace);
        for (const params of all) found.push({ hook, bound, matched, params });
      } catch (error) {
        found.push({ ...trouble, binding: bound.name, problem: `failed to configure binding: ${textOf(error)}` });
      }
    }
  }
}

interface Matching<P, B, C> {
  readonly hook: Hook<P, B, C>;
  readonly matched: Matched;
}

interface Meeting<P, B, C> {
  readonly attributes: Attributes;
  readonly surroundings: Surroundings;
  readonly found: (Invocation<P, B, C> | Problem)[];
  readonly versions: Versions;
}

/** @throws {Misconfigured} when the objects cannot be had in the version of the policy's rule */
async function requireConvertible(versions: Versions, matched: Matched): Promise<void> {
  try {
    await versions.of(matched);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw new Misconfigured(`failed to convert object version: ${error.message}`);
  }
}

/** What is wrong with a configuration; anything else is nobody's mistake but ours. */
function textOf(error: unknown): string {
  if (error instanceof Misconfigured) return error.message;
  throw error;
}
