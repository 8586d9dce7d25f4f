/** `/`: the paths there are. Source: k8s.io/apiserver/pkg/server/routes/index.go */
import { formatApiVersion } from "@atoll/machinery/object";
import type { Stage } from "../exchange.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { jsonReply } from "../reply.ts";

const own = [
  "/.well-known/openid-configuration",
  "/healthz",
  "/livez",
  "/metrics",
  "/openapi/v2",
  "/openapi/v3",
  "/openid/v1/jwks",
  "/readyz",
  "/version",
];

export function root(catalogue: Catalogue): Stage {
  return ({ info }) => {
    if (info.path !== "/" && info.path !== "/index.html") return undefined;
    const paths = new Set(["/api", "/api/v1", "/apis", "/apis/", ...own]);
    for (const { group, version } of catalogue.kinds()) {
      if (group === "") continue;
      paths.add(`/apis/${group}`);
      paths.add(`/apis/${formatApiVersion(group, version)}`);
    }
    return jsonReply(200, { paths: [...paths].sort() });
  };
}
