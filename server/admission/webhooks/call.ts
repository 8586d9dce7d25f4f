/**
 * One webhook asked about one request: what it ruled, or how the asking failed.
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/{validating,mutating}/dispatcher.go (callHook)
 */
import { randomUUID } from "node:crypto";
import { type Reason, StatusError, type StatusDetails } from "@atoll/machinery/status";
import type { Clock } from "@atoll/machinery/clock";
import type { WebhookClient } from "../../webhook/client.ts";
import type { Attributes, Matched } from "../matching/attributes.ts";
import type { Versioned } from "../matching/versions.ts";
import type { AdmissionMetrics, WebhookRejection } from "../metrics.ts";
import { InvalidResponse, reviewOf, reviewVersion, type Ruling, rulingOf } from "./review.ts";
import type { Hook } from "./set.ts";

/** A call that failed: the failure policy decides what comes of it. */
export class CallFailed extends Error {
  override readonly name = "CallFailed";

  constructor(webhook: string, why: string, cause?: unknown) {
    super(`failed calling webhook ${JSON.stringify(webhook)}: ${why}`, { cause });
  }
}

/** What a webhook is asked about. */
export interface Question {
  readonly attributes: Attributes;
  readonly matched: Matched;
  readonly objects: Versioned;
  readonly mutating: boolean;
}

/** What asking takes. */
export interface Asking {
  readonly webhooks: WebhookClient;
  readonly metrics: AdmissionMetrics;
  readonly clock: Clock;
}

const defaultTimeoutSeconds = 10;
/** An object of the largest size as a patch, twice over. */
const largestAnswer = 8 * 1024 * 1024;

/**
 * Asks a webhook, and passes on its warnings and annotations.
 * @throws {CallFailed}
 * @throws {StatusError} BadRequest on a dry run, when the webhook has side effects; what it refused with
 */
export async function call(asking: Asking, hook: Hook, question: Question): Promise<Ruling> {
  const { clock, metrics, webhooks } = asking;
  const startedMs = clock.monotonicMs();
  const done = (rejection: WebhookRejection | undefined): void => {
    const seconds = (clock.monotonicMs() - startedMs) / 1_000;
    const { operation } = question.attributes;
    const type = question.mutating ? "admit" : "validating";
    const open = hook.ignore && rejection?.errorType === "calling_webhook_error";
    metrics.called({ name: hook.webhook.name, type, operation, seconds }, open ? undefined : rejection);
    if (open) metrics.failedOpen(hook.webhook.name, type);
  };
  try {
    const ruling = await rule(webhooks, hook, question);
    done(undefined);
    return ruling;
  } catch (error) {
    done(rejectionFor(error));
    throw error;
  }
}

function rejectionFor(error: unknown): WebhookRejection {
  if (error instanceof CallFailed) return { errorType: "calling_webhook_error", code: 503 };
  if (error instanceof StatusError) return { errorType: "no_error", code: error.code ?? leastRefusal };
  return { errorType: "apiserver_internal_error", code: 0 };
}

async function rule(client: WebhookClient, { webhook }: Hook, question: Question): Promise<Ruling> {
  const { request } = question.attributes;
  const { name } = webhook;
  if (request.dryRun && webhook.sideEffects !== "None" && webhook.sideEffects !== "NoneOnDryRun") {
    throw new StatusError("BadRequest", `admission webhook ${JSON.stringify(name)} does not support dry run`);
  }
  const apiVersion = reviewVersion(webhook.admissionReviewVersions);
  if (apiVersion === undefined) {
    const why = "webhook does not accept known AdmissionReview versions (v1, v1beta1)";
    throw new CallFailed(name, `could not create admission objects: ${why}`);
  }
  const uid = randomUUID();
  const answer = await ask(client, webhook, reviewOf({ uid, apiVersion }, question));
  const ruling = read(name, answer, { uid, apiVersion, mutating: question.mutating });
  for (const [key, value] of Object.entries(ruling.auditAnnotations)) request.annotate(`${name}/${key}`, value);
  for (const warning of ruling.warnings) request.warn(warning);
  if (!ruling.allowed) throw rejection(name, ruling.status ?? {});
  return ruling;
}

async function ask(client: WebhookClient, webhook: Hook["webhook"], review: object): Promise<unknown> {
  const { name, clientConfig, timeoutSeconds = defaultTimeoutSeconds } = webhook;
  try {
    const limits = { timeoutMs: timeoutSeconds * 1_000, largestAnswer, tellsTimeout: true };
    return await client.ask(clientConfig, review, limits);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CallFailed(name, `failed to call webhook: ${why}`, cause);
  }
}

function read(name: string, answer: unknown, expected: Parameters<typeof rulingOf>[1]): Ruling {
  try {
    return rulingOf(answer, expected);
  } catch (cause) {
    if (!(cause instanceof InvalidResponse)) throw cause;
    throw new CallFailed(name, `received invalid webhook response: ${cause.message}`, cause);
  }
}

const leastRefusal = 400;

/** The webhook's own Status, made a refusal if it is none. Source: webhook/errors (ToStatusErr) */
function rejection(name: string, status: Readonly<Record<string, unknown>>): StatusError {
  const { code, reason, message, details } = status;
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`;
  const explained = [message, reason].find((text): text is string => typeof text === "string" && text !== "");
  return new StatusError(
    (typeof reason === "string" ? reason : "") as Reason,
    explained === undefined ? `${denied} without explanation` : `${denied}: ${explained}`,
    {
      code: typeof code === "number" && code >= leastRefusal ? code : leastRefusal,
      details: typeof details === "object" && details !== null ? (details as StatusDetails) : undefined,
    },
  );
}

/** A failed call as the client is told of it. Source: apierrors.NewInternalError */
export function internal({ message }: Error): StatusError {
  return new StatusError("InternalError", `Internal error occurred: ${message}`, {
    details: { causes: [{ message }] },
  });
}
