/**
 * The authorizer as expressions ask it: at once, though the server's may have to ask elsewhere. An answer that is not
 * there yet is fetched, and the expression run again.
 * Source: k8s.io/apiserver/pkg/admission/plugin/authorizer (answers are kept for the request)
 */
import type { AuthorizationAnswer, AuthorizationQuestion, ResourceQuestion } from "@atoll/machinery/cel/index";
import { type Authorizer, decide } from "../../authorize/stage.ts";
import type { User } from "../../call.ts";
import type { RequestInfo, RequestVerb } from "../../request.ts";

const unknown: AuthorizationAnswer = { allowed: false, reason: "", error: "the answer is not there yet" };

/** Asks for one request's user, and remembers the answers. */
export class Asker {
  readonly #authorizers: readonly Authorizer[];
  readonly #user: User;
  readonly #answers = new Map<string, AuthorizationAnswer>();
  readonly #open = new Map<string, Promise<AuthorizationAnswer>>();

  constructor(authorizers: readonly Authorizer[], user: User) {
    this.#authorizers = authorizers;
    this.#user = user;
  }

  /** The answer; while it is being fetched, one that stands for none. */
  readonly ask = (question: AuthorizationQuestion): AuthorizationAnswer => {
    const key = JSON.stringify(question);
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    if (!this.#open.has(key)) this.#open.set(key, this.#fetch(question));
    return unknown;
  };

  /** Runs `evaluate` until nothing it asked was still open. */
  async settle<T>(evaluate: () => T): Promise<T> {
    for (;;) {
      const outcome = evaluate();
      if (this.#open.size === 0) return outcome;
      for (const [key, answer] of this.#open) this.#answers.set(key, await answer);
      this.#open.clear();
    }
  }

  async #fetch(question: AuthorizationQuestion): Promise<AuthorizationAnswer> {
    const user = question.user === undefined ? this.#user : serviceAccount(question.user);
    try {
      const { decision, reason, error } = await decide(this.#authorizers, user, infoOf(question));
      const allowed = decision === "allow";
      return error === undefined || allowed ? { allowed, reason } : { allowed, reason, error };
    } catch (error) {
      return { allowed: false, reason: "", error: error instanceof Error ? error.message : String(error) };
    }
  }
}

/** Source: k8s.io/apiserver/pkg/authentication/serviceaccount (UserInfo) */
function serviceAccount({ namespace, name }: { namespace: string; name: string }): User {
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
  return { name: `system:serviceaccount:${namespace}:${name}`, uid: "", groups, extra: {} };
}

const unsaid: ResourceQuestion = {
  group: "",
  resource: "",
  subresource: "",
  namespace: "",
  name: "",
  fieldSelector: "",
  labelSelector: "",
};

function infoOf({ verb, path = "", resource = unsaid }: AuthorizationQuestion): RequestInfo {
  const query = new URLSearchParams();
  if (resource.fieldSelector !== "") query.set("fieldSelector", resource.fieldSelector);
  if (resource.labelSelector !== "") query.set("labelSelector", resource.labelSelector);
  return {
    verb: verb as RequestVerb,
    method: verb.toUpperCase(),
    path,
    query,
    group: resource.group,
    version: resource === unsaid ? "" : "*",
    namespace: resource.namespace,
    resource: resource.resource,
    name: resource.name,
    subresource: resource.subresource,
    rest: "",
  };
}
