/**
 * The gateway: the proxy that Ingresses and HTTPRoutes of class `atoll` are served by. Names on which controllers, hosts and
 * `atoll why` agree.
 */
import { exportedTo, systemNamespace } from "./annotations.ts";

/** Where the gateway runs; only administrators make pods there. */
export const gatewayNamespace = systemNamespace;

/** Its Deployment, its Service and the Secret with its configuration. */
export const gatewayName = "atoll-gateway";

/** Its image, which hosts make by themselves. Another number for other contents. */
export const gatewayImage = "atoll.local/gateway:v1";

/** Names the controller in IngressClasses and GatewayClasses. */
export const gatewayController = "supervisor.atoll.dev/gateway";

/** The class that there is from the start. */
export const gatewayClass = "atoll";

/** Where the proxy finds its configuration. */
export const gatewayFolder = "/etc/atoll-gateway";

/** Condition of a Service to which the gateway leads: its message names what leads there. */
export const routedCondition = "supervisor.atoll.dev/Routed";

interface Reached {
  readonly metadata: Parameters<typeof exportedTo>[0];
  readonly status?: { readonly conditions?: readonly { type: string; status: string; message: string }[] | null };
}

/** What leads the gateway to a Service, in words; undefined when nothing does. */
export function routedBy({ status }: Reached): string | undefined {
  return status?.conditions?.find(({ type, status: holds }) => type === routedCondition && holds === "True")?.message;
}

/** Namespaces besides its own for whose pods a Service opens the way: those it is exported to, and the gateway's. */
export function opensFor(service: Reached): readonly string[] {
  const exported = exportedTo(service.metadata);
  const isRouted = routedBy(service) !== undefined && service.metadata.namespace !== gatewayNamespace;
  return isRouted && !exported.includes(gatewayNamespace) ? [...exported, gatewayNamespace] : exported;
}
