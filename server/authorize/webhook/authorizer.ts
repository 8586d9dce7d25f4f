/**
 * An authorizer elsewhere, asked by a SubjectAccessReview. Its answers are kept for a while; what a failure means, the
 * configuration says.
 * Source: k8s.io/apiserver/plugin/pkg/authorizer/webhook
 */
import type { SubjectAccessReview } from "@atoll/api/builtin/authorization.k8s.io/v1.types";
import type { Clock } from "@atoll/machinery/clock";
import { parseLabelSelector } from "@atoll/machinery/selectors/labels";
import type { User } from "../../call.ts";
import type { RequestInfo } from "../../request.ts";
import { fieldSelectorOf } from "../attributes.ts";
import { type Authorizer, noOpinion, type RulesAnswer, type Verdict } from "../stage.ts";
import type { WebhookRules } from "./configuration.ts";

/** A way to a webhook. */
export interface ReviewClient {
  /** Posts a review. @returns the parsed answer @throws {Error} there is none */
  ask(review: object, timeoutMs: number): Promise<unknown>;
  close(): void;
}

type Spec = SubjectAccessReview["spec"];

interface Kept {
  readonly verdict: Verdict;
  readonly untilMs: number;
}

const mostKept = 8192;
/** Requests with longer texts are not kept, so that nobody fills the memory with made-up names. */
const longestKept = 10_000;
const attempts = 5;
const firstPauseMs = 500;

/** Asks a webhook. */
export class WebhookAuthorizer implements Authorizer {
  readonly #rules: WebhookRules;
  readonly #client: ReviewClient;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(rules: WebhookRules, client: ReviewClient, clock: Clock) {
    this.#rules = rules;
    this.#client = client;
    this.#clock = clock;
  }

  close(): void {
    this.#client.close();
  }

  async authorize(user: User, info: RequestInfo): Promise<Verdict> {
    const spec = specOf(user, info);
    const matched = this.#rules.conditions(spec);
    if ("error" in matched) return this.#failed(matched.error);
    if (!matched.met) return noOpinion;
    const key = JSON.stringify(spec);
    const known = this.#kept.get(key);
    if (known !== undefined && known.untilMs > this.#clock.monotonicMs()) return known.verdict;
    this.#kept.delete(key);
    try {
      const verdict = verdictOf(await this.#ask(spec));
      this.#keep(key, verdict);
      return verdict;
    } catch (error) {
      return this.#failed(error instanceof Error ? error.message : String(error));
    }
  }

  rulesFor(): RulesAnswer {
    return { rules: [], incomplete: true, errors: ["webhook authorizer does not support user rule resolution"] };
  }

  #failed(error: string): Verdict {
    return { decision: this.#rules.onFailure, reason: "", error };
  }

  async #ask(spec: Spec): Promise<unknown> {
    const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", metadata: {}, spec };
    let pauseMs = firstPauseMs;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#client.ask(review, this.#rules.timeoutMs);
      } catch (error) {
        if (attempt >= attempts || !(error instanceof WebhookUnavailable)) throw error;
      }
      await this.#clock.sleep(pauseMs);
      pauseMs *= 1.5;
    }
  }

  #keep(key: string, verdict: Verdict): void {
    const { allowedMs, refusedMs } = this.#rules;
    const ms = verdict.decision === "allow" ? allowedMs : refusedMs;
    if (ms === 0 || key.length > longestKept || verdict.error !== undefined) return;
    if (this.#kept.size >= mostKept) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    this.#kept.set(key, { verdict, untilMs: this.#clock.monotonicMs() + ms });
  }
}

/** The webhook may answer if it is asked again. */
export class WebhookUnavailable extends Error {
  override readonly name = "WebhookUnavailable";
}

function specOf({ name, uid, groups, extra }: User, info: RequestInfo): Spec {
  return {
    ...(isPath(info)
      ? { nonResourceAttributes: { path: info.path, verb: info.verb } }
      : { resourceAttributes: { ...attributesOf(info), ...selectorsOf(info) } }),
    user: name,
    groups: [...groups],
    extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])),
    uid,
  };
}

const isPath = ({ resource, path }: RequestInfo) => resource === "" && path !== "";

function attributesOf({ namespace, verb, group, version, resource, subresource, name }: RequestInfo) {
  return { namespace, verb, group, version, resource, subresource, name };
}

/** Only what can be read of them: selectors make a request smaller, so less of them asks for more. */
function selectorsOf(info: RequestInfo): object {
  const fields = fieldSelectorOf(info).map(({ field, equal, value }) => ({
    key: field,
    operator: equal ? "In" : "NotIn",
    values: [value],
  }));
  const labels = labelsOf(info);
  return {
    ...(fields.length === 0 ? {} : { fieldSelector: { requirements: fields } }),
    ...(labels.length === 0 ? {} : { labelSelector: { requirements: labels } }),
  };
}

function labelsOf({ query }: RequestInfo) {
  const sayable: ReadonlySet<string> = new Set(["In", "NotIn", "Exists", "DoesNotExist"]);
  try {
    return parseLabelSelector(query.get("labelSelector") ?? "")
      .filter(({ operator }) => sayable.has(operator))
      .map(({ key, operator, values }) => ({ key, operator, ...(values.length === 0 ? {} : { values: [...values] }) }));
  } catch {
    return [];
  }
}

/** @throws {Error} the answer is no review */
function verdictOf(answer: unknown): Verdict {
  const { status } = (answer ?? {}) as { status?: Partial<SubjectAccessReview["status"]> };
  if (typeof status?.allowed !== "boolean") throw new Error("the webhook's answer is no SubjectAccessReview");
  const reason = typeof status.reason === "string" ? status.reason : "";
  if (status.denied !== true) return { decision: status.allowed ? "allow" : "no opinion", reason };
  if (!status.allowed) return { decision: "deny", reason };
  return { decision: "deny", reason, error: "webhook subject access review returned both allow and deny response" };
}
