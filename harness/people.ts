/** People with certificates of the server under test, who are in no group but those they are given. */
import { Agent } from "node:https";
import { systemClock } from "@atoll/machinery/clock";
import { issue } from "@atoll/server/pki/authority";
import { type Answer, type Harness, sendThrough, type SendOptions } from "./server.ts";

/** Somebody who may ask. */
export interface As {
  /** TLS options of their connections. */
  readonly tls: { readonly ca: string; readonly cert?: string; readonly key?: string };
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
}

/** Makes people. */
export interface People {
  user(name: string, groups?: readonly string[]): Promise<As>;
  /** Shows no certificate. */
  nobody(): As;
  close(): void;
}

/** People of a server. */
export function people({ pki, server }: Harness): People {
  const agents: Agent[] = [];
  const as = (tls: As["tls"]): As => {
    const agent = new Agent({ keepAlive: true, ...tls });
    agents.push(agent);
    return { tls, send: (method, path, how = {}) => sendThrough({ agent, port: server.port, method, path }, how) };
  };
  return {
    async user(commonName, organizations = []) {
      const wish = { commonName, organizations, usage: "client", days: 1 } as const;
      return as({ ca: pki.ca.cert, ...(await issue(pki.ca, wish, systemClock.nowMs())) });
    },
    nobody: () => as({ ca: pki.ca.cert }),
    close() {
      for (const agent of agents) agent.destroy();
    },
  };
}
