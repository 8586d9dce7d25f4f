/**
 * Statuses of GatewayClasses, Gateways and HTTPRoutes. A time changes only with what it is about. Pure.
 * Source: sigs.k8s.io/gateway-api/apis/v1 (GatewayStatus, RouteParentStatus)
 */
import type { Gateway, GatewayClass } from "@atoll/api/gatewayapi/gateway";
import type { HTTPRoute } from "@atoll/api/gatewayapi/httproute";
import type { Condition } from "@atoll/api/own/kind";
import { gatewayController } from "@atoll/api/supervisor/gateway";
import { deepEqual } from "@atoll/machinery/equal";
import { type Judged, kindsOf, type Said } from "./listeners.ts";
import type { Joined, RoutePlan } from "./routes.ts";

/** @returns undefined when it is another controller's */
export function acceptedClass({ metadata, spec, status }: GatewayClass, now: string): GatewayClass["status"] {
  if (spec.controllerName !== gatewayController) return undefined;
  const said: Said = { type: "Accepted", status: "True", reason: "Accepted", message: "Gateways of it are served" };
  return { ...status, conditions: conditionsOf([said], status?.conditions, { now, generation: metadata.generation }) };
}

/** What a Gateway is told. */
export function gatewayStatus(
  { gateway, listeners }: Judged,
  given: { readonly routed: readonly RoutePlan[]; readonly addresses: readonly string[]; readonly now: string },
): NonNullable<Gateway["status"]> {
  const { metadata, spec, status } = gateway;
  const { addresses, now } = given;
  const when = { now, generation: metadata.generation };
  const joined = given.routed.flatMap((each) => [
    ...new Set(each.joined.filter((one) => one.gateway.gateway === gateway).flatMap((one) => one.listeners)),
  ]);
  return {
    addresses: addresses.map((value) => ({ type: "IPAddress", value })),
    conditions: conditionsOf(gatewaySaid(gateway, listeners, addresses), status?.conditions, when),
    listeners: listeners.map((listener, index) => {
      const before = status?.listeners?.find(({ name }) => name === listener.name);
      const written = spec.listeners[index];
      return {
        name: listener.name,
        attachedRoutes: joined.filter((each) => each === listener).length,
        supportedKinds: written === undefined ? [] : [...kindsOf(written)],
        conditions: conditionsOf(listener.said, before?.conditions, when),
      };
    }),
  };
}

function gatewaySaid({ spec }: Gateway, listeners: Judged["listeners"], addresses: readonly string[]): readonly Said[] {
  const accepted = listeners.filter(({ isAccepted }) => isAccepted).length;
  const isWhole = accepted === listeners.length;
  const sentence = isWhole
    ? "all listeners are served"
    : `${accepted} of ${listeners.length} listeners are served: see theirs`;
  const acceptance: Said =
    (spec.addresses ?? []).length > 0
      ? { type: "Accepted", status: "False", reason: "UnsupportedAddress", message: "addresses cannot be chosen" }
      : {
          type: "Accepted",
          status: accepted > 0 ? "True" : "False",
          reason: isWhole ? "Accepted" : "ListenersNotValid",
          message: sentence,
        };
  const programmed: Said =
    addresses.length > 0
      ? { type: "Programmed", status: "True", reason: "Programmed", message: "requests come in" }
      : { type: "Programmed", status: "False", reason: "AddressNotAssigned", message: "the proxy has no address yet" };
  return [acceptance, programmed];
}

/** What a route is told: what other controllers say of it stays. */
export function routeStatus(
  { metadata, status }: HTTPRoute,
  joined: readonly Joined[],
  now: string,
): NonNullable<HTTPRoute["status"]> {
  const before = status?.parents ?? [];
  const parents = joined.map(({ parentRef, said }) => {
    const known = before.find(
      (each) => each.controllerName === gatewayController && deepEqual(each.parentRef, parentRef),
    );
    const conditions = conditionsOf(said, known?.conditions, { now, generation: metadata.generation });
    return { parentRef, controllerName: gatewayController, conditions };
  });
  return { parents: [...before.filter(({ controllerName }) => controllerName !== gatewayController), ...parents] };
}

function conditionsOf(
  said: readonly Said[],
  before: readonly Condition[] | undefined,
  { now, generation }: { readonly now: string; readonly generation: number | undefined },
): Condition[] {
  return said.map((each) => {
    const known = before?.find(({ type }) => type === each.type);
    const lastTransitionTime = known?.status === each.status ? known.lastTransitionTime : now;
    return { ...each, lastTransitionTime, ...(generation === undefined ? {} : { observedGeneration: generation }) };
  });
}
