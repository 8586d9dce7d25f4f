/**
 * Aggregated APIs: parts of the API that other servers answer for, under this server's address, identities and
 * authorization.
 *
 *     APIService ─▶ remotes ─▶ stage ─▶ server/proxy ─▶ Service's endpoint
 *          ▲           └─▶ discovery
 *          └─ availability: is it there, and what does it serve?
 */
import type { Clock } from "@atoll/machinery/clock";
import type { Registry } from "prom-client";
import type { Stage } from "../exchange.ts";
import type { KeyPair } from "../pki/authority.ts";
import type { KindsServed } from "../openapi/served.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { AvailabilityController } from "./availability.ts";
import { Registration } from "./registration.ts";
import { Remotes } from "./remotes.ts";
import { aggregated } from "./stage.ts";

export interface AggregatorOptions {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  /** The front-proxy client's: aggregated servers trust the identities told over it. */
  readonly certificate: KeyPair;
  /** Where it is counted what cannot be reached. */
  readonly registry: Registry;
  /** Told of what failed behind the scenes and is tried again. */
  readonly onError: (error: unknown) => void;
}

export class Aggregator {
  readonly remotes: Remotes;
  /** The kinds that this server documents, and where the others' documents are. */
  readonly openApi: KindsServed;
  readonly stage: Stage;
  readonly #registration: Registration;
  readonly #availability: AvailabilityController;

  constructor(options: AggregatorOptions) {
    this.remotes = new Remotes(options);
    const { catalogue } = options;
    const { remotes } = this;
    this.openApi = {
      get generation() {
        // Both only rise.
        return catalogue.generation + remotes.generation;
      },
      kinds: () => catalogue.kinds(),
      elsewhere: () => remotes.openApi(),
    };
    const shared = { ...options, remotes: this.remotes };
    this.stage = aggregated(shared);
    this.#registration = new Registration(shared);
    this.#availability = new AvailabilityController(shared);
  }

  /** Resolves when requests find their way; to be called when all kinds are served. */
  async start(): Promise<void> {
    await this.remotes.start();
    await this.#registration.start();
    this.#availability.start();
  }

  async close(): Promise<void> {
    this.remotes.close();
    await Promise.all([this.#registration.close(), this.#availability.close()]);
  }
}
