/** Rules of access, policy and device kinds, judged as a recorded Kubernetes 1.36 API server judged them on create. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { FieldErrors } from "@atoll/machinery/field";
import type { ApiObject } from "@atoll/machinery/object";
import { decode, DecodeError } from "@atoll/machinery/schema/decode";
import { builtinSchema } from "./schemas.ts";
import { strategies } from "./strategies.ts";

interface Line {
  readonly id: string;
  readonly method?: string;
  readonly status?: number;
  readonly body?: { readonly apiVersion?: string; readonly kind?: string };
  readonly result?: { readonly causes?: readonly { readonly field: string; readonly reason: string }[] };
}

const recording = new URL("../../shared/oracle/validation.jsonl", import.meta.url);
const skip = !existsSync(recording) && "no recording";
const groups: ReadonlySet<string> = new Set([
  "admissionregistration.k8s.io",
  "apiregistration.k8s.io",
  "certificates.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "rbac.authorization.k8s.io",
  "resource.k8s.io",
]);

function lines(group: string): Line[] {
  const all = readFileSync(recording, "utf8").trim().split("\n");
  return all
    .map((line) => JSON.parse(line) as Line)
    .filter(({ method, status, body }) => {
      const judged = method === "POST" && (status === 201 || status === 422);
      return judged && typeof body === "object" && body.apiVersion === `${group}/v1`;
    });
}

/** Causes outside metadata, which is the registry's. */
function ofSpec(causes: readonly { readonly field: string; readonly reason: string }[] = []): string[] {
  return causes
    .filter(({ field }) => !field.startsWith("metadata"))
    .map(({ field, reason }) => `${field} ${reason}`)
    .sort();
}

function judge(group: string, body: NonNullable<Line["body"]>): string[] | undefined {
  const strategy = strategies[`${group}/${body.kind ?? ""}`];
  if (strategy === undefined) return undefined;
  try {
    const object = decode(builtinSchema(`${group}/v1`, body.kind ?? ""), body).value as unknown as ApiObject;
    object.metadata ??= {};
    strategy.setDefaults?.(object);
    strategy.prepareForCreate?.(object, {
      now: "2026-01-01T00:00:00Z",
      user: { name: "admin", uid: "", groups: [] },
      subresource: "",
    });
    const errors = new FieldErrors();
    strategy.validate?.(object, errors);
    return ofSpec(errors.list);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

for (const group of groups) {
  test(`${group}: creates are refused for the recorded causes`, { skip }, () => {
    const given = lines(group);
    assert.ok(given.length > 10);
    const different = given
      .map(({ id, body = {}, result }) => ({ id, got: judge(group, body), want: ofSpec(result?.causes) }))
      .filter(({ got, want }) => got !== undefined && JSON.stringify(got) !== JSON.stringify(want));
    assert.deepEqual(different, []);
  });
}

test("a ClusterRoleBinding's service account needs a namespace, a RoleBinding's does not", () => {
  const body = (kind: string) => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind,
    roleRef: { kind: "ClusterRole", name: "view" },
    subjects: [{ kind: "ServiceAccount", name: "a" }],
  });
  const group = "rbac.authorization.k8s.io";
  assert.deepEqual(judge(group, body("ClusterRoleBinding")), ["subjects[0].namespace FieldValueRequired"]);
  assert.deepEqual(judge(group, body("RoleBinding")), []);
});

test("the mandatory flow schema may not be changed", () => {
  const found = judge("flowcontrol.apiserver.k8s.io", {
    apiVersion: "flowcontrol.apiserver.k8s.io/v1",
    kind: "FlowSchema",
    metadata: { name: "catch-all" },
    spec: { priorityLevelConfiguration: { name: "catch-all" }, matchingPrecedence: 10_000 },
  } as Line["body"] & object);
  assert.deepEqual(found, ["spec FieldValueInvalid"]);
});
