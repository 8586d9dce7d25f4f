/**
 * The parameters of a binding.
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go (CollectParams)
 */
import type { ParamKind, ParamRef } from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import { type ApiObject, parseApiVersion } from "@atoll/machinery/object";
import { matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";
import type { Entry } from "@atoll/storage/store";
import type { Catalogue, Served } from "../../registry/catalogue.ts";
import type { Resource } from "../../registry/resource.ts";
import { fromStored } from "../../registry/versions.ts";

/** A policy or binding that cannot be used as it stands; the message says why. */
export class Misconfigured extends Error {
  override readonly name = "Misconfigured";
}

/** Without parameters a policy is run once. */
const none: readonly undefined[] = [undefined];

/** The kind of a policy's parameters, if it has any. @throws {Misconfigured} when it is not served */
export function paramKindOf(catalogue: Catalogue, kind: ParamKind | undefined): Served | undefined {
  if (kind === undefined) return undefined;
  const { apiVersion = "", kind: name = "" } = kind;
  const { group, version } = parseApiVersion(apiVersion);
  const served = catalogue.kindOf(group, version, name);
  if (served?.resource !== undefined) return served;
  throw new Misconfigured(`failed to find resource referenced by paramKind: '${apiVersion}, Kind=${name}'`);
}

/**
 * Each parameter a binding is to be run with; none when there are none and that is allowed.
 * @throws {Misconfigured}
 */
export async function collectParams(
  served: Served | undefined,
  ref: ParamRef | undefined,
  namespace: string,
): Promise<readonly (ApiObject | undefined)[]> {
  if (served?.resource === undefined || ref === undefined) return none;
  const { kind, resource } = served;
  const place = placeOf(kind.namespaced, ref, namespace);
  await resource.cache.loaded();
  const found = await Promise.all(
    entriesOf(resource, ref, place).map(async (entry) => await fromStored(kind, resource.cache.object(entry))),
  );
  if (found.length === 0 && ref.parameterNotFoundAction === "Deny") {
    throw new Misconfigured("no params found for policy binding with `Deny` parameterNotFoundAction");
  }
  return found;
}

/** The namespace to look in; "" for parameters of cluster scope. */
function placeOf(namespaced: boolean, ref: ParamRef, namespace: string): string {
  const given = ref.namespace ?? "";
  if (!namespaced) {
    if (given === "") return "";
    throw new Misconfigured("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
  }
  if (given !== "") return given;
  if (namespace !== "") return namespace;
  throw new Misconfigured("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
}

function entriesOf(resource: Resource, { name = "", selector }: ParamRef, namespace: string): readonly Entry[] {
  if (name !== "") {
    const entry = resource.cache.get(resource.key(namespace, name));
    return entry === undefined ? [] : [entry];
  }
  const wanted = selectorOf(selector) ?? [];
  return resource.cache
    .range(resource.prefix(namespace))
    .filter((entry) => matchesLabels(wanted, resource.cache.object(entry).metadata.labels));
}
