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
import { type Criteria, criteriaOf, mayMatch } from "../matching/criteria.ts";
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

// Kinds of requests whose webhooks are remembered.
const remembered = 4096;

export class WebhookSet {
  readonly #options: WebhookSetOptions;
  readonly #configurations: FollowedObjects<Configuration>;
  readonly #compiler = new Compiler();
  readonly #compiled = new Map<string, Kept>();
  readonly #index = new Map<string, readonly Hook[]>();
  #hooks: readonly Hook[] = [];
  #generation = 0;
  #stale = true;

  /** @param plural of the configurations */
  constructor(options: WebhookSetOptions, plural: string) {
    this.#options = options;
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
    return this.#hooks.length === 0;
  }

  /** Webhooks that requests of this sort can match, labels aside. */
  candidates(attributes: Attributes): readonly Hook[] {
    if (this.empty) return this.#hooks;
    const { generation } = this.#options.catalogue;
    if (generation !== this.#generation || this.#index.size > remembered) this.#index.clear();
    this.#generation = generation;
    const { own, operation, subresource, namespace } = attributes;
    const { group, version, resource } = own.resource;
    const key = `${operation} ${group}/${version}/${resource}/${subresource} ${namespace === "" ? "" : "in"}`;
    const known = this.#index.get(key);
    if (known !== undefined) return known;
    const found = this.#hooks.filter(
      // A webhook without rules is about nothing.
      ({ criteria }) => criteria.rules.length > 0 && mayMatch(criteria, attributes, this.#options.equivalents),
    );
    this.#index.set(key, found);
    return found;
  }

  #refresh(): void {
    this.#stale = false;
    this.#index.clear();
    const configurations = this.#configurations.all();
    this.#hooks = configurations.flatMap((each) => this.#compile(each).hooks);
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
