/**
 * Nothing is made in a namespace that is missing or going, and the system's own namespaces stay.
 * Source: k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle
 */
import { StatusError } from "@atoll/machinery/status";
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";

const immortal: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);
// May be made in a namespace that is going: they are asked, not stored.
const alwaysAllowed: ReadonlySet<string> = new Set(["localsubjectaccessreviews"]);

export function namespaceLifecycle(catalogue: Catalogue): AdmissionPlugin {
  return {
    name: "NamespaceLifecycle",
    handles: ({ operation, kind }) =>
      kind.plural === "namespaces" ? operation === "DELETE" : kind.namespaced && operation === "CREATE",
    mutate: (request) => {
      if (request.kind.plural === "namespaces") return refuseImmortal(request);
      return requireNamespace(catalogue, request);
    },
  };
}

function refuseImmortal({ old, kind }: AdmissionRequest): void {
  const name = old?.metadata.name ?? "";
  if (kind.group !== "" || !immortal.has(name)) return;
  throw new StatusError(
    "Forbidden",
    `namespaces ${JSON.stringify(name)} is forbidden: this namespace may not be deleted`,
    {
      details: { name, kind: "namespaces" },
    },
  );
}

async function requireNamespace(catalogue: Catalogue, request: AdmissionRequest): Promise<void> {
  if (alwaysAllowed.has(request.kind.plural)) return;
  const namespaces = catalogue.resource("", "namespaces");
  if (namespaces === undefined) return;
  await namespaces.cache.loaded();
  let entry = namespaces.cache.get(namespaces.key("", request.namespace));
  // A namespace that another server has just made may not be in this one's cache yet.
  if (entry === undefined) entry = await namespaces.get("", request.namespace);
  const { metadata } = namespaces.cache.object(entry);
  if (metadata.deletionTimestamp === undefined) return;
  const { kind, name, namespace } = request;
  const resource = kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw new StatusError("Forbidden", `${resource} ${JSON.stringify(name)} is forbidden: ${why}`, {
    details: {
      name,
      ...(kind.group === "" ? {} : { group: kind.group }),
      kind: kind.plural,
      causes: [
        {
          reason: "NamespaceTerminating",
          message: `namespace ${namespace} is being terminated`,
          field: "metadata.namespace",
        },
      ],
    },
  });
}
