/** The tunnels that agents hold open: one for each cluster, the latest. Source: docs/rfd/0028-reaching-clusters.md */
import { type ClientHttp2Session, connect } from "node:http2";
import type { Duplex } from "node:stream";

/** Of a session: a stream that nobody reads stops alone. */
export const windowBytes = 16 * 1024 * 1024;

/** One of them. */
export interface Tunnel {
  readonly session: ClientHttp2Session;
  /** Its cluster wants each person's own token, and does not take the hub's word. */
  readonly ownToken: boolean;
  /** People do not reach its cluster: it is there for the gateway's own questions. */
  readonly trialsOnly: boolean;
}

/** Ways to tunnels that end elsewhere. */
interface Elsewhere {
  find(namespace: string): Promise<Tunnel | undefined>;
}

/** By the cluster's namespace on the hub. */
export class Tunnels {
  readonly #tunnels = new Map<string, Tunnel>();
  readonly #elsewhere: Elsewhere | undefined;

  /** @param elsewhere asked for those that do not end here */
  constructor(elsewhere?: Elsewhere) {
    this.#elsewhere = elsewhere;
  }

  /** Takes a connection whose agent was let in. */
  open(namespace: string, socket: Duplex, kind: Omit<Tunnel, "session">): ClientHttp2Session {
    const session = sessionOver(socket);
    this.#tunnels.get(namespace)?.session.destroy();
    const tunnel = { ...kind, session };
    this.#tunnels.set(namespace, tunnel);
    session.once("close", () => {
      if (this.#tunnels.get(namespace) === tunnel) this.#tunnels.delete(namespace);
    });
    return session;
  }

  /** The tunnel to a cluster that ends here; undefined when none does. */
  of(namespace: string): Tunnel | undefined {
    const tunnel = this.#tunnels.get(namespace);
    return tunnel !== undefined && isOpen(tunnel.session) ? tunnel : undefined;
  }

  /** The tunnel to a cluster, wherever it ends; undefined when its agent holds none. */
  async to(namespace: string): Promise<Tunnel | undefined> {
    return this.of(namespace) ?? (await this.#elsewhere?.find(namespace));
  }

  /** Cuts all. */
  close(): void {
    for (const { session } of this.#tunnels.values()) session.destroy();
  }
}

/** A session in which this end asks, over a connection that is there. */
export function sessionOver(socket: Duplex): ClientHttp2Session {
  const session = connect("http://agent", { createConnection: () => socket });
  session.on("error", () => undefined);
  session.once("connect", () => session.setLocalWindowSize(windowBytes));
  return session;
}

/** Whether it can be asked in. */
export const isOpen = ({ closed, destroyed }: ClientHttp2Session): boolean => !closed && !destroyed;
