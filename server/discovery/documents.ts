/**
 * Discovery as plain documents: /api, /apis, /apis/GROUP, /apis/GROUP/VERSION and /api/v1.
 * Source: k8s.io/apiserver/pkg/endpoints/discovery, k8s.io/apimachinery/pkg/apis/meta/v1 (APIGroup, APIResource)
 */
import { createHash } from "node:crypto";
import type { Kind, Subresource } from "@atoll/api/kind";
import { formatApiVersion } from "@atoll/machinery/object";
import type { ServedGroup, ServedVersion } from "./groups.ts";

type Document = Readonly<Record<string, unknown>>;

/** /api. @param address `HOST:PORT` under which clients reach this server */
export function apiVersions(address: string): Document {
  return {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: address }],
  };
}

function versionEntry(group: string, { version }: ServedVersion): Document {
  return { groupVersion: formatApiVersion(group, version), version };
}

function groupEntry({ name, versions }: ServedGroup): Document {
  const entries = versions.map((version) => versionEntry(name, version));
  return { name, versions: entries, preferredVersion: entries[0] };
}

/** /apis: every group but the core's. */
export function apiGroupList(groups: readonly ServedGroup[]): Document {
  const named = groups.filter(({ name }) => name !== "");
  return { kind: "APIGroupList", apiVersion: "v1", groups: named.map(groupEntry) };
}

/** /apis/GROUP */
export function apiGroup(group: ServedGroup): Document {
  return { kind: "APIGroup", apiVersion: "v1", ...groupEntry(group) };
}

/**
 * Changes when the version that a resource is stored in does; clients migrate stored objects by it.
 * Source: k8s.io/apiserver/pkg/endpoints/discovery/storageversionhash.go
 */
export function storageVersionHash({ group, version, kind, storedAs }: Kind): string {
  const stored = `${storedAs?.group ?? group}/${storedAs?.version ?? version}/${kind}`;
  return createHash("sha256").update(stored).digest().subarray(0, 8).toString("base64");
}

function resourceEntry(kind: Kind): Document {
  return {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: kind.verbs,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(kind.virtual === true ? {} : { storageVersionHash: storageVersionHash(kind) }),
  };
}

function subresourceEntry(parent: Kind, subresource: Subresource): Document {
  const own = subresource.kind;
  const foreign = own !== undefined && (own.group !== parent.group || own.version !== parent.version);
  return {
    name: `${parent.plural}/${subresource.name}`,
    singularName: "",
    namespaced: parent.namespaced,
    ...(foreign ? { group: own.group, version: own.version } : {}),
    kind: own?.kind ?? parent.kind,
    verbs: subresource.verbs,
  };
}

/** /apis/GROUP/VERSION, and /api/v1 for the group "". */
export function apiResourceList(group: string, { version, kinds }: ServedVersion): Document {
  return {
    kind: "APIResourceList",
    // The core's list is older than the field.
    ...(group === "" ? {} : { apiVersion: "v1" }),
    groupVersion: formatApiVersion(group, version),
    resources: kinds.flatMap((kind) => [
      resourceEntry(kind),
      ...kind.subresources.map((subresource) => subresourceEntry(kind, subresource)),
    ]),
  };
}
