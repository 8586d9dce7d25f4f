/** ValidatingWebhookConfiguration. Source: k8s.io/kubernetes/pkg/registry/admissionregistration/validatingwebhookconfiguration */
import { Path } from "@atoll/machinery/field";
import type { ValidatingWebhookConfiguration } from "../builtin/admissionregistration.k8s.io/v1.types.ts";
import { age } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { checkWebhooks, setWebhookDefaults, webhookColumns } from "./webhook.ts";

/** The rules of ValidatingWebhookConfigurations. */
export const validatingWebhookConfiguration: Strategy<ValidatingWebhookConfiguration> = {
  generation: true,
  setDefaults({ webhooks = [] }) {
    for (const webhook of webhooks) setWebhookDefaults(webhook);
  },
  validate: ({ webhooks }, errors) => checkWebhooks(webhooks, new Place(errors, Path.root)),
  validateUpdate: (object, _, errors) => validatingWebhookConfiguration.validate?.(object, errors),
  table: {
    columns: webhookColumns,
    cells: ({ metadata, webhooks = [] }, nowMs) => [
      metadata.name ?? "",
      webhooks.length,
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};
