/**
 * How others verify service-account tokens.
 * Source: k8s.io/kubernetes/pkg/routes/openidmetadata.go, OpenID Connect Discovery 1.0
 */
import { StatusError } from "@atoll/machinery/status";
import { issuer, type ServiceAccountTokens } from "../authenticate/serviceaccounts.ts";
import type { Stage } from "../exchange.ts";

const keySetPath = "/openid/v1/jwks";

/** @param address of this server, as `host:port`, once it listens */
export function openid(tokens: ServiceAccountTokens, address: () => string): Stage {
  return ({ info, request }) => {
    if (info.path === "/.well-known/openid-configuration") {
      return reply("application/json", request.headers.accept, {
        issuer,
        jwks_uri: `https://${address()}${keySetPath}`,
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["ES256"],
      });
    }
    if (info.path === keySetPath) return reply("application/jwk-set+json", request.headers.accept, tokens.keySet);
    return undefined;
  };
}

function reply(contentType: string, accept: string | undefined, value: object) {
  const wanted = (accept ?? "*/*").split(",").map((part) => part.split(";", 1)[0]?.trim());
  if (!wanted.some((type) => type === "*/*" || type === "application/*" || type === contentType)) {
    const told = `only the following media types are accepted: ${contentType}`;
    throw new StatusError("NotAcceptable", told, { details: {} });
  }
  const headers = { "cache-control": "public, max-age=3600" };
  return { code: 200, contentType, body: Buffer.from(JSON.stringify(value)), headers };
}
