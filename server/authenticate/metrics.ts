/**
 * What the metrics tell of authentication. Source: k8s.io/apiserver/pkg/endpoints/filters/metrics.go
 */
import type { Registry } from "prom-client";
import type { Exchange, Stage } from "../exchange.ts";
import { Numbers } from "../routes/series.ts";

/** Counts who was recognized, and who was not. */
export class AuthenticationMetrics {
  readonly #users: Numbers;
  readonly #attempts: Numbers;

  constructor(registry: Registry) {
    this.#users = new Numbers(registry, {
      name: "authenticated_user_requests",
      help: "Requests of users who were recognized, by kind of user name",
      type: "counter",
    });
    this.#attempts = new Numbers(registry, {
      name: "authentication_attempts",
      help: "Attempts at being recognized, by result",
      type: "counter",
    });
  }

  /** The authenticating stage, counted. */
  counting(stage: Stage): Stage {
    return (exchange) => {
      try {
        const outcome = stage(exchange);
        if (!(outcome instanceof Promise)) return this.#passed(exchange, outcome);
        return outcome.then(
          (answer) => this.#passed(exchange, answer),
          (error: unknown) => this.#failed(error),
        );
      } catch (error) {
        return this.#failed(error);
      }
    };
  }

  #passed<T>({ user }: Exchange, answer: T): T {
    this.#count("success");
    const username = kindOf(user?.name ?? "");
    this.#users.add(username, 1, () => ({ username }));
    return answer;
  }

  #failed(error: unknown): never {
    this.#count("failure");
    throw error;
  }

  #count(result: string): void {
    this.#attempts.add(result, 1, () => ({ result }));
  }
}

const known: ReadonlySet<string> = new Set([
  "admin",
  "client",
  "kube_proxy",
  "kubelet",
  "system:serviceaccount:kube-system:default",
]);

/** Metrics are to tell no names, and there may be any number of them. Source: compressUsername */
function kindOf(name: string): string {
  if (known.has(name)) return name;
  return name.includes("@") ? "email_id" : "other";
}
