/**
 * Hands requests for aggregated APIs on to the servers that answer for them, with the identity of who asks.
 * Source: k8s.io/kube-aggregator/pkg/apiserver/handler_proxy.go
 */
import { StatusError } from "@atoll/machinery/status";
import type { Exchange, Stage } from "../exchange.ts";
import type { KeyPair } from "../pki/authority.ts";
import { forward } from "../proxy/forward.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { type Reply, textReply } from "../reply.ts";
import { type Address, resolveService } from "../services/endpoints.ts";
import { identityHeaders } from "./identity.ts";
import type { Remote, Remotes } from "./remotes.ts";

/** What the stage needs of the server. */
export interface AggregatedOptions {
  readonly catalogue: Catalogue;
  readonly remotes: Remotes;
  /** Shown to the servers. */
  readonly certificate: KeyPair;
}

const openApiRoot = "/openapi/v3";

/** Answers what other servers are responsible for; passes on the rest. */
export function aggregated(options: AggregatedOptions): Stage {
  const { remotes } = options;
  return (exchange) => {
    if (remotes.empty) return undefined;
    const remote = remoteOf(remotes, exchange.info.path);
    return remote === undefined ? undefined : answer(exchange, remote, options);
  };
}

/**
 * `/apis/GROUP/VERSION` and all below it, and its OpenAPI document; the group itself is this server's to tell of.
 */
function remoteOf(remotes: Remotes, path: string): Remote | undefined {
  const below = path.startsWith(openApiRoot) ? path.slice(openApiRoot.length) : path;
  const [, root, first = "", second = ""] = below.split("/");
  if (root === "api") return first === "" ? undefined : remotes.of("", first);
  return root === "apis" && second !== "" ? remotes.of(first, second) : undefined;
}

async function answer(
  { request, user }: Exchange,
  remote: Remote,
  { catalogue, certificate }: AggregatedOptions,
): Promise<Awaited<ReturnType<Stage>>> {
  if (user === undefined) throw new StatusError("Unauthorized", "Unauthorized");
  const address = remote.available ? await addressOf(catalogue, remote) : undefined;
  if (address === undefined) return unavailable();
  const { service, ca, insecure } = remote;
  return forward(request, {
    backend: {
      ...address,
      tls: {
        ...(ca === undefined ? {} : { ca }),
        ...certificate,
        servername: `${service.name}.${service.namespace}.svc`,
        rejectUnauthorized: !insecure,
      },
    },
    target: request.url ?? "/",
    // Whoever is led elsewhere would take this server's certificate and the user's identity there. CVE-2022-3172
    refuseRedirects: true,
    headers: identityHeaders(user),
  });
}

async function addressOf(catalogue: Catalogue, { service }: Remote): Promise<Address | undefined> {
  try {
    return await resolveService(catalogue, service, service.port);
  } catch (error) {
    if (error instanceof StatusError) return undefined;
    throw error;
  }
}

function unavailable(): Reply {
  return textReply(503, "service unavailable\n");
}
