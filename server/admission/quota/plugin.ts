/**
 * ResourceQuota: what is made in a namespace is charged to its quotas before it is stored, and given back if it was not
 * stored after all. What goes is given back by the controller (controllers/resourcequota).
 * Source: k8s.io/apiserver/pkg/admission/plugin/resourcequota
 */
import type { Clock } from "@atoll/machinery/clock";
import type { Catalogue } from "../../registry/catalogue.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { Teller } from "./teller.ts";

/** Source: DefaultIgnoredResources */
const uncounted: ReadonlySet<string> = new Set(["/events", "events.k8s.io/events", "/bindings"]);

/** What the plugin needs of the server. */
export interface QuotaOptions {
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** The plugin; the last of all, so that only what nobody else refuses is charged. */
export function resourceQuotas(catalogue: Catalogue, { clock, onError }: QuotaOptions): AdmissionPlugin {
  const tellers = new Map<string, Teller>();
  return {
    name: "ResourceQuota",
    handles: (request) => isCounted(request) && hasQuotas(catalogue, request.namespace),
    validate(request) {
      const { namespace } = request;
      const quotas = catalogue.resource("", "resourcequotas");
      if (quotas === undefined) return undefined;
      let teller = tellers.get(namespace);
      if (teller === undefined) {
        const made: Teller = new Teller({
          quotas,
          namespace,
          nowMs: () => clock.nowMs(),
          onError,
          onIdle: () => {
            if (tellers.get(namespace) === made) tellers.delete(namespace);
          },
        });
        teller = made;
        tellers.set(namespace, made);
      }
      return teller.ask(request);
    },
    async start() {
      await catalogue.resource("", "resourcequotas")?.cache.loaded();
    },
  };
}

/** Whether the write can take anything from a quota. */
function isCounted({ kind, operation, subresource, namespace }: AdmissionRequest): boolean {
  if (!kind.namespaced || namespace === "" || kind.virtual === true) return false;
  const resource = `${kind.group}/${kind.plural}`;
  if (operation === "CREATE") return subresource === "" && !uncounted.has(resource);
  if (operation !== "UPDATE") return false;
  if (resource === "/pods") return subresource === "resize";
  if (resource === "/services") return subresource === "";
  return resource === "/persistentvolumeclaims" && (subresource === "" || subresource === "status");
}

function hasQuotas(catalogue: Catalogue, namespace: string): boolean {
  const quotas = catalogue.resource("", "resourcequotas");
  if (quotas === undefined) return false;
  // Before it has been loaded a cache knows of none.
  return quotas.cache.revision === 0 || quotas.cache.range(quotas.prefix(namespace)).length > 0;
}
