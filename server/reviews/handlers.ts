/** Kinds and subresources that are answered from the request alone, and who answers. */
import type { Store } from "@atoll/storage/store";
import type { ServiceAccountTokens } from "../authenticate/serviceaccounts.ts";
import type { TokenAuthenticator } from "../authenticate/tokens.ts";
import type { Authorizer } from "../authorize/stage.ts";
import type { SubresourceHandlers } from "../routes/resources.ts";
import { reviewAccess, reviewOwnAccess } from "./access.ts";
import { reviewSelf, reviewToken } from "./identity.ts";
import { componentStatuses } from "./components.ts";
import { reviewOwnRules } from "./rules.ts";
import { requestToken } from "./tokenrequest.ts";

/** Handlers by `group/plural`, subresources as `group/plural/subresource`. */
export function reviewHandlers(
  { tokens, bearers, store }: { tokens: ServiceAccountTokens; bearers: TokenAuthenticator; store: Store },
  authorizers: readonly Authorizer[],
): SubresourceHandlers {
  return new Map([
    ["authentication.k8s.io/selfsubjectreviews", reviewSelf],
    ["authentication.k8s.io/tokenreviews", reviewToken(bearers)],
    ["authorization.k8s.io/localsubjectaccessreviews", reviewAccess(authorizers, { local: true })],
    ["authorization.k8s.io/selfsubjectaccessreviews", reviewOwnAccess(authorizers)],
    ["authorization.k8s.io/selfsubjectrulesreviews", reviewOwnRules(authorizers)],
    ["authorization.k8s.io/subjectaccessreviews", reviewAccess(authorizers, { local: false })],
    ["/componentstatuses", componentStatuses(store)],
    ["/serviceaccounts/token", requestToken(tokens)],
  ]);
}
