/** Tells violations in the cluster itself, as PolicyReports: one for each namespace with any, one for what is in none. */
import { CustomResourceDefinition } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isAlreadyExists, isNotFound } from "@atoll/client/errors";
import { type Resource, toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { fieldManager, managedLabel } from "./apply.ts";
import { isWithin } from "./plan.ts";
import { ClusterPolicyReport, definitionOfReport, PolicyReport } from "./policyreportkinds.ts";
import type { Resources } from "./resources.ts";
import type { Found, Violation } from "./violations.ts";

const name = "atoll-fleet";
const labels = { [managedLabel]: "true" };
const servedWithinMs = 10_000;
const pollMs = 100;

/** The reports of what was found. Those told are at most as many as the hub is told, the counts are of all. Pure. */
function reportsOf({ violations, ofNamespace }: Found): readonly ApiObject[] {
  const told = Map.groupBy(violations, ({ namespace }) => namespace);
  return Object.entries(ofNamespace).map(([namespace, fail]) => {
    const { group, version, kind } = namespace === "" ? ClusterPolicyReport : PolicyReport;
    return {
      apiVersion: `${group}/${version}`,
      kind,
      metadata: { name, labels, ...(namespace === "" ? {} : { namespace }) },
      summary: { pass: 0, fail, warn: 0, error: 0, skip: 0 },
      results: (told.get(namespace) ?? []).map(resultOf),
    };
  });
}

function resultOf({ policy, rule, message, apiVersion, kind, namespace, name: called, uid }: Violation): object {
  const resource = { apiVersion, kind, name: called, uid, ...(namespace === "" ? {} : { namespace }) };
  return { source: "atoll", policy, rule, message, result: "fail", scored: true, resources: [resource] };
}

/** The cluster, and what it serves. */
interface Place {
  readonly client: Client;
  readonly clock: Clock;
  readonly resources: Pick<Resources, "has" | "forget">;
}

/**
 * Makes the cluster's reports say what was found. The kinds are brought along where the cluster has none, and go again with
 * the last report. @throws when it cannot
 */
export async function tellReports({ client, clock, resources }: Place, found: Found): Promise<void> {
  const wanted = reportsOf(found);
  for (const kind of [PolicyReport, ClusterPolicyReport]) {
    const reports = wanted.filter((report) => report.kind === kind.kind);
    if (reports.length === 0 && !resources.has(kind)) continue;
    // It is brought along below, and is to be looked for when it is to go again.
    if (!resources.has(kind)) resources.forget();
    const live = await listed(client, kind, reports.length > 0 ? clock : undefined);
    for (const report of reports) await tell(client, kind, report);
    const kept = new Set(reports.map(({ metadata }) => metadata.namespace));
    const ours = live.filter(({ metadata }) => metadata.labels?.[managedLabel] === "true");
    for (const { metadata } of ours.filter((report) => !kept.has(report.metadata.namespace))) {
      await quietly(client.delete(kind, toKey(metadata.namespace, metadata.name ?? "")));
    }
    if (reports.length === 0 && live.length === ours.length) await takeAway(client, kind);
  }
}

/** All reports of a kind, whoever made them. @param clock given: the kind is brought along when it is not there */
async function listed(
  client: Client,
  kind: Resource<ApiObject>,
  clock: Clock | undefined,
): Promise<readonly ApiObject[]> {
  const endMs = (clock?.monotonicMs() ?? 0) + servedWithinMs;
  for (;;) {
    try {
      return (await client.list(kind)).items;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      if (clock === undefined) return [];
      if (clock.monotonicMs() > endMs) throw error;
    }
    await client.create(CustomResourceDefinition, definitionOfReport(kind, labels) as never).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
    await clock.sleep(pollMs);
  }
}

async function tell(client: Client, kind: Resource<ApiObject>, report: ApiObject): Promise<void> {
  const live = await quietly(client.get(kind, toKey(report.metadata.namespace, name)));
  if (live !== undefined && isWithin(report, live)) return;
  await client.apply(kind, { object: report, force: true }, { fieldManager });
}

/** A kind that the agent brought along goes when nothing is told by it. */
async function takeAway(client: Client, { plural, group }: Resource): Promise<void> {
  const key = toKey(undefined, `${plural}.${group}`);
  const definition = await quietly(client.get(CustomResourceDefinition, key));
  if (definition?.metadata.labels?.[managedLabel] !== "true") return;
  await quietly(client.delete(CustomResourceDefinition, key, { uid: definition.metadata.uid }));
}

async function quietly<T>(asked: Promise<T>): Promise<T | undefined> {
  return await asked.catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
}
