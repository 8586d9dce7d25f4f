/**
 * How a conversion webhook is reached: over TLS, at a URL or at a Service's address.
 * Source: k8s.io/apiserver/pkg/util/webhook/client.go
 */
import { request } from "node:https";
import type { Service, ServiceSpec } from "@atoll/api/builtin/core/v1.types";
import type { ServiceReference, WebhookClientConfig } from "@atoll/api/builtin/apiextensions.k8s.io/v1.types";
import { parseJson, stringifyJson } from "@atoll/machinery/json/json";
import type { Catalogue } from "../registry/catalogue.ts";
import type { Post } from "./webhook.ts";

/** Source: the client's default; a CustomResourceDefinition has no field for it. */
const timeoutMs = 30_000;
/** Far more than a page of lists comes to; one string of the language holds twice as much. */
const largestAnswer = 256 * 1024 * 1024;

interface Target {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Name the certificate must have, when it is not the host's. */
  readonly servername?: string;
}

/** Posts to the webhook that a definition names. */
export function webhookPost(client: WebhookClientConfig, catalogue: Catalogue): Post {
  const { caBundle = "" } = client;
  const ca = Buffer.from(caBundle, "base64").toString().trim();
  return async (body) => {
    const target = await targetOf(client, catalogue);
    return await post(target, ca === "" ? undefined : ca, stringifyJson(body));
  };
}

async function targetOf({ url, service }: WebhookClientConfig, catalogue: Catalogue): Promise<Target> {
  if (service !== undefined) return await serviceTarget(service, catalogue);
  const { hostname, port, pathname, search } = new URL(url ?? "");
  const host = hostname.replace(/^\[|\]$/g, "");
  return { host, port: port === "" ? 443 : Number(port), path: pathname + search };
}

async function serviceTarget(
  { name, namespace, port = 443, path = "/" }: ServiceReference,
  catalogue: Catalogue,
): Promise<Target> {
  const services = catalogue.resource("", "services");
  if (services === undefined) throw new Error("Services are not served");
  const service = services.cache.object(await services.get(namespace, name)) as unknown as Service;
  const servername = `${name}.${namespace}.svc`;
  return { host: addressOf(service.spec, servername), port, path, servername };
}

function addressOf({ type, externalName, clusterIP = "", ports }: ServiceSpec, servername: string): string {
  if (type === "ExternalName") return externalName ?? "";
  if (clusterIP === "" || clusterIP === "None" || (ports ?? []).length === 0) {
    throw new Error(`service ${servername} has no cluster address`);
  }
  return clusterIP;
}

function post(target: Target, ca: string | undefined, body: string): Promise<unknown> {
  const headers = { "content-type": "application/json", accept: "application/json" };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...target,
        method: "POST",
        headers: { ...headers, "content-length": Buffer.byteLength(body) },
        signal: AbortSignal.timeout(timeoutMs),
        ...(ca === undefined ? {} : { ca }),
      },
      (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        response.on("data", (part: Buffer) => {
          size += part.length;
          if (size > largestAnswer) response.destroy(new Error("the answer is too large"));
          else parts.push(part);
        });
        response.on("error", reject);
        response.on("end", () => {
          try {
            resolve(answered(response.statusCode ?? 0, Buffer.concat(parts)));
          } catch (error) {
            reject(error as Error);
          }
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function answered(code: number, body: Buffer): unknown {
  if (code < 200 || code > 299) throw new Error(`the webhook answered with ${code}: ${body.toString("utf8", 0, 200)}`);
  return parseJson(body, { maxDepth: 1_000 }).value;
}
