/** A Service as a host's network sees it: who may reach what, and by which addresses. */
import type { Protocol } from "../ruleset.ts";

/** Where a connection can end. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A port of a Service. */
export interface ServicePort {
  readonly protocol: Protocol;
  readonly port: number;
  /** Those that may get connections now. */
  readonly endpoints: readonly Endpoint[];
  /** Those that get none by the Service's address now, but to which the way is open all the same. */
  readonly standby?: readonly Endpoint[];
  /** How those outside the pods' network come in; without it they do not. */
  readonly outside?: OutsideWay;
}

/** The way into a Service from outside. */
export interface OutsideWay {
  /** Addresses and ports that lead here: of a pool, or a host's own. */
  readonly balanced: readonly Endpoint[];
  /** At this port each of the host's own addresses leads here, too. */
  readonly nodePort?: number;
  /** Who may come in by a balanced address, as ranges; without it anybody. */
  readonly sourceRanges?: readonly string[];
  /** Those of this host, when nobody may be sent on to another one, which would hide who calls. */
  readonly local?: readonly Endpoint[];
}

/** A Service. */
export interface ServiceSpec {
  readonly namespace: string;
  readonly name: string;
  /** Virtual addresses; none when it is headless, and then it only opens the way. */
  readonly addresses: readonly string[];
  readonly ports: readonly ServicePort[];
  /** How long a client stays with its endpoint; without it each connection goes to the next. */
  readonly affinitySeconds?: number;
  /** Namespaces besides its own whose pods it opens the way for. */
  readonly exportedTo?: readonly string[];
  /** What leads the gateway here, in words: for explaining. */
  readonly routedBy?: string;
}

/** Tells a Service from every other. */
export const serviceKey = ({ namespace, name }: Pick<ServiceSpec, "namespace" | "name">): string =>
  `${namespace}/${name}`;
