/** What is allowed whatever roles there are. */
import { allowed, type Authorizer, noOpinion } from "./stage.ts";

/** Members of system:masters may do everything. Source: k8s.io/apiserver/pkg/authorization/authorizerfactory */
export const masters: Authorizer = {
  authorize: ({ groups }) => (groups.includes("system:masters") ? allowed : noOpinion),
};

const health: ReadonlySet<string> = new Set(["/healthz", "/livez", "/readyz"]);

/** Everybody may ask for the health of the server. Source: --authorization-always-allow-paths */
export const healthForAll: Authorizer = {
  authorize: (_, { path, resource }) => (resource === "" && health.has(path) ? allowed : noOpinion),
};
