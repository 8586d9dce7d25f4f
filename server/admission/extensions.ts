/**
 * Admission that users configure: policies and webhooks, in upstream's order.
 * Source: k8s.io/kubernetes/pkg/kubeapiserver/options/plugins.go
 */
import type { Clock } from "@atoll/machinery/clock";
import type { Authorizer } from "../authorize/stage.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import type { WebhookClient } from "../webhook/client.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { Equivalents } from "./matching/equivalents.ts";
import type { AdmissionMetrics } from "./metrics.ts";
import { Namespaces } from "./matching/namespaces.ts";
import { MutatingPolicies } from "./policies/mutating.ts";
import { ValidatingPolicies } from "./policies/validating.ts";
import { MutatingWebhooks } from "./webhooks/mutating.ts";
import { ValidatingWebhooks } from "./webhooks/validating.ts";

/** What policies and webhooks need of the server. */
export interface ExtensionOptions {
  /** Answer the expressions' variable `authorizer`. */
  readonly authorizers: readonly Authorizer[];
  readonly clock: Clock;
  readonly webhooks: WebhookClient;
  readonly metrics: AdmissionMetrics;
  /** Told of what failed behind the scenes and is tried again. */
  readonly onError: (error: unknown) => void;
}

/** The plugins that follow what users configure. */
export function extensionPlugins(catalogue: Catalogue, options: ExtensionOptions): readonly AdmissionPlugin[] {
  const shared = {
    ...options,
    catalogue,
    equivalents: new Equivalents(catalogue),
    namespaces: new Namespaces(catalogue),
  };
  return [
    new MutatingPolicies(shared),
    new MutatingWebhooks(shared),
    new ValidatingPolicies(shared),
    new ValidatingWebhooks(shared),
  ];
}
