/**
 * Serves metrics.k8s.io to the API server, which has authorized whoever asks and shows its front-proxy certificate.
 */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { SelectorSyntaxError } from "@atoll/machinery/selectors/labels";
import type { ServingPair } from "@atoll/runtime/certificates/selfsigned";
import { answer, type Readings } from "./answers.ts";

/** Whom to believe, and what to say. */
export interface MetricsServerOptions {
  readonly pair: ServingPair;
  /** PEM of the front proxy's authority, and the names its certificate may have; none: any. */
  readonly frontProxy: { readonly ca: string; readonly names: readonly string[] };
  readonly readings: () => Readings;
}

/** A server that serves. */
export interface MetricsServer {
  readonly port: number;
  close(): void;
}

/** Starts on a free port of all addresses: the API server may be on another host. */
export async function startMetricsServer({ pair, frontProxy, readings }: MetricsServerOptions): Promise<MetricsServer> {
  const { ca, names } = frontProxy;
  const server = createServer(
    { ...pair, ca, requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.2" },
    (request, response) => {
      const say = (code: number, body: object) => {
        response.writeHead(code, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      };
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      if (names.length > 0 && !names.includes(String(subject?.CN)))
        return say(403, refusal(403, "Forbidden", "only by way of the API server"));
      if (request.method !== "GET") return say(405, refusal(405, "MethodNotAllowed", "only GET"));
      try {
        const { pathname, searchParams } = new URL(request.url ?? "/", "https://metrics");
        const { code, body } = answer(pathname.replace(/(.)\/$/, "$1"), searchParams, readings());
        say(code, body);
      } catch (error) {
        if (!(error instanceof SelectorSyntaxError)) throw error;
        say(400, refusal(400, "BadRequest", error.message));
      }
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function refusal(code: number, reason: string, message: string): object {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code, reason, message };
}
