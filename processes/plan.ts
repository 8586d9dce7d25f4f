/**
 * `atoll plan -f F`: what the objects of a file would change on each cluster, before they are applied, and which objects there would
 * newly break a policy: that the hub's gateway asks the clusters at a dry run, and tells by warnings.
 */
import { readFile } from "node:fs/promises";
import { fleetKinds } from "@atoll/api/fleet/kinds";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { type Resource, toKey } from "@atoll/client/resource";
import { differencesBetween } from "@atoll/fleet/explain/plan";
import { readFleet, replaced } from "@atoll/fleet/explain/organization";
import { stakeOf } from "@atoll/fleet/explain/trial";
import { systemClock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import { parseYaml } from "@atoll/machinery/yaml/yaml";
import { exitCode, UsageError } from "./flags.ts";
import { hubFlags, table, withHub } from "./hub.ts";
import { adminKubeconfig } from "./kubeconfig.ts";

/** @param args flags */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const { data, filename, org } = hubFlags("atoll plan", "What fleet objects would change on each cluster.")
      .requiredOption("-f, --filename <file>", "the objects, YAML or JSON")
      .option("--org <namespace>", "the organization", "default")
      .parse(args, { from: "user" })
      .opts<{ data?: string; filename: string; org: string }>();
    let refused = false;
    const told = new Set<string>();
    const given = objectsOf(await readFile(filename, "utf8"));
    const answer = await withHub(
      adminKubeconfig(data),
      async (client) => {
        const before = await readFleet(client, org, systemClock.nowMs());
        const { objects, refusals } = await asStored(client, given, org);
        const { fleet, ignored } = replaced(before, objects);
        const differences = differencesBetween(before, fleet);
        const rows = differences
          .flatMap(({ changes }) => changes)
          .map((one) => [one.cluster, one.does, one.object, one.source, one.level]);
        const notes = [
          ...refusals.map((refusal) => `${refusal}\n`),
          ...ignored.map(({ kind }) => `${kind} is none of the fleet's kinds: not reckoned with.\n`),
        ];
        refused = refusals.length > 0;
        if (rows.length === 0) return `${notes.join("")}No cluster would change.\n`;
        const changes = table([["CLUSTER", "DOES", "OBJECT", "FOR", "LEVEL"], ...rows]);
        const concerned = differences.some((one) => stakeOf(one) !== undefined);
        return notes.join("") + changes + existing([...told], { concerned, alone: given.length === 1 });
      },
      (text) => told.add(text),
    );
    process.stdout.write(answer);
    return refused ? 1 : 0;
  });
}

/** The objects as the hub would store them, by a dry run: with defaults, and judged. */
async function asStored(client: Client, given: readonly ApiObject[], org: string) {
  const objects: ApiObject[] = [];
  const refusals: string[] = [];
  for (const object of given) {
    const kind = fleetKinds.find(({ kind }) => kind === object.kind);
    const { name = "", namespace = org } = object.metadata;
    if (kind === undefined) {
      objects.push(object);
    } else if (namespace !== org) {
      refusals.push(`${kind.kind}/${name} is of the organization ${namespace}: ask with --org ${namespace}.`);
    } else {
      await stored(client, kind as Resource<ApiObject>, {
        ...object,
        metadata: { ...object.metadata, namespace },
      }).then(
        (answer) => objects.push(answer),
        (error: unknown) => {
          if (!(error instanceof StatusError)) throw error;
          refusals.push(`The hub would refuse ${kind.kind}/${name}: ${error.message}`);
        },
      );
    }
  }
  return { objects, refusals };
}

/** What the file does not say is not meant any more: an object that is there is replaced, not merged with. */
async function stored(client: Client, kind: Resource<ApiObject>, object: ApiObject): Promise<ApiObject> {
  const { namespace, name = "" } = object.metadata;
  const live = await client.get(kind, toKey(namespace, name)).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (live === undefined) return await client.create(kind, object, trial);
  const { resourceVersion = "" } = live.metadata;
  return await client.update(kind, { ...object, metadata: { ...object.metadata, resourceVersion } }, trial);
}

/** The gateway then tells what the clusters say, and not what is reckoned here. */
const trial = { dryRun: true, fieldManager: "atoll-plan" };

/**
 * What the clusters say of what they have.
 * @param concerned policies change that judge objects or write into them
 * @param alone the file has one object; of several each was tried by itself
 */
function existing(told: readonly string[], { concerned, alone }: { concerned: boolean; alone: boolean }): string {
  if (!concerned) return "";
  if (told.length === 0) return unasked;
  const head = alone
    ? "What the clusters have already:"
    : "What the clusters have already, each object of the file tried by itself:";
  return `${head}\n${told.map((line) => `  ${line.replace(/\p{Cc}/gu, "?")}\n`).join("")}`;
}

const unasked =
  "Which objects of the clusters would newly break these policies is not known: no gateway answered the hub's question.\n" +
  "Apply with enforcement: Audit first, and read the violations.\n";

function objectsOf(text: string): readonly ApiObject[] {
  return text
    .split(/^---\s*$/m)
    .filter((part) => part.replace(/^\s*#.*$/gm, "").trim() !== "")
    .flatMap((part) => {
      const { value } = parseYaml(part) as { value: unknown };
      const object = value as ApiObject & { items?: readonly ApiObject[] };
      if (typeof object.kind !== "string") throw new UsageError("the file has something without a kind");
      return object.kind === "List" ? (object.items ?? []) : [object];
    });
}
