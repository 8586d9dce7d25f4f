/** Who asks: the first authenticator that knows. */
import type { IncomingMessage } from "node:http";
import type { Clock, Timer } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import type { User } from "../call.ts";
import type { Exchange, Stage } from "../exchange.ts";

/** Reads an identity from a request; undefined when it carries none of this kind. A throw refuses the request. */
export interface Authenticator {
  authenticate(request: IncomingMessage): User | undefined | Promise<User | undefined>;
}

/** Nobody in particular; may ask how the server is. */
const anonymous: User = { name: "system:anonymous", uid: "", groups: ["system:unauthenticated"], extra: {} };

const open: ReadonlySet<string> = new Set(["/healthz", "/livez", "/readyz"]);

/** What nobody in particular may ask, unless configured otherwise: how the server is. */
export const healthIsOpen = (path: string): boolean => open.has(path);

/** How the stage works. */
export interface AuthenticateOptions {
  /** Whether a path may be asked for by nobody in particular. */
  readonly isOpen: (path: string) => boolean;
  readonly clock: Clock;
  /** How often the proofs of those who listen to a stream are looked at again, ms. */
  readonly recheckMs?: number;
}

/** Source: design/reliability.md: open streams are cut within a minute of their credentials' end */
const usualRecheckMs = 30_000;

/** The stage that finds out who asks. @throws {StatusError} Unauthorized */
export function authenticate(authenticators: readonly Authenticator[], options: AuthenticateOptions): Stage {
  const take = (exchange: Exchange, user: User | undefined): undefined => {
    if (user === undefined) {
      if (!options.isOpen(exchange.info.path)) throw new StatusError("Unauthorized", "Unauthorized");
      exchange.user = anonymous;
      return undefined;
    }
    exchange.user = user;
    exchange.onAnswer((answer) => {
      if ("stream" in answer) recheck(exchange, authenticators, { user, options });
    });
    return undefined;
  };
  return (exchange) => {
    const found = identify(authenticators, exchange.request);
    return found instanceof Promise ? found.then((user) => take(exchange, user)) : take(exchange, found);
  };
}

/** At once, where no authenticator has to wait: most requests come with a certificate. */
function identify(
  authenticators: readonly Authenticator[],
  request: IncomingMessage,
): User | undefined | Promise<User | undefined> {
  for (const [i, authenticator] of authenticators.entries()) {
    const outcome = authenticator.authenticate(request);
    if (outcome instanceof Promise) {
      return outcome.then((user) => user ?? identify(authenticators.slice(i + 1), request));
    }
    if (outcome !== undefined) return outcome;
  }
  return undefined;
}

/** Cuts a stream once whoever listens could not ask for it any more: a certificate is over, an account gone. */
function recheck(
  exchange: Exchange,
  authenticators: readonly Authenticator[],
  { user, options }: { user: User; options: AuthenticateOptions },
): void {
  const { clock, recheckMs = usualRecheckMs } = options;
  let over = false;
  let timer: Timer;
  const look = async () => {
    const now = await proofOf(authenticators, exchange.request);
    if (over) return;
    if (now?.name !== user.name || now.uid !== user.uid) exchange.response.destroy();
    else again();
  };
  const again = () => {
    timer = clock.after(recheckMs, () => void look(), { unref: true });
  };
  again();
  exchange.onDone(() => {
    over = true;
    timer.cancel();
  });
}

async function proofOf(authenticators: readonly Authenticator[], request: IncomingMessage): Promise<User | undefined> {
  try {
    return await identify(authenticators, request);
  } catch {
    return undefined;
  }
}
