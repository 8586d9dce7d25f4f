/** Who is asked whether something may be done, and in which order. Source: --authorization-mode=Node,RBAC */
import type { Clock } from "@atoll/machinery/clock";
import type { Catalogue } from "../registry/catalogue.ts";
import { healthForAll, masters } from "./always.ts";
import { NodeAuthorizer } from "./node/authorizer.ts";
import { Rbac } from "./rbac/authorizer.ts";
import type { Authorizer } from "./stage.ts";

/** What the authorizers need of the server. */
export interface AuthorizationOptions {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  /** Told of what failed behind the scenes and is tried again. */
  readonly onError: (error: unknown) => void;
}

/** The authorizers of a server. */
export class Authorization {
  readonly rbac: Rbac;
  readonly #nodes: NodeAuthorizer;
  /** In the order in which they are asked. */
  readonly authorizers: readonly Authorizer[];

  constructor(options: AuthorizationOptions) {
    this.rbac = new Rbac(options);
    this.#nodes = new NodeAuthorizer(options);
    this.authorizers = [masters, healthForAll, this.#nodes, this.rbac];
  }

  /** Resolves when all is known by which they decide. */
  async start(): Promise<void> {
    await this.rbac.start();
  }

  close(): void {
    this.#nodes.close();
    this.rbac.close();
  }
}
