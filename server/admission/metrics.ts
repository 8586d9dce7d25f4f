/**
 * What policies and webhooks do, counted under the names that Kubernetes dashboards use.
 * Source: k8s.io/apiserver/pkg/admission/metrics, …/admission/plugin/policy/validating/metrics
 */
import type { Registry } from "prom-client";
import { Durations, Numbers } from "../routes/series.ts";

const callBounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25];

/** A webhook asked about a request. */
export interface WebhookCall {
  readonly name: string;
  readonly type: "admit" | "validating";
  readonly operation: string;
  readonly seconds: number;
}

/** Why a webhook's call ended in a refusal. */
export interface WebhookRejection {
  readonly errorType: "no_error" | "calling_webhook_error" | "apiserver_internal_error";
  readonly code: number;
}

/** A validation of a policy that did not hold. */
export interface PolicyCheck {
  readonly policy: string;
  readonly binding: string;
  readonly action: "deny" | "warn" | "audit";
}

export class AdmissionMetrics {
  readonly #calls: Durations;
  readonly #rejections: Numbers;
  readonly #failedOpen: Numbers;
  readonly #checks: Numbers;

  constructor(registry: Registry) {
    this.#calls = new Durations(registry, {
      name: "apiserver_admission_webhook_admission_duration_seconds",
      help: "Time webhooks take to answer, by webhook, operation and whether the request was refused",
      bounds: callBounds,
    });
    const counter = (name: string, help: string) => new Numbers(registry, { name, help, type: "counter" });
    this.#rejections = counter(
      "apiserver_admission_webhook_rejection_count",
      "Requests refused by webhooks or for want of an answer",
    );
    this.#failedOpen = counter(
      "apiserver_admission_webhook_fail_open_count",
      "Calls of webhooks that failed and were passed over",
    );
    this.#checks = counter(
      "apiserver_validating_admission_policy_check_total",
      "Validations that did not hold, by policy, binding and what was done about it",
    );
  }

  /** Counts a call; with `rejection` when the request is refused for it. */
  called({ name, type, operation, seconds }: WebhookCall, rejection: WebhookRejection | undefined): void {
    const rejected = String(rejection !== undefined);
    const labels = { name, type, operation, rejected };
    this.#calls.observe(`${name} ${type} ${operation} ${rejected}`, seconds, () => labels);
    if (rejection === undefined) return;
    const { errorType: error_type, code } = rejection;
    const rejection_code = String(code);
    this.#rejections.add(`${name} ${type} ${operation} ${error_type} ${rejection_code}`, 1, () => {
      return { name, type, operation, error_type, rejection_code };
    });
  }

  /** Counts a call that failed and was passed over. */
  failedOpen(name: string, type: WebhookCall["type"]): void {
    this.#failedOpen.add(`${name} ${type}`, 1, () => ({ name, type }));
  }

  /** Counts a validation that did not hold. */
  checked({ policy, binding, action }: PolicyCheck): void {
    this.#checks.add(`${policy} ${binding} ${action}`, 1, () => {
      return { policy, policy_binding: binding, error_type: "no_error", enforcement_action: action };
    });
  }
}
