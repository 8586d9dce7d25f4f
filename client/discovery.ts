/**
 * Which resources a server has. In one request for each of its two roots where the server can (aggregated discovery),
 * else group by group.
 * Source: k8s.io/client-go/discovery; k8s.io/api/apidiscovery/v2
 */
import type { Call } from "./connection.ts";
import { isNotFound, isRefusal } from "./errors.ts";
import type { AnyResource } from "./resource.ts";
import { TransportFailed } from "./transport.ts";

/** A resource as discovery tells it. */
export interface DiscoveredResource extends AnyResource {
  readonly verbs: readonly string[];
  /** Names below an object, as `status`. */
  readonly subresources: readonly string[];
  /** No better version of its group serves this resource. */
  readonly preferred: boolean;
}

/** All that could be learned. */
export interface Discovery {
  readonly resources: readonly DiscoveredResource[];
  /** Groups and versions of which nothing could be learned just now, as an aggregated API that is down. */
  readonly failed: readonly { readonly group: string; readonly version: string; readonly error: Error }[];
}

const aggregatedAccept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

interface AggregatedResource {
  readonly resource: string;
  readonly responseKind?: { readonly group?: string; readonly version?: string; readonly kind: string };
  readonly scope: string;
  readonly verbs?: readonly string[];
  readonly subresources?: readonly { readonly subresource: string }[];
}

interface Aggregated {
  readonly kind: "APIGroupDiscoveryList";
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly freshness?: string;
      readonly resources?: readonly AggregatedResource[];
    }[];
  }[];
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs?: readonly string[];
  }[];
}

type Served = Omit<DiscoveredResource, "preferred">;
type Failed = Discovery["failed"][number];

/** What discovery needs of a client. */
export interface Asking {
  raw(call: Call): Promise<unknown>;
}

/** Gathers what is found, versions of a group in order of preference. */
class Findings {
  readonly resources: DiscoveredResource[] = [];
  readonly failed: Failed[] = [];
  readonly #seen = new Set<string>();

  add(served: Served): void {
    const id = `${served.group}/${served.plural}`;
    this.resources.push({ ...served, preferred: !this.#seen.has(id) });
    this.#seen.add(id);
  }
}

/**
 * Asks a server for its resources. A group that cannot be learned is listed as failed.
 * @throws {StatusError | TransportFailed} even the list of groups could not be had
 */
export async function discover(client: Asking, signal?: AbortSignal): Promise<Discovery> {
  const findings = new Findings();
  for (const root of ["/api", "/apis"]) {
    const answer = await client.raw({ method: "GET", path: root, headers: { accept: aggregatedAccept }, signal });
    if (isAggregated(answer)) takeAggregated(answer, findings);
    else await takeGroups(client, answer, { findings, signal });
  }
  return findings;
}

function isAggregated(answer: unknown): answer is Aggregated {
  return (answer as { kind?: unknown } | null)?.kind === "APIGroupDiscoveryList";
}

function takeAggregated(answer: Aggregated, findings: Findings): void {
  for (const item of answer.items ?? []) {
    const group = item.metadata?.name ?? "";
    for (const { version, freshness, resources = [] } of item.versions ?? []) {
      if (freshness === "Stale") {
        const error = new TransportFailed(`stale discovery of ${group}/${version}`, { uncertain: false });
        findings.failed.push({ group, version, error });
        continue;
      }
      const served = resources.filter(({ responseKind }) => responseKind !== undefined);
      for (const resource of served) findings.add(fromAggregated(resource, { group, version }));
    }
  }
}

function fromAggregated(resource: AggregatedResource, { group, version }: { group: string; version: string }): Served {
  return {
    group,
    version,
    kind: resource.responseKind?.kind ?? "",
    plural: resource.resource,
    namespaced: resource.scope === "Namespaced",
    verbs: resource.verbs ?? [],
    subresources: (resource.subresources ?? []).map(({ subresource }) => subresource),
  };
}

async function takeGroups(
  client: Asking,
  answer: unknown,
  { findings, signal }: { findings: Findings; signal: AbortSignal | undefined },
): Promise<void> {
  for (const { group, version } of groupVersions(answer)) {
    const path = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    try {
      const list = (await client.raw({ method: "GET", path, signal })) as ResourceList;
      for (const served of fromList(list, { group, version })) findings.add(served);
    } catch (error) {
      // A group that went while we asked is no failure.
      if (isNotFound(error)) continue;
      if (!(error instanceof TransportFailed) && !isRefusal(error, "ServiceUnavailable", "InternalError", "Forbidden"))
        throw error;
      findings.failed.push({ group, version, error });
    }
  }
}

/** Groups and versions of an APIVersions or APIGroupList, the preferred version of each group first. */
function groupVersions(answer: unknown): { group: string; version: string }[] {
  const body = answer as {
    versions?: string[];
    groups?: { name: string; versions: { version: string }[]; preferredVersion?: { version: string } }[];
  };
  const core = (body.versions ?? []).map((version) => ({ group: "", version }));
  const named = (body.groups ?? []).flatMap(({ name, versions, preferredVersion }) => {
    const rest = versions.map(({ version }) => version).filter((version) => version !== preferredVersion?.version);
    const ordered = preferredVersion === undefined ? rest : [preferredVersion.version, ...rest];
    return ordered.map((version) => ({ group: name, version }));
  });
  return [...core, ...named];
}

function fromList(list: ResourceList, { group, version }: { group: string; version: string }): Served[] {
  const all = list.resources ?? [];
  return all
    .filter(({ name }) => !name.includes("/"))
    .map(({ name, kind, namespaced, verbs = [] }) => {
      const below = `${name}/`;
      const subresources = all
        .filter((other) => other.name.startsWith(below))
        .map((other) => other.name.slice(below.length));
      return { group, version, kind, plural: name, namespaced, verbs, subresources };
    });
}

/** The resource that serves a kind at a version, if discovery found one. */
export function findKind(
  discovery: Discovery,
  { group, version, kind }: { group: string; version: string; kind: string },
): DiscoveredResource | undefined {
  return discovery.resources.find(
    (resource) => resource.kind === kind && resource.group === group && resource.version === version,
  );
}
