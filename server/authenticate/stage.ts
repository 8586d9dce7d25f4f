/** Who asks: the first authenticator that knows. */
import type { IncomingMessage } from "node:http";
import { StatusError } from "@atoll/machinery/status";
import type { User } from "../call.ts";
import type { Stage } from "../exchange.ts";

/** Reads an identity from a request; undefined when it carries none of this kind. A throw refuses the request. */
export interface Authenticator {
  authenticate(request: IncomingMessage): User | undefined | Promise<User | undefined>;
}

/** Nobody in particular; may ask how the server is. */
export const anonymous: User = { name: "system:anonymous", uid: "", groups: ["system:unauthenticated"], extra: {} };

const open: ReadonlySet<string> = new Set(["/healthz", "/livez", "/readyz"]);

/** What nobody in particular may ask, unless configured otherwise: how the server is. */
export const healthIsOpen = (path: string): boolean => open.has(path);

/**
 * The stage that finds out who asks.
 * @param isOpen whether a path may be asked for by nobody in particular
 * @throws {StatusError} Unauthorized
 */
export function authenticate(authenticators: readonly Authenticator[], isOpen: (path: string) => boolean): Stage {
  return async (exchange) => {
    for (const authenticator of authenticators) {
      const outcome = authenticator.authenticate(exchange.request);
      const user = outcome instanceof Promise ? await outcome : outcome;
      if (user !== undefined) {
        exchange.user = user;
        return undefined;
      }
    }
    if (!isOpen(exchange.info.path)) throw new StatusError("Unauthorized", "Unauthorized");
    exchange.user = anonymous;
    return undefined;
  };
}
