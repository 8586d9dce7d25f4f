/**
 * The admission plugin ValidatingAdmissionWebhook: all webhooks that a request meets are asked at once.
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/validating/dispatcher.go
 */
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import type { Matched } from "../matching/attributes.ts";
import { Versions } from "../matching/versions.ts";
import { call, CallFailed, internal } from "./call.ts";
import { type Passing, type WebhookOptions, WebhookPlugin } from "./plugin.ts";
import type { Hook } from "./set.ts";

const failedOpenKey = "failed-open.validating.webhook.admission.k8s.io/";

interface Invocation {
  readonly hook: Hook;
  readonly matched: Matched;
}

/** The plugin, and its start and end. */
export class ValidatingWebhooks extends WebhookPlugin implements AdmissionPlugin {
  readonly name = "ValidatingAdmissionWebhook";

  constructor(options: WebhookOptions) {
    super(options, "validatingwebhookconfigurations");
  }

  /** @throws {StatusError} what the first webhook, in their order, refused with */
  async validate(request: AdmissionRequest): Promise<void> {
    const passing = await this.pass(request);
    const versions = new Versions(request);
    const invocations: Invocation[] = [];
    for (const hook of this.candidates(passing.attributes)) {
      const matched = await this.meets(hook, passing, versions);
      if (matched !== undefined) invocations.push({ hook, matched });
    }
    const calls = invocations.map((invocation, i) => this.#ask(invocation, { passing, versions, index: i }));
    const failed = (await Promise.allSettled(calls)).find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async #ask(
    { hook, matched }: Invocation,
    { passing, versions, index }: { passing: Passing; versions: Versions; index: number },
  ): Promise<void> {
    const { attributes } = passing;
    try {
      const objects = await versions.of(matched);
      await call(this.options, hook, { attributes, matched, objects, mutating: false });
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      if (!hook.ignore) throw internal(error);
      attributes.request.annotate(`${failedOpenKey}round_0_index_${index}`, hook.webhook.name);
    }
  }
}
