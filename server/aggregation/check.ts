/**
 * Whether an aggregated API can be reached, and what it serves.
 * Source: k8s.io/kube-aggregator/pkg/controllers/status/remote/remote_available_controller.go
 */
import { request } from "node:https";
import type { Service } from "@atoll/api/builtin/core/v1.types";
import { parseJson } from "@atoll/machinery/json/json";
import { StatusError } from "@atoll/machinery/status";
import type { KeyPair } from "../pki/authority.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { readyAddresses, resolveService } from "../services/endpoints.ts";
import { identityHeaders } from "./identity.ts";
import { type Remote, rootOf } from "./remotes.ts";

/** The condition Available, as of now. */
export interface Availability {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** What a server says of itself. */
export interface Told {
  /** The legacy list of resources. */
  readonly resources: readonly unknown[];
  /** Where its OpenAPI document is, below /openapi/v3; undefined when it has none. */
  readonly openApi: string | undefined;
}

/** What a check found. */
export interface Found extends Availability {
  /** When it was reached. */
  readonly told?: Told;
}

const timeoutMs = 5_000;
const attempts = 5;
const largestAnswer = 8 * 1024 * 1024;
const maxDepth = 100;

/** Sees that a Service answers: it is the aggregator itself who asks. */
const aggregator = { name: "system:kube-aggregator", uid: "", groups: ["system:masters"], extra: {} };

/** @param certificate shown to the server */
export async function check(catalogue: Catalogue, remote: Remote, certificate: KeyPair): Promise<Found> {
  const missing = await placeOf(catalogue, remote);
  if (missing !== undefined) return missing;
  const tries = Array.from({ length: attempts }, () => discover(catalogue, remote, certificate));
  try {
    const told = await Promise.any(tries);
    return { status: "True", reason: "Passed", message: "all checks passed", told };
  } catch (failure) {
    const last: unknown = failure instanceof AggregateError ? failure.errors.at(-1) : failure;
    const message = last instanceof Error ? last.message : String(last);
    return { status: "False", reason: "FailedDiscoveryCheck", message };
  }
}

/** Why there is no place to ask; undefined when there is one. */
async function placeOf(
  catalogue: Catalogue,
  { service: { namespace, name, port } }: Remote,
): Promise<Availability | undefined> {
  const no = (reason: string, message: string): Availability => ({ status: "False", reason, message });
  const shown = `service/${name} in ${JSON.stringify(namespace)}`;
  let service: Service;
  try {
    service = await serviceOf(catalogue, namespace, name);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    if (error.reason === "NotFound") return no("ServiceNotFound", `${shown} is not present`);
    const message = `${shown} cannot be checked due to: ${error.message}`;
    return { status: "Unknown", reason: "ServiceAccessError", message };
  }
  if ((service.spec.type ?? "ClusterIP") !== "ClusterIP") return undefined;
  const wanted = (service.spec.ports ?? []).find((each) => each.port === port);
  if (wanted === undefined) return no("ServicePortError", `${shown} is not listening on port ${port}`);
  const addresses = await readyAddresses(catalogue, { namespace, name }, wanted);
  if (addresses.length > 0) return undefined;
  const why = `endpointslices for ${shown} have no addresses with port name ${JSON.stringify(wanted.name ?? "")}`;
  return no("MissingEndpoints", why);
}

async function serviceOf(catalogue: Catalogue, namespace: string, name: string): Promise<Service> {
  const services = catalogue.resource("", "services");
  if (services === undefined) throw new TypeError("services are not served");
  return services.cache.object(await services.get(namespace, name)) as unknown as Service;
}

/** Asks for the list of resources, which every API server has. @throws {Error} in upstream's words */
async function discover(catalogue: Catalogue, remote: Remote, certificate: KeyPair): Promise<Told> {
  const { service } = remote;
  const { host, port } = await resolveService(catalogue, service, service.port);
  const root = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const place = (path: string): Place => ({ host, port, path, url: root + path });
  const path = rootOf(remote);
  try {
    const list = await getDocument(place(path), certificate);
    const { resources } = (list ?? {}) as { resources?: unknown };
    const index = await getDocument(place("/openapi/v3"), certificate).catch(() => undefined);
    return { resources: Array.isArray(resources) ? resources : [], openApi: openApiIn(index, path.slice(1)) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`failing or missing response from ${root}${path}: ${why}`, { cause });
  }
}

function openApiIn(index: unknown, path: string): string | undefined {
  const { paths } = (index ?? {}) as { paths?: Readonly<Record<string, { serverRelativeURL?: unknown } | null>> };
  const url = paths?.[path]?.serverRelativeURL;
  const own = `/openapi/v3/${path}`;
  // It is told to clients as this server's own path.
  return typeof url === "string" && (url === own || url.startsWith(`${own}?`)) ? url : undefined;
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly url: string;
}

/** Any certificate will do: who answers wrongly gains nothing, and what is asked is no secret. */
function getDocument({ url, ...place }: Place, { cert, key }: KeyPair): Promise<unknown> {
  const signal = AbortSignal.timeout(timeoutMs);
  const headers = { accept: "application/json", ...identityHeaders(aggregator) };
  return new Promise((resolve, reject) => {
    const options = { ...place, cert, key, rejectUnauthorized: false, agent: false, headers, signal };
    const outgoing = request(options, (response) => {
      const code = response.statusCode ?? 0;
      const parts: Buffer[] = [];
      let size = 0;
      response.on("error", reject);
      response.on("data", (part: Buffer) => {
        size += part.length;
        if (size > largestAnswer) response.destroy(new Error(`the answer is larger than ${largestAnswer} bytes`));
        else parts.push(part);
      });
      response.on("end", () => {
        if (code < 200 || code > 299) reject(new Error(`bad status from ${url}: ${code}`));
        else resolve(parsed(Buffer.concat(parts)));
      });
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** Undefined when it is no JSON: an answer all the same, as upstream takes it. */
function parsed(body: Buffer): unknown {
  try {
    return parseJson(body, { maxDepth }).value;
  } catch {
    return undefined;
  }
}
