/** The tunnels that agents hold open: one for each cluster, the latest. Source: docs/rfd/0028-reaching-clusters.md */
import { type ClientHttp2Session, connect } from "node:http2";
import type { Duplex } from "node:stream";

const windowBytes = 16 * 1024 * 1024;

/** One of them. */
export interface Tunnel {
  readonly session: ClientHttp2Session;
  /** Its cluster wants each person's own token, and does not take the hub's word. */
  readonly ownToken: boolean;
  /** People do not reach its cluster: it is there for the gateway's own questions. */
  readonly trialsOnly: boolean;
}

/** By the cluster's namespace on the hub. */
export class Tunnels {
  readonly #tunnels = new Map<string, Tunnel>();

  /** Takes a connection whose agent was let in. */
  open(namespace: string, socket: Duplex, kind: Omit<Tunnel, "session">): ClientHttp2Session {
    const session = connect("http://agent", { createConnection: () => socket });
    session.on("error", () => undefined);
    session.once("connect", () => session.setLocalWindowSize(windowBytes));
    this.#tunnels.get(namespace)?.session.destroy();
    const tunnel = { ...kind, session };
    this.#tunnels.set(namespace, tunnel);
    session.once("close", () => {
      if (this.#tunnels.get(namespace) === tunnel) this.#tunnels.delete(namespace);
    });
    return session;
  }

  /** The tunnel to a cluster; undefined when its agent holds none. */
  of(namespace: string): Tunnel | undefined {
    const tunnel = this.#tunnels.get(namespace);
    return tunnel?.session.closed === true || tunnel?.session.destroyed === true ? undefined : tunnel;
  }

  /** Cuts all. */
  close(): void {
    for (const { session } of this.#tunnels.values()) session.destroy();
  }
}
