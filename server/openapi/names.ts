/**
 * Names in OpenAPI documents: of definitions, operations and tags.
 * Source: k8s.io/apiserver/pkg/endpoints/openapi (GetOperationIDAndTags), k8s.io/kube-openapi/pkg/util
 */
import type { Kind } from "@atoll/api/kind";

/** `stable.example.com`, v1, CronTab gives `com.example.stable.v1.CronTab`; built-in types have a name already. */
export function definitionName(kind: Kind): string {
  const builtin = kind.schema["x-atoll-name"];
  return builtin ?? [...kind.group.split(".").reverse(), kind.version, kind.kind].join(".");
}

/** Letters and digits; what follows other characters is upper case. */
function joined(text: string, capitalize: boolean): string {
  const words = text.split(/[^A-Za-z0-9_]+/).filter((word) => word !== "");
  return words.map((word, i) => (i > 0 || capitalize ? word.charAt(0).toUpperCase() + word.slice(1) : word)).join("");
}

function groupPart(group: string, capitalize: boolean): string {
  return joined(group === "" ? "core" : group.replace(/\.k8s\.io$/, ""), capitalize);
}

/** `apps_v1`, `rbacAuthorization_v1` */
export function tagOf(group: string, version: string): string {
  return `${groupPart(group, false)}_${joined(version, false)}`;
}

/** `list`, apps, v1, `NamespacedDeployment` gives `listAppsV1NamespacedDeployment`. */
export function operationId(verb: string, group: string, version: string, rest: string): string {
  return verb + groupPart(group, true) + joined(version, true) + rest;
}

/** `ephemeralcontainers` gives `Ephemeralcontainers`. */
export function titled(subresource: string): string {
  return subresource.charAt(0).toUpperCase() + subresource.slice(1);
}

/** The path below which a group's version is served. */
export function rootOf(group: string, version: string): string {
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}
