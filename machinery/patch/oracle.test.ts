/** Recorded answers of a reference API server, replayed on the functions of this folder. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { builtinKinds } from "../../api/catalog.ts";
import type { Kind } from "../../api/kind.ts";
import { builtinSchema } from "../../api/schemas.ts";
import { deepFreeze } from "../equal.ts";
import type { ApiObject } from "../object.ts";
import { decode } from "../schema/decode.ts";
import type { Schema } from "../schema/schema.ts";
import { StatusError } from "../status.ts";
import { applyJsonPatch } from "./json.ts";
import { Ownership, excluding, fieldPaths } from "./managed.ts";
import { applyMergePatch } from "./merge.ts";
import { applyStrategicMerge } from "./strategic.ts";
import { toParent, toScale } from "./scale.ts";

const folder = new URL("../../../shared/oracle/", import.meta.url);

interface Step {
  readonly method: string;
  readonly path: string;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly status?: number;
  readonly result?: Answer;
}

interface Answer extends ApiObject {
  readonly code?: number;
  readonly reason?: string;
  readonly details?: Record<string, unknown>;
  readonly causes?: readonly { readonly field: string; readonly reason: string }[];
}

interface Line extends Step {
  readonly id: string;
  readonly fixture?: boolean;
  readonly steps?: readonly Step[];
}

const linesOf = (file: string): Line[] =>
  readFileSync(new URL(file, folder), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

const kinds = builtinKinds();
const kindOf = (apiVersion: string, kind: string): Kind | undefined =>
  kinds.find((k) => k.kind === kind && (k.group === "" ? k.version : `${k.group}/${k.version}`) === apiVersion);

const skip = (file: string): string | false => (existsSync(new URL(file, folder)) ? false : `${file} is not there`);

type Patch = (schema: Schema, original: ApiObject, patch: unknown) => unknown;
const patches: Readonly<Record<string, Patch>> = {
  "application/json-patch+json": (_, original, patch) => applyJsonPatch(original, patch),
  "application/merge-patch+json": (_, original, patch) => applyMergePatch(original, patch),
  "application/strategic-merge-patch+json": applyStrategicMerge,
};

/** What a recorded 4xx or 5xx says of the patch itself; undefined when it is about what came out. */
function refusalOf(step: Step): number | undefined {
  const { status = 0, result } = step;
  if (status === 500) return 500;
  const ours = status === 422 && result?.causes === undefined && Object.keys(result?.details ?? { x: 1 }).length === 0;
  return ours ? 422 : undefined;
}

const codes: Readonly<Record<string, number>> = {
  BadRequest: 400,
  Conflict: 409,
  Invalid: 422,
  RequestEntityTooLarge: 413,
  Unknown: 500,
};

function outcome(run: () => unknown): { code: number; value?: unknown } {
  try {
    return { code: 200, value: run() };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { code: error.code ?? codes[error.reason] ?? 0 };
  }
}

// Values that change are recorded as `<time>`, `<uid>`, …, which decoders do not take.
const noTimes = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, inner: unknown) =>
    key === "resourceVersion" || inner === "<time>" || inner === "<nodePort>" ? undefined : inner,
  );

const sortJson = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

/** Writes whose outcome is the Service's own rules more than the patch. */
const takenOver =
  /service-(json-remove|json-replace-same|merge|strategic)-(3|4|external|external-clear|ip-null|affinity|port-add|port-replace|port-delete)$/;

test("patches of stored objects come out as the reference server's", { skip: skip("patches.jsonl") }, () => {
  const stored = new Map<string, ApiObject>();
  const wrong: string[] = [];
  let compared = 0;
  for (const line of linesOf("patches.jsonl")) {
    for (const step of line.steps ?? [line]) {
      const path = step.path.split("?")[0] ?? "";
      if (line.fixture === true && step.result?.metadata?.name !== undefined) {
        stored.set(`${path}/${step.result.metadata.name}`, deepFreeze(step.result));
      }
      const live = stored.get(path);
      const patch = patches[step.contentType ?? ""];
      if (step.method !== "PATCH" || live === undefined || patch === undefined || typeof step.body === "string")
        continue;
      const kind = kindOf(live.apiVersion, live.kind);
      assert.ok(kind, `${live.apiVersion} ${live.kind}`);
      const got = outcome(() => patch(kind.schema, live, step.body));
      compared++;
      const refusal = refusalOf(step);
      if (refusal !== undefined && /-rv-bad/.test(line.id) === false && got.code !== refusal) {
        wrong.push(`${line.id}: ${got.code} is not ${refusal}`);
      }
      if (step.status !== 200 || takenOver.test(line.id)) continue;
      if (got.code !== 200) wrong.push(`${line.id}: ${got.code} is not 200`);
      else if (!matches(kind, got.value, step.result)) wrong.push(`${line.id} ${JSON.stringify(step.body)}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(compared > 1_000, `compared ${compared}`);
});

/** Whether a patched object has all the recorded one has, and nothing else; what the server sets itself aside. */
function matches(kind: Kind, got: unknown, want: ApiObject | undefined): boolean {
  const own = decode(kind.schema, noTimes(got) as Record<string, unknown>).value;
  const theirs = decode(kind.schema, noTimes(want) as Record<string, unknown>).value;
  const bare = ({ metadata, ...rest }: ApiObject): unknown => {
    const { generation: _, uid: __, managedFields: ___, ...meta } = metadata;
    return sortJson({ metadata: meta, ...rest });
  };
  return lacksNothing(bare(own as unknown as ApiObject), bare(theirs as unknown as ApiObject));
}

/** Fields that the server fills in after the patch. */
const filledIn: ReadonlySet<string> = new Set(
  (
    "imagePullPolicy terminationMessagePath terminationMessagePolicy protocol targetPort nodePort defaultMode " +
    "terminationGracePeriodSeconds restartPolicy dnsPolicy schedulerName securityContext type rollingUpdate apiVersion"
  ).split(" "),
);

/** Equal, but for fields of `want` that the server fills in. */
function lacksNothing(got: unknown, want: unknown): boolean {
  if (Array.isArray(got) && Array.isArray(want)) {
    return got.length === want.length && got.every((item, i) => lacksNothing(item, want[i]));
  }
  if (typeof got !== "object" || typeof want !== "object" || got === null || want === null)
    return (got ?? "") === (want ?? "");
  const [mine, theirs] = [got as Record<string, unknown>, want as Record<string, unknown>];
  return (
    Object.entries(mine).every(([key, value]) => lacksNothing(value, theirs[key])) &&
    Object.entries(theirs).every(([key, value]) => key in mine || filledIn.has(key) || value === null)
  );
}

const shelfGroup = "apply.oracle.example.com";

/** Ownership of what a path names, as a server would set it up. */
function ownershipOf({
  apiVersion,
  kind,
  subresource,
}: {
  apiVersion: string;
  kind: string;
  subresource: string;
}): Ownership | undefined {
  const custom = kind === "Shelf";
  const schema = custom ? shelfSchema(apiVersion) : kindOf(apiVersion, kind)?.schema;
  if (schema === undefined) return undefined;
  const statusResets = custom ? fieldPaths("metadata", "spec") : fieldPaths("spec", "metadata.labels");
  const reset = subresource === "status" ? excluding(statusResets) : excluding(fieldPaths("status"));
  return new Ownership({
    apiVersion,
    kind,
    schema,
    subresource,
    reset: subresource === "scale" || kind === "ConfigMap" ? undefined : reset,
    convert: (object, version) =>
      custom && version.startsWith(shelfGroup)
        ? { object: { ...object, apiVersion: version }, schema: shelfSchema(version) ?? {} }
        : undefined,
  });
}

let shelfDefinition: ApiObject | undefined;

function shelfSchema(apiVersion: string): Schema | undefined {
  const { versions } = (shelfDefinition?.["spec"] ?? { versions: [] }) as {
    versions: { name: string; schema: { openAPIV3Schema: Schema } }[];
  };
  return versions.find(({ name }) => apiVersion.endsWith(`/${name}`))?.schema.openAPIV3Schema;
}

const entriesOf = (object: ApiObject | undefined): unknown =>
  (object?.metadata.managedFields ?? [])
    .map(({ time: _, ...entry }) => sortJson(entry))
    .map((entry) => JSON.stringify(entry))
    .sort();

const now = "2026-01-02T03:04:05Z";

/** One recorded write: what it makes of managedFields, or the code and fields it is refused with. */
function replay(step: Step, live: ApiObject | undefined): unknown {
  const url = new URL(step.path, "http://x");
  const subresource = /\/(status|scale)$/.exec(url.pathname)?.[1] ?? "";
  const body = step.body as ApiObject;
  const group = /^\/apis\/([^/]+\/[^/]+)\//.exec(url.pathname)?.[1] ?? "v1";
  const kind = live?.kind ?? body.kind;
  const ownership = ownershipOf({ apiVersion: group, kind, subresource });
  if (ownership === undefined) return undefined;
  const manager = url.searchParams.get("fieldManager") ?? "oracle";
  if (subresource === "scale") return scaled(step, live, { manager, force: url.searchParams.get("force") === "true" });
  const shown = live === undefined || live.apiVersion === group ? live : { ...live, apiVersion: group };
  if (step.contentType === "application/apply-patch+yaml") {
    const force = url.searchParams.get("force") === "true";
    return ownership.apply({ live: shown, applied: body, manager, force, now });
  }
  const made = step.result?.kind === "Status" ? undefined : step.result;
  if (made === undefined) return undefined;
  const sent = step.contentType === "application/merge-patch+json" ? applyMergePatch(shown ?? {}, body) : body;
  const updated: ApiObject = { ...made, metadata: { ...made.metadata } };
  const { managedFields } = (sent as unknown as ApiObject).metadata;
  if (managedFields === undefined) delete updated.metadata.managedFields;
  else updated.metadata.managedFields = managedFields;
  if (step.method === "POST" && kind === "Service") updated["spec"] = beforeAllocation(updated["spec"]);
  const metadata: Record<string, unknown> = { ...updated.metadata };
  const entries = ownership.recordUpdate({ live: shown, updated, manager, now });
  if (entries === undefined) delete metadata["managedFields"];
  else metadata["managedFields"] = entries;
  return { ...updated, metadata };
}

/** A write of the scale subresource: the whole object after it. */
function scaled(step: Step, live: ApiObject | undefined, who: { manager: string; force: boolean }): ApiObject {
  assert.ok(live !== undefined);
  const [apiVersion, kind] = ["autoscaling/v1", "Scale"];
  const ownership = new Ownership({ apiVersion, kind, schema: builtinSchema(apiVersion, kind), subresource: "scale" });
  const paths = { "apps/v1": "spec.replicas" };
  const managedFields = toScale(live.metadata.managedFields, paths);
  const metadata = { name: live.metadata.name ?? "", ...(managedFields === undefined ? {} : { managedFields }) };
  const { replicas } = live["spec"] as { replicas: number };
  const scale: ApiObject = { apiVersion, kind, metadata, spec: { replicas }, status: { replicas: 0 } };
  const body = step.body as ApiObject;
  const applying = step.contentType === "application/apply-patch+yaml";
  const updated = applyMergePatch(scale, body) as unknown as ApiObject;
  const after = applying
    ? ownership.apply({ live: scale, applied: body, ...who, now }).metadata.managedFields
    : ownership.recordUpdate({ live: scale, updated, ...who, now });
  const parent = toParent({ parent: live.metadata.managedFields, scale: after, apiVersion: "apps/v1", paths });
  const { managedFields: _, ...rest } = live.metadata;
  return {
    ...live,
    spec: { ...(live["spec"] as object), ...(body["spec"] as object) },
    metadata: { ...rest, ...(parent === undefined ? {} : { managedFields: parent }) },
  };
}

/** Addresses are given to a Service after its owners are recorded. */
function beforeAllocation(spec: unknown): unknown {
  const {
    clusterIP: _,
    clusterIPs: __,
    ipFamilies: ___,
    ipFamilyPolicy: ____,
    ...rest
  } = spec as Record<string, unknown>;
  return rest;
}

/** Replays one line on an object of its own; each step works on the recorded outcome of the one before. */
function faultsIn(line: Line): { faults: string[]; compared: number } {
  const faults: string[] = [];
  let compared = 0;
  let live: ApiObject | undefined;
  for (const [i, step] of (line.steps ?? [line]).entries()) {
    const answer = step.result?.kind === "Status" ? undefined : step.result;
    const writes = step.method !== "GET" && step.method !== "DELETE";
    if (writes && typeof step.body === "object" && step.body !== null) {
      const { fault, object } = compareStep(step, live);
      compared++;
      if (fault !== undefined) faults.push(`${line.id} step ${i}: ${fault}`);
      if (answer?.kind === "Scale") live = object;
    }
    if (step.method === "DELETE") live = undefined;
    const written = answer !== undefined && answer.kind !== "Scale" && !step.path.includes("dryRun");
    if (written) live = deepFreeze(structuredClone(answer));
  }
  return { faults, compared };
}

test("apply and updates record owners as the reference server", { skip: skip("apply.jsonl") }, () => {
  const lines = linesOf("apply.jsonl");
  shelfDefinition = lines.find(({ id }) => id.endsWith("crd-shelves"))?.steps?.[0]?.body as ApiObject;
  // Recorded conditions have no messages, so that a status cannot be carried from one step to the next.
  const own = lines.filter(({ id, fixture }) => fixture !== true && !id.endsWith("service-status"));
  const results = own.map(faultsIn);
  assert.deepEqual(
    results.flatMap(({ faults }) => faults),
    [],
  );
  const compared = results.reduce((sum, result) => sum + result.compared, 0);
  assert.ok(compared > 1_000, `compared ${compared}`);
});

/** Our outcome of a step, and how it differs from the recorded one. */
function compareStep(step: Step, live: ApiObject | undefined): { fault?: string | undefined; object?: ApiObject } {
  try {
    const object = replay(step, live) as ApiObject | undefined;
    return object === undefined ? {} : { fault: faultIn(object, step), object };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { fault: faultInRefusal(error, step) };
  }
}

function faultIn(object: ApiObject, step: Step): string | undefined {
  if (step.status === 409 && step.result?.causes !== undefined)
    return `no conflict, but ${JSON.stringify(step.result.causes)}`;
  if (step.status === 500) return "done, but refused with 500";
  if ((step.status ?? 0) >= 400 || step.result?.kind === "Scale") return undefined;
  const [mine, theirs] = [JSON.stringify(entriesOf(object)), JSON.stringify(entriesOf(step.result))];
  return mine === theirs ? undefined : `${mine}\n  is not ${theirs}`;
}

function faultInRefusal(error: StatusError, step: Step): string | undefined {
  const fields = (error.details?.causes ?? []).map(({ field, reason }) => `${field} ${reason}`).sort();
  const wanted = (step.result?.causes ?? []).map(({ field, reason }) => `${field} ${reason}`).sort();
  const code = error.code ?? codes[error.reason];
  if (code !== step.status) return `${code} ${error.message}, but ${step.status}`;
  return JSON.stringify(fields) === JSON.stringify(wanted) ? undefined : `${fields.join()} is not ${wanted.join()}`;
}
