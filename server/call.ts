/** One request on its way through the pipeline, and the answer it gets. */
import type { Clock } from "@atoll/machinery/clock";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Catalogue, Served } from "./registry/catalogue.ts";
import type { Demand } from "./authorize/stage.ts";
import type { Admission } from "./admission/admission.ts";
import type { OwnershipRules } from "./registry/managers.ts";
import type { Reply } from "./reply.ts";
import type { RequestInfo } from "./request.ts";

/** Who asks. Extra keys are lower case. */
export interface User {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** An answer that writes itself over time: a watch, a proxied stream. */
export interface StreamReply {
  readonly stream: (response: ServerResponse) => void;
}

/** What every handler may use. */
export interface Services {
  readonly catalogue: Catalogue;
  readonly admission: Admission;
  readonly clock: Clock;
  readonly ownership: OwnershipRules;
  /** @throws {StatusError} Forbidden */
  readonly demand: Demand;
}

/** A request for a served resource. */
export interface Call {
  readonly info: RequestInfo;
  readonly served: Served;
  readonly user: User;
  readonly services: Services;
  readonly request: IncomingMessage;
  /** The whole body, within the limit. @throws {StatusError} RequestEntityTooLarge, Timeout */
  readonly body: () => Promise<Buffer>;
  /** Texts for Warning headers. */
  readonly warnings: string[];
  /** Annotations of the request's audit event. */
  readonly annotations: Map<string, string>;
  /** Told the name of an object that was made, which its path has not. */
  readonly onNamed: (name: string) => void;
  /** Calls back once the request has been answered. */
  readonly onSettled: (callback: () => void) => void;
  /** Aborted when the client is gone or the server stops. */
  readonly signal: () => AbortSignal;
}

export type Handler = (call: Call) => Promise<Reply | StreamReply>;
