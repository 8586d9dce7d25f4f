/** What the parts of a Pod's driver share. */
import type { Container, EphemeralContainer } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import type { Happening } from "@atoll/runtime/events";
import type { PodWorld } from "../lifecycle/world.ts";
import type { NodeFacts } from "../translate/fields.ts";
import type { PodObjects } from "../volumes/references.ts";
import type { Tokens } from "../volumes/tokens.ts";
import type { PodHost } from "./host.ts";

/** One Pod on this node. */
export interface PodContext {
  readonly host: PodHost;
  /** As the API knows it now. */
  readonly pod: Pod;
  readonly world: PodWorld;
  /** What is kept of it on disk. */
  readonly folder: string;
  readonly objects: PodObjects;
  readonly tokens: Tokens;
  /** Aborts when the Pod is no longer this spherelet's. */
  readonly signal: AbortSignal;
  facts(): NodeFacts;
  /** An event about the Pod, or about one of its containers. */
  tell(happening: Happening, container?: Container | EphemeralContainer): void;
  /** Something of the world has changed: plan anew. */
  changed(): void;
  /** Resolves when the world as it is now is on disk. */
  save(): Promise<void>;
}
