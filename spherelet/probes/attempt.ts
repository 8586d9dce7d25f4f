/**
 * One attempt of a probe or a hook. Connections are made inside the machine, to the Pod's own address: nobody can have the
 * host connect to a place that the Pod itself could not reach.
 * Sources: k8s.io/kubernetes/pkg/probe (exec, http, tcp, grpc), pkg/kubelet/prober/prober.go
 */
import { request as httpRequest } from "node:http";
import { isIPv4 } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Duplex } from "node:stream";
import type {
  Container,
  EphemeralContainer,
  HTTPGetAction,
  LifecycleHandler,
  Probe,
} from "@atoll/api/builtin/core/v1.types";
import type { Container as GuestContainer, Guest, ProcessSpec } from "@atoll/crx/guest";
import { GuestSocket } from "../pods/socket.ts";
import { bytesOfAddress } from "../pods/sandbox.ts";
import { checkHealth } from "./grpc.ts";

/** How it went. */
export interface Outcome {
  readonly succeeded: boolean;
  /** For people: what the program printed, or what was wrong. */
  readonly output: string;
}

/** Where an attempt is made. */
export interface Target {
  readonly guest: Guest;
  readonly container: GuestContainer;
  readonly spec: Container | EphemeralContainer;
  /** "" for loopback. */
  readonly podIP: string;
  /** What programs run as in the container. */
  process(): Promise<ProcessSpec>;
}

/** What is to be done. */
export type Action = Pick<Probe, "exec" | "httpGet" | "tcpSocket" | "grpc"> & Pick<LifecycleHandler, "sleep">;

const mostOutput = 10 << 10;
const killSignal = 9;

/** Tries once. Rejects with the signal's reason when it takes too long; anything else is an outcome. */
export async function attempt(action: Action, target: Target, signal: AbortSignal): Promise<Outcome> {
  const { exec, httpGet, tcpSocket, grpc } = action;
  if (exec !== undefined) return await tryExec(exec.command ?? [], target, signal);
  if (httpGet !== undefined) return await tryHttp(httpGet, target, signal);
  if (tcpSocket !== undefined) return await tryTcp(portOf(target, tcpSocket.port), tcpSocket.host, target);
  if (grpc === undefined) return { succeeded: true, output: "" };
  return await onSocket(target, { port: grpc.port, host: undefined }, async (socket) => {
    return await checkHealth(socket, grpc.service ?? "", signal);
  });
}

// ---- exec

async function tryExec(command: readonly string[], target: Target, signal: AbortSignal): Promise<Outcome> {
  const { guest, container } = target;
  const { tty: _, stdin: __, ...process } = await target.process();
  try {
    const { stream, exited } = await guest.exec(container, { ...process, args: [...command] });
    const end = () => {
      void guest.signal({ stream: stream.number }, killSignal).catch(() => undefined);
      void guest.hangUp(stream).catch(() => undefined);
    };
    signal.addEventListener("abort", end, { once: true });
    let output = "";
    for await (const { bytes } of stream) {
      if (output.length < mostOutput) output += bytes.toString("utf8");
    }
    signal.removeEventListener("abort", end);
    signal.throwIfAborted();
    const { code } = await exited;
    return { succeeded: code === 0, output: output.slice(0, mostOutput) };
  } catch (error) {
    signal.throwIfAborted();
    return { succeeded: false, output: error instanceof Error ? error.message : String(error) };
  }
}

// ---- network

/** A port by number or by its name in the container. */
function portOf({ spec }: Target, port: number | string): number {
  const number = Number(port);
  if (Number.isInteger(number)) return number;
  return spec.ports?.find(({ name }) => name === port)?.containerPort ?? 0;
}

interface Place {
  readonly port: number;
  readonly host: string | undefined;
}

/** As Go spells a failed connection. */
function dialFailure(podIP: string, { port, host = podIP }: Place, error: unknown): Outcome {
  const errno = (error as { errno?: number }).errno;
  const why = errno === 111 ? "connect: connection refused" : (error as Error).message;
  return { succeeded: false, output: `dial tcp ${host === "" ? "127.0.0.1" : host}:${port}: ${why}` };
}

async function onSocket(
  { guest, podIP }: Target,
  place: Place,
  use: (socket: Duplex) => Promise<Outcome>,
): Promise<Outcome> {
  const host = place.host === undefined || place.host === "" ? podIP : place.host;
  if (host !== "" && !isIPv4(host)) return { succeeded: false, output: `dial tcp: lookup ${host}: no such host` };
  let socket: GuestSocket;
  try {
    socket = await GuestSocket.open(guest, place.port, host === "" ? undefined : bytesOfAddress(host));
  } catch (error) {
    return dialFailure(podIP, place, error);
  }
  try {
    return await use(socket);
  } finally {
    socket.destroy();
  }
}

async function tryTcp(port: number, host: string | undefined, target: Target): Promise<Outcome> {
  return await onSocket(target, { port, host }, async () => await Promise.resolve({ succeeded: true, output: "" }));
}

async function tryHttp(get: HTTPGetAction, target: Target, signal: AbortSignal): Promise<Outcome> {
  const port = portOf(target, get.port);
  const { host, scheme } = get;
  return await onSocket(target, { port, host }, async (socket) => {
    const secure = scheme === "HTTPS" ? await secured(socket, signal) : socket;
    return await getOver(secure, get, { host: `${host ?? target.podIP}:${port}`, signal });
  });
}

/** Certificates are not looked at: the probe asks whether the program answers. */
async function secured(socket: Duplex, signal: AbortSignal): Promise<Duplex> {
  return await new Promise((resolve, reject) => {
    const secure = connectTls({ socket, rejectUnauthorized: false }, () => resolve(secure));
    secure.once("error", reject);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

async function getOver(
  socket: Duplex,
  { path = "/", httpHeaders = [] }: HTTPGetAction,
  { host, signal }: { host: string; signal: AbortSignal },
): Promise<Outcome> {
  const given = Object.fromEntries(httpHeaders.map(({ name, value }) => [name.toLowerCase(), value]));
  const headers = { host, "user-agent": "kube-probe/1.36", accept: "*/*", connection: "close", ...given };
  const at = path.startsWith("/") ? path : `/${path}`;
  return await new Promise((resolve, reject) => {
    const request = httpRequest(
      { createConnection: () => socket, method: "GET", path: at, headers, signal },
      (answer) => {
        const code = answer.statusCode ?? 0;
        answer.resume();
        const succeeded = code >= 200 && code < 400;
        resolve({ succeeded, output: succeeded ? "" : `HTTP probe failed with statuscode: ${code}` });
      },
    );
    request.on("error", (error) => {
      if (signal.aborted) reject(signal.reason as Error);
      else resolve({ succeeded: false, output: `Get "http://${host}${at}": ${error.message}` });
    });
    request.end();
  });
}
