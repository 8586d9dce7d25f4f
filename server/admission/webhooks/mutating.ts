/**
 * The admission plugin MutatingAdmissionWebhook: webhooks are asked one after another, each about what the one before
 * made of the object.
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/mutating/dispatcher.go
 */
import type { MutatingWebhook } from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import { deepEqual } from "@atoll/machinery/equal";
import { parseJson, stringifyJson } from "@atoll/machinery/json/json";
import { applyJsonPatch } from "@atoll/machinery/patch/json";
import { StatusError } from "@atoll/machinery/status";
import { clone } from "../../registry/versions.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { type Kept, keptOf, requireAgain } from "../matching/reinvocation.ts";
import { replaceObject } from "../matching/replace.ts";
import { Versions } from "../matching/versions.ts";
import { call, CallFailed, internal } from "./call.ts";
import { type Passing, type WebhookOptions, WebhookPlugin } from "./plugin.ts";
import type { Ruling } from "./review.ts";
import type { Hook } from "./set.ts";

const mutationKey = "mutation.webhook.admission.k8s.io/";
const failedOpenKey = "failed-open.mutation.webhook.admission.k8s.io/";
const maxDepth = 1_000;

/** The plugin, and its start and end. */
export class MutatingWebhooks extends WebhookPlugin implements AdmissionPlugin {
  readonly name = "MutatingAdmissionWebhook";

  constructor(options: WebhookOptions) {
    super(options, "mutatingwebhookconfigurations");
  }

  /** @throws {StatusError} what a webhook refused with, or that it could not be asked */
  async mutate(request: AdmissionRequest): Promise<void> {
    const passing = await this.pass(request);
    const kept = keptOf(request, this.name);
    const { running } = request.reinvocation;
    if (running && !deepEqual(kept.last, request.object)) requireAgain(kept);
    for (const [index, hook] of this.candidates(passing.attributes).entries()) {
      await this.#meet(hook, { passing, kept, label: `round_${running ? 1 : 0}_index_${index}` });
    }
    kept.last = clone(request.object);
  }

  async #meet(hook: Hook, { passing, kept, label }: { passing: Passing; kept: Kept; label: string }): Promise<void> {
    const { request } = passing.attributes;
    const versions = new Versions(request);
    const matched = await this.meets(hook, passing, versions);
    if (matched === undefined) return;
    if (request.reinvocation.running && !kept.due.has(hook.id)) return;
    const asked = { attributes: passing.attributes, matched, objects: await versions.of(matched), mutating: true };
    let changed = false;
    try {
      const ruling = await call(this.options, hook, asked);
      changed = await patch(hook, ruling, asked);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      if (!hook.ignore) throw internal(error);
      request.annotate(`${failedOpenKey}${label}`, hook.webhook.name);
    } finally {
      const { configuration } = hook;
      const value = { configuration, webhook: hook.webhook.name, mutated: changed };
      request.annotate(`${mutationKey}${label}`, stringifyJson(value));
    }
    if (changed) {
      requireAgain(kept);
      request.reinvocation.wanted = true;
    }
    if ((hook.webhook as MutatingWebhook).reinvocationPolicy === "IfNeeded") kept.ran.add(hook.id);
  }
}

/**
 * Does to the object what the webhook asks for; says whether that changed it. What it asks for goes into no annotation:
 * it may be a secret.
 */
async function patch(
  { webhook: { name } }: Hook,
  { patch: given, patchType }: Ruling,
  { attributes, matched, objects }: Parameters<typeof call>[2],
): Promise<boolean> {
  if (given === "") return false;
  const operations = operationsOf(name, given);
  if (operations.length === 0) return false;
  const { request } = attributes;
  const { object } = objects;
  if (object === undefined) {
    const why = `admission webhook ${JSON.stringify(name)} attempted to modify the object, which is not supported for this operation`;
    throw internal(new Error(why));
  }
  if (patchType !== "JSONPatch") throw new CallFailed(name, `unsupported patch type ${JSON.stringify(patchType)}`);
  const before = clone(request.object);
  await replaceObject(request, matched, patched(object, operations));
  return !deepEqual(before, request.object);
}

function operationsOf(name: string, text: string): readonly unknown[] {
  try {
    const { value } = parseJson(Buffer.from(text, "base64"), { maxDepth });
    if (!Array.isArray(value)) throw new TypeError("it is not a list");
    return value;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CallFailed(name, `received undecodable patch in webhook response: ${why}`, cause);
  }
}

/** @throws {StatusError} InternalError: the failure policy is about calls, not about patches that do not fit */
function patched(object: object, operations: readonly unknown[]): unknown {
  try {
    return applyJsonPatch(object, operations);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw internal(error.cause instanceof Error ? error.cause : error);
  }
}
