/**
 * What validating and mutating webhooks share.
 * Source: k8s.io/kubernetes/pkg/apis/admissionregistration/validation (validateValidatingWebhook), …/v1/defaults.go
 */
import { dns1035LabelErrors, dns1123SubdomainErrors } from "@atoll/machinery/names";
import { validateService, validateUrl } from "../apiextensions/conversion.ts";
import type {
  MutatingWebhook,
  ValidatingWebhook,
  WebhookClientConfig,
} from "../builtin/admissionregistration.k8s.io/v1.types.ts";
import { ageColumn, nameColumn } from "../cells.ts";
import type { Place } from "../core/podspec/place.ts";
import { checkSelector } from "../core/podspec/selector.ts";
import type { Column } from "../kind.ts";
import { checkMatchConditions, Expressions } from "./expressions.ts";
import { checkChoice, checkMatchPolicy, checkRule, failurePolicies, setRuleDefaults } from "./matching.ts";

const defaultTimeoutSeconds = 10;
const maxTimeoutSeconds = 30;
const httpsPort = 443;
const sideEffects = ["None", "NoneOnDryRun"];
const reviewVersions = ["v1", "v1beta1"];

/** A webhook of either kind. */
export type Webhook = ValidatingWebhook | MutatingWebhook;

/** Columns of both kinds of configuration. */
export const webhookColumns: readonly Column[] = [
  nameColumn,
  { name: "Webhooks", type: "integer", description: "How many webhooks it has.", priority: 0 },
  ageColumn,
];

/** Fills what a webhook leaves out. */
export function setWebhookDefaults(webhook: Webhook): void {
  webhook.failurePolicy ??= "Fail";
  webhook.matchPolicy ??= "Equivalent";
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= defaultTimeoutSeconds;
  setRuleDefaults(webhook.rules);
  if (webhook.clientConfig.service !== undefined) webhook.clientConfig.service.port ??= httpsPort;
}

/** The `webhooks` of a configuration. */
export function checkWebhooks(webhooks: readonly Webhook[] = [], at: Place): void {
  const names = webhooks.map(({ name }) => name);
  for (const [i, webhook] of webhooks.entries()) {
    const place = at.item("webhooks", i);
    checkWebhook(webhook, place);
    checkReviewVersions(webhook.admissionReviewVersions ?? [], place);
    if (names.indexOf(webhook.name) < i) place.duplicate("name", webhook.name);
  }
}

function checkWebhook(webhook: Webhook, at: Place): void {
  checkFullName(webhook.name, at);
  for (const [i, rule] of (webhook.rules ?? []).entries()) checkRule(rule, at.item("rules", i));
  checkChoice(webhook.failurePolicy, failurePolicies, at.child("failurePolicy"));
  checkMatchPolicy(webhook.matchPolicy, at.child("matchPolicy"));
  if (webhook.sideEffects === null) at.required("sideEffects", "must specify one of None, NoneOnDryRun");
  else checkChoice(webhook.sideEffects, sideEffects, at.child("sideEffects"));
  const { timeoutSeconds = defaultTimeoutSeconds } = webhook;
  if (timeoutSeconds < 1 || timeoutSeconds > maxTimeoutSeconds) {
    at.invalid("timeoutSeconds", timeoutSeconds, "the timeout value must be between 1 and 30 seconds");
  }
  checkSelector(webhook.namespaceSelector, at.child("namespaceSelector"));
  checkSelector(webhook.objectSelector, at.child("objectSelector"));
  checkClient(webhook.clientConfig, at.child("clientConfig"));
  checkMatchConditions(
    webhook.matchConditions,
    new Expressions({ params: false, mutating: false, composed: false }),
    at,
  );
}

/** Source: IsFullyQualifiedName */
function checkFullName(name: string, at: Place): void {
  const wrong = dns1123SubdomainErrors(name);
  if (name === "") at.required("name");
  else if (wrong.length > 0) at.invalid("name", name, wrong.join(","));
  else if (name.split(".").length < 3) {
    at.invalid("name", name, "should be a domain with at least three segments separated by dots");
  }
}

function checkClient({ url, service }: WebhookClientConfig, at: Place): void {
  if ((url === undefined) === (service === undefined)) at.required("", "exactly one of url or service is required");
  else if (url !== undefined) validateUrl(url, at.path.child("url"), at.errors);
  else if (service !== undefined) validateService(service, at.path.child("service"), at.errors);
}

function checkReviewVersions(versions: readonly string[], at: Place): void {
  if (versions.length === 0) {
    at.required("admissionReviewVersions", "must specify one of v1, v1beta1");
    return;
  }
  for (const [i, version] of versions.entries()) {
    const place = at.item("admissionReviewVersions", i);
    if (versions.indexOf(version) < i) place.invalid("", version, "duplicate version");
    else place.each("", version, dns1035LabelErrors(version));
  }
  if (!versions.some((version) => reviewVersions.includes(version))) {
    at.invalid("admissionReviewVersions", versions, "must include at least one of v1, v1beta1");
  }
}
