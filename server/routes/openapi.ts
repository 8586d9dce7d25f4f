/**
 * /openapi/v3, the documents it leads to, and /openapi/v2.
 * Source: k8s.io/kube-openapi/pkg/handler3 (redirects and caching by hash), pkg/handler
 */
import { StatusError } from "@atoll/machinery/status";
import type { Exchange, Stage } from "../exchange.ts";
import { type KindsServed, type ServedDocument, ServedOpenApi } from "../openapi/served.ts";
import { noSuchMethod } from "../refusals.ts";
import { protobufType } from "../openapi/protobuf.ts";
import type { Reply } from "../reply.ts";
import { kubernetesRelease } from "./version.ts";

const year = "public, max-age=31536000, immutable";

/** @param atoll Atoll's own version: with it the built-in schemas change */
export function openapi(served: KindsServed, atoll: string): Stage {
  const documents = new ServedOpenApi(
    served,
    `v${kubernetesRelease.major}.${kubernetesRelease.minor}.0+atoll-${atoll}`,
  );
  return async (exchange) => {
    const { path, method } = exchange.info;
    if (path !== "/openapi/v2" && path !== "/openapi/v3" && !path.startsWith("/openapi/v3/")) return undefined;
    if (method !== "GET" && method !== "HEAD") {
      throw noSuchMethod();
    }
    if (path === "/openapi/v2" && wantsProtobuf(exchange)) {
      return { ...reply(exchange, await documents.v2("protobuf")), contentType: protobufType };
    }
    acceptsJson(exchange);
    if (path === "/openapi/v2") return reply(exchange, await documents.v2("json"));
    const below = path.slice("/openapi/v3/".length);
    if (below === "") return reply(exchange, await documents.index());
    const document = await documents.v3(below);
    if (document === undefined) return { code: 404, contentType: "", body: Buffer.alloc(0) };
    return byHash(exchange, document);
  };
}

/** kubectl asks for it, and names no other form. */
function wantsProtobuf({ request }: Exchange): boolean {
  return /^application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf/.test(request.headers.accept ?? "");
}

function acceptsJson({ request }: Exchange): void {
  const accept = request.headers.accept ?? "";
  if (accept === "" || /application\/json|application\/\*|\*\/\*/.test(accept)) return;
  throw new StatusError("NotAcceptable", "only the following media types are accepted: application/json");
}

/** With the hash the index gave, the answer never changes; with another one, the client is led to the current. */
function byHash(exchange: Exchange, document: ServedDocument): Reply {
  const given = exchange.info.query.get("hash");
  if (given === null || given === "") return reply(exchange, document);
  if (given === document.hash) return reply(exchange, document, year);
  const location = `${exchange.info.path}?hash=${document.hash}`;
  return { code: 301, contentType: "text/plain; charset=utf-8", body: Buffer.alloc(0), headers: { location } };
}

function reply({ request }: Exchange, { hash, body }: ServedDocument, cache = "no-cache, private"): Reply {
  const headers = { etag: `"${hash}"`, vary: "Accept", "cache-control": cache };
  const known = request.headers["if-none-match"] === headers.etag;
  return { code: known ? 304 : 200, contentType: "application/json", body: known ? Buffer.alloc(0) : body, headers };
}
