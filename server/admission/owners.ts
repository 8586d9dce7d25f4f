/**
 * Nobody makes an object go with an owner who may not delete it, nor holds up an owner's deletion who may not keep it.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/gc (OwnerReferencesPermissionEnforcement)
 */
import { deepEqual } from "@atoll/machinery/equal";
import { type OwnerReference, parseApiVersion } from "@atoll/machinery/object";
import { resourceQuestion } from "../authorize/attributes.ts";
import { type Authorizer, decide } from "../authorize/stage.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { forbidden } from "./forbidden.ts";

/** The plugin; it asks the authorizers. */
export function ownerReferences(catalogue: Catalogue, authorizers: readonly Authorizer[]): AdmissionPlugin {
  return {
    name: "OwnerReferencesPermissionEnforcement",
    handles: (request) => {
      const { operation, kind, subresource, user } = request;
      if (operation !== "CREATE" && operation !== "UPDATE") return false;
      // The status of a pod cannot change its owners, whatever old kubelets send.
      if (kind.group === "" && kind.plural === "pods" && subresource === "status") return false;
      return !user.groups.includes("system:masters") && !deepEqual(ownersOf(request.object), ownersOf(request.old));
    },
    async validate(request) {
      if (request.operation === "UPDATE") await requireDelete(request, authorizers);
      for (const owner of newlyHeld(request)) await requireFinalizers(request, owner, { catalogue, authorizers });
    },
  };
}

function ownersOf(object: AdmissionRequest["object"]): readonly OwnerReference[] {
  return object?.metadata.ownerReferences ?? [];
}

/** Owners whose deletion is to wait for the object, and did not before. */
function newlyHeld({ object, old }: AdmissionRequest): readonly OwnerReference[] {
  const held = new Set(
    ownersOf(old)
      .filter(({ blockOwnerDeletion }) => blockOwnerDeletion === true)
      .map(({ uid }) => uid),
  );
  return ownersOf(object).filter(({ blockOwnerDeletion, uid }) => blockOwnerDeletion === true && !held.has(uid));
}

async function requireDelete(request: AdmissionRequest, authorizers: readonly Authorizer[]): Promise<void> {
  const { kind, subresource, namespace, name, user } = request;
  const { group, version, plural: resource } = kind;
  const question = resourceQuestion({ verb: "delete", group, version, resource, subresource, namespace, name });
  const { decision, reason, error } = await decide(authorizers, user, question);
  if (decision === "allow") return;
  const why = `${reason}, ${error ?? "<nil>"}`;
  throw forbidden(request, `cannot set an ownerRef on a resource you can't delete: ${why}`);
}

async function requireFinalizers(
  request: AdmissionRequest,
  { apiVersion, kind, name }: OwnerReference,
  { catalogue, authorizers }: { catalogue: Catalogue; authorizers: readonly Authorizer[] },
): Promise<void> {
  const { group, version } = parseApiVersion(apiVersion);
  const served = catalogue.kindOf(group, version, kind);
  if (served === undefined) {
    const why = `cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}: no matches for kind "${kind}" in version "${apiVersion}"`;
    throw forbidden(request, `cannot set blockOwnerDeletion in this case because ${why}`);
  }
  const namespace = served.kind.namespaced ? request.namespace : "";
  const place = { group, version, resource: served.kind.plural, subresource: "finalizers", namespace, name };
  const { decision, reason, error } = await decide(
    authorizers,
    request.user,
    resourceQuestion({ verb: "update", ...place }),
  );
  if (decision === "allow") return;
  const why = `${reason}, ${error ?? "<nil>"}`;
  throw forbidden(
    request,
    `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${why}`,
  );
}
