/** `atoll plan -f F`: what the objects of a file would change on each cluster, before they are applied. */
import { readFile } from "node:fs/promises";
import { fleetKinds } from "@atoll/api/fleet/kinds";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { type Resource, toKey } from "@atoll/client/resource";
import { changesBetween } from "@atoll/fleet/explain/plan";
import { readFleet, replaced } from "@atoll/fleet/explain/organization";
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
    const given = objectsOf(await readFile(filename, "utf8"));
    process.stdout.write(
      await withHub(adminKubeconfig(data), async (client) => {
        const before = await readFleet(client, org, systemClock.nowMs());
        const { objects, refusals } = await asStored(client, given, org);
        const { fleet, ignored } = replaced(before, objects);
        const rows = changesBetween(before, fleet).map((one) => {
          return [one.cluster, one.does, one.object, one.source, one.level];
        });
        const notes = [
          ...refusals.map((refusal) => `${refusal}\n`),
          ...ignored.map(({ kind }) => `${kind} is none of the fleet's kinds: not reckoned with.\n`),
        ];
        refused = refusals.length > 0;
        if (rows.length === 0) return `${notes.join("")}No cluster would change.\n`;
        return notes.join("") + table([["CLUSTER", "DOES", "OBJECT", "FOR", "LEVEL"], ...rows]) + unknown;
      }),
    );
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
  if (live === undefined) return await client.create(kind, object, { dryRun: true });
  const { resourceVersion = "" } = live.metadata;
  return await client.update(kind, { ...object, metadata: { ...object.metadata, resourceVersion } }, { dryRun: true });
}

const unknown =
  "Which objects of the clusters would newly break these policies is not known: agents judge only what they have.\n" +
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
