/** MutatingWebhookConfiguration. Source: k8s.io/kubernetes/pkg/registry/admissionregistration/mutatingwebhookconfiguration */
import { Path } from "@atoll/machinery/field";
import type { MutatingWebhookConfiguration } from "../builtin/admissionregistration.k8s.io/v1.types.ts";
import { age } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { checkChoice } from "./matching.ts";
import { reinvocationPolicies } from "./policy.ts";
import { checkWebhooks, setWebhookDefaults, webhookColumns } from "./webhook.ts";

/** The rules of MutatingWebhookConfigurations. */
export const mutatingWebhookConfiguration: Strategy<MutatingWebhookConfiguration> = {
  generation: true,
  setDefaults({ webhooks = [] }) {
    for (const webhook of webhooks) {
      setWebhookDefaults(webhook);
      webhook.reinvocationPolicy ??= "Never";
    }
  },
  validate({ webhooks = [] }, errors) {
    const at = new Place(errors, Path.root);
    checkWebhooks(webhooks, at);
    for (const [i, { reinvocationPolicy }] of webhooks.entries()) {
      checkChoice(reinvocationPolicy, reinvocationPolicies, at.item("webhooks", i).child("reinvocationPolicy"));
    }
  },
  validateUpdate: (object, _, errors) => mutatingWebhookConfiguration.validate?.(object, errors),
  table: {
    columns: webhookColumns,
    cells: ({ metadata, webhooks = [] }, nowMs) => [
      metadata.name ?? "",
      webhooks.length,
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};
