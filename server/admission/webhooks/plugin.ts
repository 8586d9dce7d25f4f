/**
 * What the plugins for validating and mutating webhooks share: which webhooks a request meets.
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/generic/webhook.go (ShouldCallHook)
 */
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import type { Authorizer } from "../../authorize/stage.ts";
import type { WebhookClient } from "../../webhook/client.ts";
import type { AdmissionRequest } from "../admission.ts";
import type { AdmissionMetrics } from "../metrics.ts";
import { Asker } from "../expressions/asker.ts";
import { hold } from "../expressions/conditions.ts";
import { bind } from "../expressions/inputs.ts";
import { type Attributes, attributesOf, forbidden, isExempt, type Matched } from "../matching/attributes.ts";
import { match } from "../matching/criteria.ts";
import type { Namespaces } from "../matching/namespaces.ts";
import type { Versions } from "../matching/versions.ts";
import { type Hook, WebhookSet, type WebhookSetOptions } from "./set.ts";

/** What webhooks need of the server. */
export interface WebhookOptions extends WebhookSetOptions {
  readonly namespaces: Namespaces;
  readonly authorizers: readonly Authorizer[];
  readonly webhooks: WebhookClient;
  readonly metrics: AdmissionMetrics;
}

/** A request on its way past the webhooks. */
export interface Passing {
  readonly attributes: Attributes;
  /** The request's Namespace; undefined for what is in none. */
  readonly namespace: ApiObject | undefined;
  readonly asker: Asker;
}

export class WebhookPlugin {
  protected readonly options: WebhookOptions;
  readonly #set: WebhookSet;

  /** @param plural of the configurations */
  constructor(options: WebhookOptions, plural: string) {
    this.options = options;
    this.#set = new WebhookSet(options, plural);
  }

  /** Resolves when the webhooks there are, are in force. */
  start(): Promise<void> {
    return this.#set.start();
  }

  close(): void {
    this.#set.close();
  }

  handles(request: AdmissionRequest): boolean {
    if (this.#set.empty || isExempt(request)) return false;
    return this.candidates(attributesOf(request)).length > 0;
  }

  protected candidates(attributes: Attributes): readonly Hook[] {
    return this.#set.candidates(attributes);
  }

  protected async pass(request: AdmissionRequest): Promise<Passing> {
    const attributes = attributesOf(request);
    const { namespaces, authorizers } = this.options;
    const namespace = await namespaces.around(attributes);
    return { attributes, namespace, asker: new Asker(authorizers, request.user) };
  }

  /**
   * The resource by which a request meets a webhook; undefined when it does not.
   * @throws {StatusError} Forbidden when match conditions cannot be told
   */
  protected async meets(hook: Hook, passing: Passing, versions: Versions): Promise<Matched | undefined> {
    const { attributes, namespace, asker } = passing;
    const matched = match(hook.criteria, attributes, { namespace, equivalents: this.options.equivalents });
    if (matched === undefined || hook.conditions.length === 0) return matched;
    const objects = await versions.of(matched);
    const bindings = bind({ attributes, matched, objects, namespace, params: undefined, asker });
    const held = await asker.settle(() => hold(hook.conditions, bindings, hook.ignore));
    if (held.error === undefined) return held.matches ? matched : undefined;
    const { message, details } = forbidden(attributes, held.error);
    throw new StatusError("Forbidden", message, { details });
  }
}
