/** The tunnels that agents hold open: one for each cluster, the latest. Source: docs/rfd/0028-reaching-clusters.md */
import { type ClientHttp2Session, connect } from "node:http2";
import type { Duplex } from "node:stream";

const windowBytes = 16 * 1024 * 1024;

/** By the cluster's namespace on the hub. */
export class Tunnels {
  readonly #sessions = new Map<string, ClientHttp2Session>();

  /** Takes a connection whose agent was let in. @param keep asked when that may have changed; false cuts it */
  open(namespace: string, socket: Duplex): ClientHttp2Session {
    const session = connect("http://agent", { createConnection: () => socket });
    session.on("error", () => undefined);
    session.once("connect", () => session.setLocalWindowSize(windowBytes));
    this.#sessions.get(namespace)?.destroy();
    this.#sessions.set(namespace, session);
    session.once("close", () => {
      if (this.#sessions.get(namespace) === session) this.#sessions.delete(namespace);
    });
    return session;
  }

  /** The tunnel to a cluster; undefined when its agent holds none. */
  of(namespace: string): ClientHttp2Session | undefined {
    const session = this.#sessions.get(namespace);
    return session?.closed === true || session?.destroyed === true ? undefined : session;
  }

  /** Cuts all. */
  close(): void {
    for (const session of this.#sessions.values()) session.destroy();
  }
}
