/**
 * What the one who asks may do in a namespace, as `kubectl auth can-i --list` shows it.
 * Source: k8s.io/kubernetes/pkg/registry/authorization/selfsubjectrulesreview
 */
import type { SelfSubjectRulesReview } from "@atoll/api/builtin/authorization.k8s.io/v1.types";
import { StatusError } from "@atoll/machinery/status";
import { aggregated, type Authorizer, type ListedRule } from "../authorize/stage.ts";
import type { Handler } from "../call.ts";
import { answerReview, readReview } from "./answer.ts";

/** Tells all rules that the authorizers can list; where one cannot list its own, the answer says that it is incomplete. */
export function reviewOwnRules(authorizers: readonly Authorizer[]): Handler {
  return async (call) => {
    const review = await readReview<SelfSubjectRulesReview>(call);
    const namespace = review.spec.namespace ?? "";
    if (namespace === "") throw new StatusError("BadRequest", "no namespace on request");
    const answers = await Promise.all(authorizers.map((authorizer) => authorizer.rulesFor?.(call.user, namespace)));
    const rules = answers.flatMap((answer) => answer?.rules ?? []);
    const errors = answers.flatMap((answer) => answer?.errors ?? []);
    review.status = {
      resourceRules: rules.filter(({ resources }) => resources !== undefined).map(ofResources),
      nonResourceRules: rules.filter(({ nonResourceURLs }) => nonResourceURLs !== undefined).map(ofPaths),
      incomplete: answers.some((answer) => answer?.incomplete === true),
      ...(errors.length === 0 ? {} : { evaluationError: aggregated(errors) }),
    };
    return answerReview(call, review);
  };
}

function ofResources({ verbs, apiGroups = [], resources = [], resourceNames = [] }: ListedRule) {
  const names = resourceNames.length === 0 ? {} : { resourceNames: [...resourceNames] };
  return { verbs: [...verbs], apiGroups: [...apiGroups], resources: [...resources], ...names };
}

function ofPaths({ verbs, nonResourceURLs = [] }: ListedRule) {
  return { verbs: [...verbs], nonResourceURLs: [...nonResourceURLs] };
}
