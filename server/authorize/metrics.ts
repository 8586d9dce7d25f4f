/**
 * What the metrics tell of authorization.
 * Source: k8s.io/apiserver/pkg/endpoints/filters/metrics.go, …/authorization/metrics
 */
import type { Registry } from "prom-client";
import { Numbers } from "../routes/series.ts";
import type { Authorizer, Verdict } from "./stage.ts";

/** Counts decisions. */
export class AuthorizationMetrics {
  readonly #decisions: Numbers;
  readonly #attempts: Numbers;

  constructor(registry: Registry) {
    this.#decisions = new Numbers(registry, {
      name: "apiserver_authorization_decisions_total",
      help: "Decisions, by the authorizer that made them",
      type: "counter",
    });
    this.#attempts = new Numbers(registry, {
      name: "authorization_attempts_total",
      help: "Requests by what came of their authorization",
      type: "counter",
    });
  }

  /** An authorizer whose decisions are counted. @param name as the configuration has it */
  counting(type: string, name: string, inner: Authorizer): Authorizer {
    const count = (verdict: Verdict): Verdict => {
      if (verdict.decision === "no opinion") return verdict;
      const decision = verdict.decision === "allow" ? "allowed" : "denied";
      this.#decisions.add(`${type} ${name} ${decision}`, 1, () => ({ type, name, decision }));
      return verdict;
    };
    const rulesFor = inner.rulesFor?.bind(inner);
    return {
      authorize(user, info) {
        const verdict = inner.authorize(user, info);
        return verdict instanceof Promise ? verdict.then(count) : count(verdict);
      },
      ...(rulesFor === undefined ? {} : { rulesFor }),
    };
  }

  /** A request was decided upon. */
  attempted({ decision, error }: Verdict): void {
    const result = error !== undefined && decision !== "allow" ? "error" : results[decision];
    this.#attempts.add(result, 1, () => ({ result }));
  }
}

const results = { allow: "allowed", deny: "denied", "no opinion": "no-opinion" } as const;
