/**
 * The webhooks in force: of each configuration in order of names, each webhook in its own order; match conditions
 * compiled once.
 * Source: k8s.io/apiserver/pkg/admission/configuration (…_webhook_manager.go)
 */
import type {
  MutatingWebhook,
  RuleWithOperations,
  ValidatingWebhook,
} from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import { Compiler } from "@atoll/machinery/cel/index";
import type { Clock } from "@atoll/machinery/clock";
import type { ObjectMeta } from "@atoll/machinery/object";
import type { Catalogue } from "../../registry/catalogue.ts";
import { FollowedObjects } from "../../registry/followedobjects.ts";
import { compileConditions } from "../expressions/conditions.ts";
import type { Expression } from "../expressions/expression.ts";
import type { Attributes } from "../matching/attributes.ts";
import { Candidates } from "../matching/candidates.ts";
import { type Criteria, criteriaOf } from "../matching/criteria.ts";
import type { Equivalents } from "../matching/equivalents.ts";

/** A webhook of either kind. */
export type Webhook = ValidatingWebhook | MutatingWebhook;

interface Configuration {
  readonly metadata: ObjectMeta;
  readonly webhooks?: readonly Webhook[];
}

/** A webhook ready to be asked. */
export interface Hook {
  /** Tells it apart from all others. */
  readonly id: string;
  readonly configuration: string;
  readonly webhook: Webhook;
  readonly criteria: Criteria;
  readonly conditions: readonly Expression[];
  /** Whether a call that fails is as good as an allowed one. */
  readonly ignore: boolean;
}

export interface WebhookSetOptions {
  readonly catalogue: Catalogue;
  readonly equivalents: Equivalents;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

interface Kept {
  readonly version: string;
  readonly hooks: readonly Hook[];
}

export class WebhookSet {
  readonly #configurations: FollowedObjects<Configuration>;
  readonly #compiler = new Compiler();
  readonly #compiled = new Map<string, Kept>();
  readonly #candidates: Candidates<Hook>;
  #stale = true;

  /** @param plural of the configurations */
  constructor(options: WebhookSetOptions, plural: string) {
    this.#candidates = new Candidates(options);
    const { catalogue, clock, onError } = options;
    const resource = catalogue.resource("admissionregistration.k8s.io", plural);
    if (resource === undefined) throw new TypeError(`${plural} are not served`);
    const onChange = () => (this.#stale = true);
    this.#configurations = new FollowedObjects({ resource, clock, onError, onChange });
  }

  /** Resolves when the webhooks there are, are in force. */
  start(): Promise<void> {
    return this.#configurations.start();
  }

  close(): void {
    this.#configurations.close();
  }

  /** Whether there are none at all: the usual case. */
  get empty(): boolean {
    if (this.#stale) this.#refresh();
    return this.#candidates.empty;
  }

  /** Webhooks that requests of this sort can match, labels aside. */
  candidates(attributes: Attributes): readonly Hook[] {
    if (this.#stale) this.#refresh();
    return this.#candidates.of(attributes);
  }

  #refresh(): void {
    this.#stale = false;
    const configurations = this.#configurations.all();
    const hooks = configurations.flatMap((each) => this.#compile(each).hooks);
    // A webhook without rules is about nothing.
    this.#candidates.replace(hooks.filter(({ criteria }) => criteria.rules.length > 0));
    const there = new Set(configurations.map(({ metadata }) => metadata.name));
    for (const name of this.#compiled.keys()) if (!there.has(name)) this.#compiled.delete(name);
  }

  #compile({ metadata, webhooks = [] }: Configuration): Kept {
    const name = metadata.name ?? "";
    const version = `${metadata.uid}/${metadata.generation}`;
    const known = this.#compiled.get(name);
    if (known?.version === version) return known;
    const hooks = webhooks.map((webhook, i) => ({
      id: `${name}/${webhook.name}/${i}`,
      configuration: name,
      webhook,
      criteria: criteriaOf(matchOf(webhook)),
      conditions: compileConditions(this.#compiler, webhook.matchConditions, { authorizer: true }),
      ignore: webhook.failurePolicy === "Ignore",
    }));
    const kept = { version, hooks };
    this.#compiled.set(name, kept);
    return kept;
  }
}

function matchOf({ namespaceSelector, objectSelector, matchPolicy, rules = [] }: Webhook) {
  return {
    resourceRules: [...rules] as RuleWithOperations[],
    ...(namespaceSelector === undefined ? {} : { namespaceSelector }),
    ...(objectSelector === undefined ? {} : { objectSelector }),
    ...(matchPolicy === undefined ? {} : { matchPolicy }),
  };
}
