/** Expressions of policies and webhooks, judged as a recorded Kubernetes 1.36 API server judged them. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { admissionVariables, type CelType, Compiler, dynType, kubernetesLibraries, mutation } from "./index.ts";

interface Named {
  readonly name?: string;
  readonly expression?: string;
}

interface Spec {
  readonly paramKind?: unknown;
  readonly variables?: readonly Named[];
  readonly matchConditions?: readonly Named[];
  readonly validations?: readonly (Named & { readonly messageExpression?: string })[];
  readonly auditAnnotations?: readonly { readonly valueExpression?: string }[];
  readonly mutations?: readonly { readonly applyConfiguration?: Named }[];
}

interface Line {
  readonly id: string;
  readonly method?: string;
  readonly body?: { readonly kind?: string; readonly spec?: Spec | null; readonly webhooks?: readonly Spec[] };
  readonly result?: { readonly causes?: readonly { readonly field: string; readonly reason: string }[] };
}

const folder = new URL("../../../shared/oracle/", import.meta.url);
const recording = new URL("validation.jsonl", folder);
const skip = !existsSync(recording) && "no recording";
const policyKinds: ReadonlySet<string> = new Set([
  "ValidatingAdmissionPolicy",
  "MutatingAdmissionPolicy",
  "ValidatingWebhookConfiguration",
]);

function policies(): Line[] {
  if (skip) return [];
  const lines = readFileSync(recording, "utf8").trim().split("\n");
  return lines
    .map((line) => JSON.parse(line) as Line)
    .filter(({ method, body }) => method === "POST" && policyKinds.has(body?.kind ?? ""));
}

const compiler = new Compiler([...kubernetesLibraries, mutation]);
/** The objects of a list: recorded bodies have all sorts of things in their place. */
const listOf = <T>(value: readonly T[] | undefined | null): readonly T[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "object" && item !== null) : [];

/** Expressions of a spec that do not compile to what their place takes, by field. */
function wrongExpressions(spec: Spec, at: string): string[] {
  const types: Record<string, CelType> = {};
  const wrong: string[] = [];
  const check = (field: string, expression: unknown, kinds: readonly string[]): CelType | undefined => {
    if (typeof expression !== "string" || expression.trim() === "") return undefined;
    const variables = admissionVariables({ params: spec.paramKind !== undefined, authorizer: true, variables: types });
    const type = compiler.compile(expression, { variables }).program?.type;
    const fits = type !== undefined && (kinds.length === 0 || kinds.includes(type.kind));
    if (!fits) wrong.push(`${at}.${field}`);
    return type;
  };
  for (const [index, { name = "", expression }] of listOf(spec.variables).entries()) {
    if (typeof expression !== "string" || expression.trim() === "") continue;
    // A variable that does not compile is known all the same, so what uses it is not at fault.
    types[name] = check(`variables[${index}].expression`, expression, []) ?? dynType;
  }
  listOf(spec.matchConditions).forEach(({ expression }, index) =>
    check(`matchConditions[${index}].expression`, expression, ["bool"]),
  );
  listOf(spec.validations).forEach(({ expression, messageExpression }, index) => {
    check(`validations[${index}].expression`, expression, ["bool"]);
    check(`validations[${index}].messageExpression`, messageExpression, ["string"]);
  });
  listOf(spec.auditAnnotations).forEach(({ valueExpression }, index) =>
    check(`auditAnnotations[${index}].valueExpression`, valueExpression, ["string", "null_type"]),
  );
  listOf(spec.mutations).forEach((given, index) =>
    check(`mutations[${index}].applyConfiguration.expression`, given?.applyConfiguration?.expression, ["object"]),
  );
  return wrong;
}

const refusedExpressions = ({ result }: Line): string[] =>
  listOf(result?.causes)
    .filter(({ field, reason }) => reason === "FieldValueInvalid" && field.endsWith("xpression"))
    .map(({ field }) => field);

test("expressions of policies compile where the recorded server took them", { skip }, () => {
  const lines = policies();
  assert.ok(lines.length > 100);
  const judged = lines.map(({ id, body, result }) => {
    const specs = [...(body?.spec === undefined || body.spec === null ? [] : [{ spec: body.spec, at: "spec" }])];
    const webhooks = listOf(body?.webhooks).map((spec, index) => ({ spec, at: `webhooks[${index}]` }));
    const wrong = [...specs, ...webhooks].flatMap(({ spec, at }) => wrongExpressions(spec, at));
    const line: Line = { id, ...(result === undefined ? {} : { result }) };
    return { id, wrong: wrong.sort(), refused: refusedExpressions(line).sort() };
  });
  const different = judged.filter(({ wrong, refused }) => JSON.stringify(wrong) !== JSON.stringify(refused));
  assert.deepEqual(different, []);
});
