import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { eventually } from "@atoll/harness/client";
import { type Answer, type Harness, startHarness } from "@atoll/harness/server";

type Json = Readonly<Record<string, unknown>>;

/** A field of an answer, by its path. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Record<string | number, unknown> | undefined)?.[step], value);
}

interface Recorded {
  readonly method?: string;
  readonly path?: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** To be repeated until it has this status. */
  readonly until?: number;
  readonly status?: number;
  readonly result?: { readonly causes?: unknown };
}

interface Line extends Recorded {
  readonly id: string;
  readonly fixture?: boolean;
  readonly anyAnswer?: boolean;
  readonly cleanup?: readonly string[];
  readonly steps?: readonly Recorded[];
}

const record = join(import.meta.dirname, "../../../shared/oracle/crd.jsonl");
const absent = existsSync(record) ? false : "no recorded answers here";

/** Recorded answers that are left out, and why. */
const leftOut: ReadonlySet<string> = new Set([
  // protobuf of a Scale
  "crd/0816-wide-read-18",
]);

describe("custom resources beside recorded answers of upstream", { skip: absent }, () => {
  it("give the same codes and causes", async () => {
    const harness = await startHarness();
    const lines = readFileSync(record, "utf8").trim().split("\n");
    const differing: string[] = [];
    for (const text of lines) {
      const line = JSON.parse(text) as Line;
      if (!leftOut.has(line.id)) differing.push(...(await replay(harness, line)));
    }
    await harness.close();
    assert.deepEqual(differing, []);
    assert.ok(lines.length > 1000);
  });
});

/** Sends what was sent, and tells how the answers differ. */
async function replay(harness: Harness, line: Line): Promise<readonly string[]> {
  const differing: string[] = [];
  const answers: (Json | undefined)[] = [];
  for (const [i, step] of (line.steps ?? [line]).entries()) {
    const sent = fill(step.body, answers);
    const { accept, contentType } = step;
    const send = () =>
      harness.send(step.method ?? "", step.path ?? "", {
        ...(sent === undefined ? {} : { body: sent }),
        ...(contentType === undefined ? {} : { contentType }),
        ...(accept === undefined ? {} : { headers: { accept } }),
      });
    const answer = await send();
    if (step.until !== undefined) await eventually(line.id, async () => (await send()).status < 400);
    answers.push(answer.json);
    if (line.anyAnswer === true || step.status === undefined) continue;
    const [wanted, got] = [outcome(step.status, step.result?.causes), outcome(answer.status, causesOf(answer))];
    if (wanted !== got) differing.push(`${line.id} step ${i}: wanted ${wanted}, got ${got}`);
  }
  if (line.fixture !== true) for (const path of line.cleanup ?? []) await clean(harness, path);
  return differing;
}

async function clean(harness: Harness, path: string): Promise<void> {
  await harness.send("DELETE", path);
  const body = { metadata: { finalizers: null } };
  await harness.send("PATCH", path, { body, contentType: "application/merge-patch+json" });
}

function causesOf({ json }: Answer): unknown {
  return json?.["kind"] === "Status" ? at(json, "details", "causes") : undefined;
}

function outcome(status: number, causes: unknown): string {
  const told = ((causes ?? []) as readonly { field?: string; reason?: string }[]).map(
    ({ field, reason }) => `${field} ${reason}`,
  );
  return `${status} ${told.sort().join(", ")}`;
}

/** Bodies may name values of earlier answers: `{{0.metadata.resourceVersion}}`. */
function fill(body: unknown, answers: readonly (Json | undefined)[]): unknown {
  if (body === undefined) return undefined;
  const text = JSON.stringify(body).replace(/\{\{(\d+)\.([^}]+)\}\}/g, (_, step: string, path: string) =>
    String(at(answers[Number(step)], ...path.split("."))),
  );
  return JSON.parse(text) as unknown;
}
