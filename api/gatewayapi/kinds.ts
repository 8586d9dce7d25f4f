/** The Gateway API's kinds that are served here. */
import type { OwnKind } from "../own/kind.ts";
import { Gateway, GatewayClass } from "./gateway.ts";
import { HTTPRoute } from "./httproute.ts";
import { ReferenceGrant } from "./referencegrant.ts";

/** In the order of their names. */
export const gatewayKinds: readonly OwnKind[] = [Gateway, GatewayClass, HTTPRoute, ReferenceGrant];
