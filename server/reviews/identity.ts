/**
 * Who somebody is: TokenReview and SelfSubjectReview.
 * Source: k8s.io/kubernetes/pkg/registry/authentication
 */
import type { SelfSubjectReview, TokenReview, UserInfo } from "@atoll/api/builtin/authentication.k8s.io/v1.types";
import { StatusError } from "@atoll/machinery/status";
import { formatTime } from "@atoll/machinery/clock";
import type { TokenAuthenticator } from "../authenticate/tokens.ts";
import type { Call, Handler, User } from "../call.ts";
import { answerReview, readReview } from "./answer.ts";

/** Tells whose token a token is. */
export function reviewToken(tokens: TokenAuthenticator): Handler {
  return async (call: Call) => {
    const review = await readReview<TokenReview>(call);
    const { token = "", audiences = [] } = review.spec;
    if (token === "") throw new StatusError("BadRequest", "token is required for TokenReview in authentication");
    const known = await tokens.verify(token, audiences);
    review.status =
      known === undefined
        ? { user: {}, error: "invalid bearer token" }
        : { authenticated: true, user: userInfo(known.user), audiences: [...known.audiences] };
    return answerReview(call, review);
  };
}

/** Tells who asks. */
export const reviewSelf: Handler = async (call) => {
  const review = await readReview<SelfSubjectReview>(call);
  review.metadata = { creationTimestamp: formatTime(call.services.clock.nowMs()) };
  review.status = { userInfo: userInfo(call.user) };
  return answerReview(call, review);
};

function userInfo({ name, uid, groups, extra }: User): UserInfo {
  return {
    username: name,
    ...(uid === "" ? {} : { uid }),
    groups: [...groups],
    ...(Object.keys(extra).length === 0 ? {} : { extra: structuredClone(extra) as Record<string, string[]> }),
  };
}
