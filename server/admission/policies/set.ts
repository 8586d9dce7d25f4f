/**
 * The policies in force, compiled once, with their bindings, and found by what a request is about.
 *
 *     policy or binding written ─▶ marked stale ─▶ next request: what changed is compiled, the index starts afresh
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/generic/policy_source.go
 */
import type { MatchResources } from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import type { BindingSpec } from "@atoll/api/admissionregistration.k8s.io/binding";
import type { Clock } from "@atoll/machinery/clock";
import type { ObjectMeta } from "@atoll/machinery/object";
import type { Catalogue } from "../../registry/catalogue.ts";
import { FollowedObjects } from "../../registry/followedobjects.ts";
import type { Attributes } from "../matching/attributes.ts";
import { Candidates } from "../matching/candidates.ts";
import { type Criteria, criteriaOf } from "../matching/criteria.ts";
import type { Equivalents } from "../matching/equivalents.ts";

/** A policy of either kind. */
export interface PolicyObject {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly matchConstraints?: MatchResources };
}

/** A binding of either kind. */
export interface BindingObject {
  readonly metadata: ObjectMeta;
  readonly spec: BindingSpec;
}

/** A binding with its criteria read. */
export interface Bound<B> {
  readonly name: string;
  readonly binding: B;
  readonly criteria: Criteria;
}

/** A policy ready to run. `C` is what compiling made of it. */
export interface Hook<P, B, C> {
  readonly name: string;
  readonly policy: P;
  readonly compiled: C;
  readonly criteria: Criteria;
  readonly bindings: readonly Bound<B>[];
}

export interface PolicySetOptions<P, C> {
  readonly catalogue: Catalogue;
  readonly equivalents: Equivalents;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
  /** Plural names of the two kinds. */
  readonly policies: string;
  readonly bindings: string;
  readonly compile: (policy: P) => C;
}

interface Kept<C> {
  readonly version: string;
  readonly compiled: C;
  readonly criteria: Criteria;
}

export class PolicySet<P extends PolicyObject, B extends BindingObject, C> {
  readonly #options: PolicySetOptions<P, C>;
  readonly #policies: FollowedObjects<P>;
  readonly #bindings: FollowedObjects<B>;
  readonly #compiled = new Map<string, Kept<C>>();
  readonly #candidates: Candidates<Hook<P, B, C>>;
  #stale = true;

  constructor(options: PolicySetOptions<P, C>) {
    this.#options = options;
    this.#candidates = new Candidates(options);
    this.#policies = this.#follow(options.policies);
    this.#bindings = this.#follow(options.bindings);
  }

  /** Resolves when the policies there are, are in force. */
  async start(): Promise<void> {
    await Promise.all([this.#policies.start(), this.#bindings.start()]);
  }

  close(): void {
    this.#policies.close();
    this.#bindings.close();
  }

  /** Whether there are no bound policies at all: the usual case, told without looking at the request. */
  get empty(): boolean {
    if (this.#stale) this.#refresh();
    return this.#candidates.empty;
  }

  /** Policies that requests of this sort can match, labels and names aside; by name. */
  candidates(attributes: Attributes): readonly Hook<P, B, C>[] {
    if (this.#stale) this.#refresh();
    return this.#candidates.of(attributes);
  }

  #follow<T>(plural: string): FollowedObjects<T> {
    const { catalogue, clock, onError } = this.#options;
    const resource = catalogue.resource("admissionregistration.k8s.io", plural);
    if (resource === undefined) throw new TypeError(`${plural} are not served`);
    return new FollowedObjects<T>({ resource, clock, onError, onChange: () => (this.#stale = true) });
  }

  #refresh(): void {
    this.#stale = false;
    const bindings = Map.groupBy(this.#bindings.all(), ({ spec }) => spec.policyName ?? "");
    const policies = this.#policies.all();
    const hooks = policies.flatMap((policy) => {
      const name = policy.metadata.name ?? "";
      const own = bindings.get(name) ?? [];
      if (own.length === 0) return [];
      const { compiled, criteria } = this.#compile(name, policy);
      return [{ name, policy, compiled, criteria, bindings: own.map(bound) }];
    });
    this.#candidates.replace(hooks);
    const there = new Set(policies.map(({ metadata }) => metadata.name));
    for (const name of this.#compiled.keys()) if (!there.has(name)) this.#compiled.delete(name);
  }

  /** A write of the status changes nothing here. */
  #compile(name: string, policy: P): Kept<C> {
    const version = `${policy.metadata.uid}/${policy.metadata.generation}`;
    const known = this.#compiled.get(name);
    if (known?.version === version) return known;
    const kept = {
      version,
      compiled: this.#options.compile(policy),
      criteria: criteriaOf(policy.spec.matchConstraints),
    };
    this.#compiled.set(name, kept);
    return kept;
  }
}

function bound<B extends BindingObject>(binding: B): Bound<B> {
  return {
    name: binding.metadata.name ?? "",
    binding,
    criteria: criteriaOf(binding.spec.matchResources),
  };
}
