/**
 * The Gateway API's kinds, as far as they are served here, for clusters on which nobody installed the Gateway API's own
 * definitions: those are never replaced.
 * Source: gateway-api.sigs.k8s.io/reference/spec (standard channel)
 */
import { Type } from "@atoll/machinery/schema/type";
import type { OwnFacts } from "../own/kind.ts";

/** The Gateway API's group. */
export const gatewayApi = "gateway.networking.k8s.io";

/** Says in a definition that it is this one. Source: api-approved.kubernetes.io, which names of this domain need */
const approval = "unapproved, the part of the Gateway API that Atoll serves";

/** What all of its kinds have in common. */
export const gatewayFacts: Pick<OwnFacts, "group" | "version" | "category" | "annotations"> = {
  group: gatewayApi,
  version: "v1",
  category: "gateway-api",
  annotations: { "api-approved.kubernetes.io": approval },
};

/** A text of bounded length that may be left out. */
export const text = (description: string, maxLength = 253) => Type.optional(Type.string({ description, maxLength }));

/** A text of bounded length. */
export const required = (description: string, maxLength = 253) => Type.string({ description, maxLength, minLength: 1 });

/** A port's number. */
export const port = (description: string) => Type.integer({ description, minimum: 1, maximum: 65_535 });
