/**
 * Aggregated discovery: all groups with all their resources in one document, at /api for the core and at /apis for
 * the rest, when the client's Accept asks for it.
 * Source: k8s.io/api/apidiscovery/v2, k8s.io/apiserver/pkg/endpoints/discovery/aggregated
 */
import { createHash } from "node:crypto";
import type { Kind, Subresource } from "@atoll/api/kind";
import { builtinPriorities } from "@atoll/api/resources";
import type { ServedGroup, ServedVersion } from "./groups.ts";

type Document = Readonly<Record<string, unknown>>;

/** Media type parameters under which the document is asked for. Upstream dropped v2beta1 in 1.35. */
export const aggregatedType = { group: "apidiscovery.k8s.io", version: "v2", as: "APIGroupDiscoveryList" } as const;

/** Upstream spells group and version out for custom kinds, and for kinds of another group than their parent's. */
function responseKind(kind: Kind, subresource: Subresource | undefined): Document {
  const own = subresource?.kind ?? kind;
  const custom = builtinPriorities[`${kind.group}/${kind.version}`] === undefined && kind.group !== registration;
  const same = own.group === kind.group && own.version === kind.version;
  if (same && !custom) return { group: "", version: "", kind: own.kind };
  return { group: own.group, version: own.version, kind: own.kind };
}

const registration = "apiregistration.k8s.io";

function subresourceEntry(kind: Kind, subresource: Subresource): Document {
  return {
    subresource: subresource.name,
    responseKind: responseKind(kind, subresource),
    verbs: subresource.verbs,
  };
}

function resourceEntry(kind: Kind): Document {
  const subresources = kind.subresources.map((subresource) => subresourceEntry(kind, subresource));
  return {
    resource: kind.plural,
    responseKind: responseKind(kind, undefined),
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

function versionEntry({ version, kinds, remote }: ServedVersion): Document {
  if (remote === undefined) return { version, resources: kinds.map(resourceEntry), freshness: "Current" };
  if (remote.resources === undefined) return { version, freshness: "Stale" };
  return { version, resources: remote.resources, freshness: "Current" };
}

function listOf(groups: readonly ServedGroup[]): Document {
  return {
    kind: aggregatedType.as,
    apiVersion: `${aggregatedType.group}/${aggregatedType.version}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: name === "" ? {} : { name },
      versions: versions.map(versionEntry),
    })),
  };
}

/** The document of /api. */
export function aggregatedCore(groups: readonly ServedGroup[]): Document {
  return listOf(groups.filter(({ name }) => name === ""));
}

/** The document of /apis. */
export function aggregatedGroups(groups: readonly ServedGroup[]): Document {
  return listOf(groups.filter(({ name }) => name !== ""));
}

/**
 * A document's ETag header, quotes included. It is answered with `Vary: Accept` and `Cache-Control: public`, and a
 * request whose If-None-Match is equal to it gets 304.
 */
export function entityTag(body: string): string {
  return `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`;
}
