/** Pods, workloads and their kin, refused or taken as a recorded Kubernetes 1.36 API server refused or took them. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { FieldErrors } from "@atoll/machinery/field";
import type { ApiObject } from "@atoll/machinery/object";
import { DecodeError, decode } from "@atoll/machinery/schema/decode";
import { builtinSchema } from "../../schemas.ts";
import { strategies } from "../../strategies.ts";

interface Line {
  readonly id: string;
  readonly method?: string;
  readonly path?: string;
  readonly status?: number;
  readonly body?: ApiObject;
  readonly result?: { readonly causes?: readonly { readonly field: string; readonly reason: string }[] };
}

const recording = new URL(
  `${process.env["ATOLL_ORACLE"] ?? "../../../../shared/oracle"}/validation.jsonl`,
  import.meta.url,
);
const skip = !existsSync(recording) && `no recording at ${recording.pathname}`;
const resources =
  /\/(pods|podtemplates|replicationcontrollers|deployments|statefulsets|daemonsets|replicasets|controllerrevisions|jobs|cronjobs|horizontalpodautoscalers|poddisruptionbudgets)\?dryRun=All$/;

/** Answered by the decoder before a Strategy sees them: an empty list that is not the same as an absent one. */
const elsewhere: ReadonlySet<string> = new Set([
  "validation/11609-hpa-metrics-spec.behavior.scaleDown.policies-empty",
  "validation/11616-hpa-metrics-spec.behavior.scaleDown.policies.0-absent",
]);

function recorded(): readonly Line[] {
  if (skip) return [];
  const lines = readFileSync(recording, "utf8").trim().split("\n");
  return lines
    .map((line) => JSON.parse(line) as Line)
    .filter(({ id, method, path = "", status }) => {
      return method === "POST" && resources.test(path) && (status === 201 || status === 422) && !elsewhere.has(id);
    });
}

/** What the kind's Strategy says of a new object; metadata's own rules are the registry's and not asked. */
function judge(body: ApiObject): readonly string[] | undefined {
  const { apiVersion, kind } = body;
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  const strategy = strategies[`${group}/${kind}`];
  assert.ok(strategy !== undefined, `${group}/${kind}`);
  const object = decoded(body);
  if (object === undefined) return undefined;
  strategy.setDefaults?.(object);
  object.metadata.uid = "00000000-0000-0000-0000-000000000000";
  // What admission gives every pod.
  if (kind === "Pod") (object["spec"] as { serviceAccountName?: string }).serviceAccountName ||= "default";
  const user = { name: "admin", uid: "", groups: [] };
  strategy.prepareForCreate?.(object, { now: "2026-01-01T00:00:00Z", user, subresource: "" });
  const errors = new FieldErrors();
  strategy.validate?.(object, errors);
  return causes(errors.list);
}

function decoded(body: ApiObject): ApiObject | undefined {
  const file = body.apiVersion.includes("/") ? body.apiVersion : "core/v1";
  try {
    return decode(builtinSchema(file, body.kind), body).value as ApiObject;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function causes(list: readonly { readonly field?: string; readonly reason: string }[]): string[] {
  return list
    .filter(({ field = "" }) => !field.startsWith("metadata.") || field === "metadata.name")
    .map(({ field, reason }) => `${field} ${reason}`)
    .sort();
}

test("new pods and workloads are refused for the recorded reasons, and taken when recorded so", { skip }, () => {
  const lines = recorded();
  assert.ok(lines.length > 1_000, `${lines.length} lines`);
  for (const { id, body, status, result } of lines) {
    if (body === undefined) continue;
    const want = causes(result?.causes ?? []);
    // A name that is wrong in itself is refused by the registry, and left out on both sides.
    if (id.includes("-metadata")) continue;
    assert.deepEqual(judge(body), want, `${id} (${status})`);
  }
});
