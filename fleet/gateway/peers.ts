/**
 * The hub's other gateways. A tunnel ends at the gateway that its agent dialled, which says so in the FleetCluster's status.
 * The others come to it for requests to that cluster, by a connection over which it answers as the agent would.
 *
 *     person ─► this gateway ─► the gateway with the tunnel ─► agent ─► the cluster
 *
 * Source: docs/rfd/0028-reaching-clusters.md
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Stream,
} from "node:http2";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { ownTokenHeader } from "@atoll/api/fleet/reachable";
import { trialsOnlyHeader } from "@atoll/api/fleet/trial";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import type { Log } from "@atoll/runtime/log";
import type { Agents } from "./agents.ts";
import { writeStatus } from "./enrol.ts";
import { SecretPath } from "./secretpath.ts";
import { isOpen, sessionOver, type Tunnel, windowBytes } from "./tunnels.ts";

/** How gateways of one hub know each other. */
export interface Peering {
  /** Name or address at which the others reach this one. */
  readonly host: string;
  /** PEM of what vouches for all of them. */
  readonly ca: string;
  readonly path: PeerPath;
}

/** By which gateways ask each other. Who comes by it has let the person in. */
export class PeerPath extends SecretPath {
  /** @param secret the same for all gateways of a hub */
  constructor(secret: string) {
    super("/peer/", { secret, purpose: "requests to clusters" });
  }
}

interface PeersOptions {
  readonly client: Client;
  readonly agents: Agents;
  readonly clock: Clock;
  readonly log: Log;
  readonly peering: Peering;
  /** Where this gateway listens; known when it does. */
  readonly port: () => number;
}

const clusterHeader = "x-atoll-cluster";
/** A gateway that has not answered by then is taken for gone. */
const patienceMs = 5_000;
/** A way that nobody used for so long is given up. */
const idleMs = 60_000;

/** The others, as this gateway needs them. */
export class Peers {
  readonly #options: PeersOptions;
  /** Ways to tunnels elsewhere, by the gateway and the cluster's namespace. */
  readonly #ways = new Map<string, Promise<Tunnel | undefined>>();

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  get #self(): string {
    const { peering, port } = this.#options;
    return `https://${peering.host}:${port()}`;
  }

  /** Whether a path is one that gateways ask each other by. */
  is(path: string): boolean {
    return this.#options.peering.path.is(path);
  }

  /** Tells the others that a cluster's tunnel is here. They are told again by the next one, should this fail. */
  async announce(namespace: string): Promise<void> {
    const { client, agents, log } = this.#options;
    const found = agents.at(namespace);
    if (found === undefined || found.status?.gateway === this.#self) return;
    const cluster = toKey(found.metadata.namespace, found.metadata.name ?? "");
    await writeStatus(client, cluster, { gateway: this.#self }).catch((error: unknown) =>
      log.warn("other gateways do not know that a cluster's tunnel is here", { namespace, error }),
    );
  }

  /** The way to a tunnel that another gateway holds; undefined when none does, or that one does not answer. */
  async find(namespace: string): Promise<Tunnel | undefined> {
    const holder = this.#options.agents.at(namespace)?.status?.gateway;
    if (holder === undefined || holder === this.#self) return undefined;
    const name = `${holder} ${namespace}`;
    const known = await this.#ways.get(name);
    if (known !== undefined && isOpen(known.session)) return known;
    const opening = this.#open(holder, namespace).catch((error: unknown) => {
      this.#options.log.info("another gateway does not answer", { holder, error });
      return undefined;
    });
    this.#ways.set(name, opening);
    const way = await opening;
    const forget = () => this.#ways.get(name) === opening && this.#ways.delete(name);
    if (way === undefined) forget();
    else way.session.once("close", forget);
    return way;
  }

  /** Ends the ways to others. */
  async close(): Promise<void> {
    for (const way of await Promise.all(this.#ways.values())) way?.session.destroy();
  }

  async #open(holder: string, namespace: string): Promise<Tunnel | undefined> {
    const { peering, clock } = this.#options;
    const headers = { connection: "Upgrade", upgrade: "atoll-tunnel", [clusterHeader]: namespace };
    return await new Promise((resolve, reject) => {
      const url = new URL(peering.path.path, holder);
      const asked = httpsRequest(url, { method: "POST", ca: peering.ca, headers, agent: false });
      const timer = clock.after(patienceMs, () => asked.destroy(new Error("it does not answer in time")));
      asked.once("close", () => timer.cancel());
      asked.once("error", reject);
      asked.once("response", (answer) => {
        answer.resume();
        resolve(undefined);
      });
      asked.once("upgrade", (answer, socket: Duplex, head: Buffer) => {
        timer.cancel();
        if (head.length > 0) socket.unshift(head);
        const session = sessionOver(socket);
        session.setTimeout(idleMs, () => session.close());
        resolve({ session, ...kindOf(answer.headers) });
      });
      asked.end();
    });
  }
}

/** Which cluster a peer asks for. */
export const clusterAskedFor = (headers: IncomingHttpHeaders): string => String(headers[clusterHeader] ?? "");

/** What an agent, or a gateway for it, says of its tunnel. */
export function kindOf(headers: IncomingHttpHeaders): Omit<Tunnel, "session"> {
  return { ownToken: headers[ownTokenHeader] === "true", trialsOnly: headers[trialsOnlyHeader] === "true" };
}

/** The same in headers. */
export function headersOf({ ownToken, trialsOnly }: Tunnel): Readonly<Record<string, string>> {
  return {
    ...(ownToken ? { [ownTokenHeader]: "true" } : {}),
    ...(trialsOnly ? { [trialsOnlyHeader]: "true" } : {}),
  };
}

/** Answers a peer by a tunnel that is here, until either ends. */
export function answerPeer(socket: Duplex, { session: tunnel }: Tunnel): void {
  const peer = performServerHandshake(socket, { settings: { maxConcurrentStreams: 1000 } });
  peer.on("error", () => undefined);
  peer.once("connect", () => peer.setLocalWindowSize(windowBytes));
  peer.on("stream", (stream, headers) => passOn(stream, headers, tunnel));
  const end = () => peer.destroy();
  tunnel.once("close", end);
  peer.once("close", () => tunnel.off("close", end));
}

function passOn(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, tunnel: ClientHttp2Session): void {
  stream.on("error", () => undefined);
  if (!isOpen(tunnel)) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
  const onward: ClientHttp2Stream = tunnel.request(headers, { endStream: false });
  onward.on("error", () => undefined);
  onward.once("response", (answer) => {
    if (stream.closed || stream.destroyed) return;
    stream.respond(answer);
    onward.pipe(stream);
  });
  // What ended well has been passed on by the pipes.
  onward.once("close", () => onward.rstCode !== constants.NGHTTP2_NO_ERROR && stream.close(onward.rstCode));
  stream.once("close", () => onward.close(stream.rstCode));
  stream.pipe(onward);
}
