/**
 * Who is asked whether something may be done, and in which order: nodes' rules and roles, or what a file says instead.
 * Source: --authorization-mode=Node,RBAC; --authorization-config
 */
import type { Clock } from "@atoll/machinery/clock";
import type { User } from "../call.ts";
import type { Followed } from "../configuration/followed.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import type { RequestInfo } from "../request.ts";
import { healthForAll, masters } from "./always.ts";
import type { AuthorizationMetrics } from "./metrics.ts";
import { NodeAuthorizer } from "./node/authorizer.ts";
import { Rbac } from "./rbac/authorizer.ts";
import { type Authorizer, decide, type RulesAnswer, type Verdict } from "./stage.ts";
import { type ReviewClient, WebhookAuthorizer } from "./webhook/authorizer.ts";
import type { AuthorizationFile } from "./webhook/configuration.ts";

/** A file that names the authorizers. */
export interface ConfiguredAuthorization {
  readonly file: Followed<AuthorizationFile>;
  /** A way to the webhook that a kubeconfig names. Connects when it is used. */
  connect(kubeconfig: string): ReviewClient;
}

/** What the authorizers need of the server. */
export interface AuthorizationOptions {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly configured?: ConfiguredAuthorization | undefined;
  readonly metrics: AuthorizationMetrics;
  /** Told of what failed behind the scenes and is tried again. */
  readonly onError: (error: unknown) => void;
}

/** The authorizers of a server. */
export class Authorization {
  readonly rbac: Rbac;
  /** In the order in which they are asked. */
  readonly authorizers: readonly Authorizer[];
  readonly #nodes: NodeAuthorizer;
  readonly #chain: Chain | undefined;

  constructor(options: AuthorizationOptions) {
    const { configured, clock, metrics } = options;
    this.rbac = new Rbac(options);
    this.#nodes = new NodeAuthorizer(options);
    const usual = {
      Node: metrics.counting("Node", "node", this.#nodes),
      RBAC: metrics.counting("RBAC", "rbac", this.rbac),
    };
    this.#chain = configured === undefined ? undefined : new Chain(configured, { usual, clock, metrics });
    this.authorizers = [
      masters,
      healthForAll,
      ...(this.#chain === undefined ? [usual.Node, usual.RBAC] : [this.#chain]),
    ];
  }

  /** Resolves when all is known by which they decide. */
  async start(): Promise<void> {
    await this.rbac.start();
  }

  close(): void {
    this.#chain?.close();
    this.#nodes.close();
    this.rbac.close();
  }
}

interface ChainParts {
  readonly usual: Readonly<Record<"Node" | "RBAC", Authorizer>>;
  readonly clock: Clock;
  readonly metrics: AuthorizationMetrics;
}

/** The authorizers that a file names, as it is now. */
class Chain implements Authorizer {
  readonly #configured: ConfiguredAuthorization;
  readonly #parts: ChainParts;
  #authorizers: readonly Authorizer[];
  #webhooks: WebhookAuthorizer[] = [];

  constructor(configured: ConfiguredAuthorization, parts: ChainParts) {
    this.#configured = configured;
    this.#parts = parts;
    this.#authorizers = this.#made(configured.file.current);
    configured.file.onChange((file) => {
      this.close();
      this.#authorizers = this.#made(file);
    });
  }

  close(): void {
    for (const each of this.#webhooks.splice(0)) each.close();
  }

  authorize(user: User, info: RequestInfo): Verdict | Promise<Verdict> {
    return decide(this.#authorizers, user, info);
  }

  async rulesFor(user: User, namespace: string): Promise<RulesAnswer> {
    const answers = await Promise.all(this.#authorizers.map((each) => each.rulesFor?.(user, namespace)));
    return {
      rules: answers.flatMap((answer) => answer?.rules ?? []),
      incomplete: answers.some((answer) => answer?.incomplete === true),
      errors: answers.flatMap((answer) => answer?.errors ?? []),
    };
  }

  #made({ authorizers }: AuthorizationFile): readonly Authorizer[] {
    return authorizers.map((each) => {
      const { usual, clock, metrics } = this.#parts;
      if (each.type !== "Webhook") return usual[each.type];
      const webhook = new WebhookAuthorizer(each, this.#configured.connect(each.kubeconfig), clock);
      this.#webhooks.push(webhook);
      return metrics.counting("Webhook", each.name, webhook);
    });
  }
}
