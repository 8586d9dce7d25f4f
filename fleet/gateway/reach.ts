/**
 * People's requests to clusters: `/clusters/ORGANIZATION/NAME/…` of the gateway is `/…` of that cluster's API, as the
 * person, over the tunnel that the cluster's agent holds open.
 */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { ClientHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import type { Client } from "@atoll/client/client";
import { StatusError } from "@atoll/machinery/status";
import type { Log } from "@atoll/runtime/log";
import type { Agents } from "./agents.ts";
import { authorize, type Person, personOf, tokenOf } from "./people.ts";
import type { Tunnel, Tunnels } from "./tunnels.ts";

/** What reaching a cluster takes. */
export interface Reach {
  readonly client: Client;
  readonly agents: Agents;
  readonly tunnels: Tunnels;
  readonly log: Log;
}

const passedOn = ["accept", "content-type", "content-length", "user-agent", "x-stream-protocol-version"] as const;
const passedUpgrading = ["sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol"] as const;
const toldBack = [
  ...["content-type", "warning", "retry-after", "x-stream-protocol-version"],
  ...["sec-websocket-accept", "sec-websocket-protocol"],
];

/** Whether a path is of a cluster. */
export function isReaching(url: string | undefined): boolean {
  return url?.startsWith("/clusters/") === true;
}

/** Answers a request. @throws {StatusError} it may not be, or cannot */
export async function reach(request: IncomingMessage, response: ServerResponse, how: Reach): Promise<void> {
  const stream = await ask(request, how);
  request.pipe(stream);
  response.once("close", () => stream.close());
  const headers = await answered(stream);
  response.writeHead(Number(headers[":status"]), told(headers));
  response.flushHeaders();
  stream.pipe(response);
  stream.once("error", () => response.destroy());
}

/** Answers a request to speak another protocol, as exec and port-forward do. @throws {StatusError} */
export async function reachUpgraded(
  request: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
  how: Reach,
): Promise<void> {
  const stream = await ask(request, how, request.headers.upgrade ?? "");
  socket.once("close", () => stream.close());
  const headers = await answered(stream);
  const switched = headers["x-atoll-switched"];
  stream.once("close", () => socket.end(() => socket.destroy()));
  if (typeof switched === "string") {
    socket.write(headOf("101 Switching Protocols", { connection: "Upgrade", upgrade: switched, ...told(headers) }));
    if (head.length > 0) socket.unshift(head);
    socket.pipe(stream).pipe(socket);
    return;
  }
  socket.write(headOf(`${String(headers[":status"])} Refused`, { connection: "close", ...told(headers) }));
  stream.end();
  stream.pipe(socket);
}

/** As HTTP/1.1 writes it. A value with a line break in it would be two; HTTP/2 has none such. */
function headOf(status: string, headers: OutgoingHttpHeaders): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join("")}\r\n`;
}

async function ask(request: IncomingMessage, how: Reach, upgrade?: string): Promise<ClientHttp2Stream> {
  const { client, agents, log } = how;
  const { method = "GET", url = "" } = request;
  const [, , organization = "", cluster = "", ...rest] = url.split("/");
  const person = await personOf(request, client);
  // An upgrade is a request by GET that may do anything.
  await authorize(person, { organization, cluster, method: upgrade === undefined ? method : "POST" }, client);
  const { session, ownToken } = await tunnelOf(how, agents.homeOf(organization, cluster), cluster);
  const path = `/${rest.join("/")}`;
  log.info("reaching a cluster", { user: person.username, organization, cluster, method, path: path.split("?")[0] });
  const headers: OutgoingHttpHeaders = {
    ":method": method,
    ":path": path,
    ...(ownToken ? proving(request, cluster) : named(person)),
  };
  for (const name of upgrade === undefined ? passedOn : [...passedOn, ...passedUpgrading]) {
    const value = request.headers[name];
    if (typeof value === "string") headers[name] = value;
  }
  if (upgrade !== undefined) headers["x-atoll-upgrade"] = upgrade;
  const stream = session.request(headers, { endStream: false });
  stream.on("error", () => undefined);
  return stream;
}

async function tunnelOf({ tunnels }: Reach, home: string | undefined, cluster: string): Promise<Tunnel> {
  if (home === undefined) throw new StatusError("NotFound", `no cluster ${JSON.stringify(cluster)} is attached`);
  const tunnel = await tunnels.to(home);
  if (tunnel !== undefined && !tunnel.trialsOnly) return tunnel;
  const why = "its agent is away, or was not started with --reachable";
  throw new StatusError("ServiceUnavailable", `cluster ${cluster} cannot be reached: ${why}`);
}

/** To a cluster that checks people's tokens itself. No other is ever given one: whoever has it could be that person here. */
function proving(request: IncomingMessage, cluster: string): OutgoingHttpHeaders {
  const token = tokenOf(request);
  if (token !== undefined) return { "x-atoll-token": token };
  const why = "does not take the hub's word; come with a token of an identity provider that it knows";
  throw new StatusError("Forbidden", `cluster ${cluster} ${why}`);
}

/** In the API's own words; a group may hold a comma and a name anything, so each is encoded. */
function named({ username, uid, groups = [] }: Person): OutgoingHttpHeaders {
  const list = groups.map(encodeURIComponent).join(",");
  return {
    "impersonate-user": encodeURIComponent(username),
    ...(uid === undefined || uid === "" ? {} : { "impersonate-uid": uid }),
    ...(list === "" ? {} : { "impersonate-group": list }),
  };
}

function answered(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new StatusError("ServiceUnavailable", "the cluster's tunnel broke; try again"));
    stream.once("response", resolve);
    stream.once("close", gone);
  });
}

function told(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(toldBack.flatMap((name) => (headers[name] ? [[name, headers[name]]] : [])));
}
