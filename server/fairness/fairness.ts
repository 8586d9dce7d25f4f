/**
 * Priority and fairness: what keeps one user's flood from being everybody's. Stands after authentication and before
 * everything that costs something.
 *
 *     classify → seats free? ── yes ──▶ on
 *                    └─ no ──▶ wait in one of the flow's queues ──▶ on, or 429
 *
 * Source: k8s.io/apiserver/pkg/server/filters/priority-and-fairness.go
 */
import type { FlowSchema, PriorityLevelConfiguration } from "@atoll/api/builtin/flowcontrol.apiserver.k8s.io/v1.types";
import { mandatoryFlowSchemas, mandatoryPriorityLevels } from "@atoll/api/flowcontrol.apiserver.k8s.io/bootstrap";
import type { Clock, Timer } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import type { Registry } from "prom-client";
import type { User } from "../call.ts";
import type { Exchange, Stage } from "../exchange.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { Mirror } from "../registry/mirror.ts";
import { isLongRunning } from "../routes/metrics.ts";
import { Bodies } from "./bodies.ts";
import { type Classifier, compileSchemas, flowOf, type Schema } from "./classify.ts";
import { tellDangling } from "./dangling.ts";
import type { Level, Ticket } from "./level.ts";
import { FlowMetrics } from "./metrics.ts";
import { Seats } from "./seats.ts";
import { divide } from "./shares.ts";
import { widthOf } from "./width.ts";

/** What fairness needs. */
export interface FairnessOptions {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly registry: Registry;
  /** Requests at work at once, those of exempt levels aside. */
  readonly seats?: number | undefined;
  readonly onError: (error: unknown) => void;
}

/** Far less than kube-apiserver's 600: one thread does the work, and what it has begun it cannot put off. */
const usualSeats = 100;
/** Nobody waits longer than this. Source: a quarter of --request-timeout */
const longestWaitMs = 15_000;
const retryAfterSeconds = 1;
const tellAfterMs = 200;
const flowSchemaHeader = "x-kubernetes-pf-flowschema-uid";
const levelHeader = "x-kubernetes-pf-prioritylevel-uid";
const group = "flowcontrol.apiserver.k8s.io";

/** Lets requests in, has them wait, or refuses them. */
export class Fairness {
  readonly #options: FairnessOptions;
  readonly #seats = new Seats();
  readonly #bodies: Bodies;
  readonly #metrics: FlowMetrics;
  readonly #schemas = new Map<string, FlowSchema>();
  readonly #levels = new Map<string, PriorityLevelConfiguration>();
  readonly #mirrors: readonly Mirror[];
  #compiled: ReadonlyMap<string, Schema> = new Map();
  #classify: Classifier = () => undefined;
  #stale = true;
  #telling: Timer | undefined;
  #closed = false;

  constructor(options: FairnessOptions) {
    this.#options = options;
    const { catalogue, clock, onError } = options;
    this.#bodies = new Bodies(catalogue);
    const mirror = <T>(plural: string, into: Map<string, T>): readonly Mirror[] => {
      const resource = catalogue.resource(group, plural);
      if (resource === undefined) return [];
      const fed = {
        put: (key: string, _: unknown, read: () => unknown) => this.#changed(() => into.set(key, read() as T)),
        drop: (key: string) => this.#changed(() => into.delete(key)),
      };
      return [new Mirror({ resource, clock, onError, into: fed })];
    };
    this.#mirrors = [...mirror("flowschemas", this.#schemas), ...mirror("prioritylevelconfigurations", this.#levels)];
    this.#metrics = new FlowMetrics(options.registry, {
      levels: () => this.#seats.levels,
      schemas: () => this.#compiled.values(),
    });
  }

  /** Resolves when the configuration is known. */
  async start(): Promise<void> {
    await Promise.all(this.#mirrors.map((mirror) => mirror.start()));
  }

  close(): void {
    this.#closed = true;
    this.#telling?.cancel();
    for (const mirror of this.#mirrors) mirror.close();
  }

  /** Lets a request go on, at once or later. @throws {StatusError} TooManyRequests */
  readonly stage: Stage = (exchange) => {
    const { user, info } = exchange;
    if (user === undefined) return undefined;
    if (this.#stale) this.#compile();
    const schema = this.#classify(user, info);
    const level = schema === undefined ? undefined : this.#seats.levels.get(schema.level);
    if (schema === undefined || level === undefined) return undefined;
    exchange.headers.push(flowSchemaHeader, schema.uid, levelHeader, level.limits.uid);
    // Streams last as long as they please, and would hold their seats as long; watches hold theirs until they begin.
    if (isLongRunning(exchange) && info.verb !== "watch") return undefined;
    const place = { user, schema, level };
    const body = level.limits.exempt ? undefined : this.#bodies.comes(exchange, user.name);
    if (body === false) throw refusal(schema, "bodies");
    return body === undefined ? this.#admit(exchange, place) : body.then(() => this.#admit(exchange, place));
  };

  #admit(exchange: Exchange, { user, schema, level }: Place): undefined | Promise<undefined> {
    const { clock, catalogue } = this.#options;
    const { info } = exchange;
    const wish = level.limits.exempt ? 1 : widthOf(catalogue, info);
    const seats = Math.min(wish, Math.max(level.limits.nominal, 1));
    const flow = level.limits.exempt ? "" : flowOf(schema, user, info);
    let begin: () => void = () => {};
    const nowMs = clock.monotonicMs();
    const ticket = level.ticket(flow, seats, { nowMs, onStart: () => begin() });
    const outcome = this.#seats.arrive(ticket, nowMs);
    if (outcome !== "running" && outcome !== "waiting") throw refusal(schema, outcome);
    this.#followEnd(exchange, ticket);
    if (outcome === "running") {
      schema.dispatched++;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const late = clock.after(longestWaitMs, () => {
        if (ticket.state !== "waiting") return;
        this.#seats.leave(ticket, clock.monotonicMs());
        reject(refusal(schema, "time-out"));
      });
      begin = () => {
        late.cancel();
        schema.dispatched++;
        this.#metrics.waited(level, clock.monotonicMs() - nowMs);
        resolve(undefined);
      };
      exchange.signal.addEventListener("abort", () => {
        late.cancel();
        if (ticket.state !== "waiting") return;
        this.#seats.leave(ticket, clock.monotonicMs());
        reject(refusal(schema, "cancelled"));
      });
    });
  }

  #followEnd(exchange: Exchange, ticket: Ticket): void {
    const { clock } = this.#options;
    const leave = () => this.#seats.leave(ticket, clock.monotonicMs());
    if (exchange.info.verb === "watch") exchange.onAnswer(leave);
    exchange.onDone(() => {
      // Most of a long answer's work is to encrypt it, which goes on as the client takes it.
      if (isStream(exchange)) leave();
      else exchange.onIdle(leave);
    });
  }

  #changed(change: () => void): void {
    change();
    this.#stale = true;
    this.#telling ??= this.#options.clock.after(tellAfterMs, () => void this.#tell(), { unref: true });
  }

  /** Keeps the schemas' status true. Changes come in bursts here, too. */
  async #tell(): Promise<void> {
    this.#telling = undefined;
    const { catalogue, clock, onError } = this.#options;
    const resource = catalogue.resource(group, "flowschemas");
    if (this.#closed || resource === undefined) return;
    const given = [...this.#levels.values()].map(({ metadata }) => metadata.name ?? "");
    const levels = new Set([...given, ...mandatoryPriorityLevels.map(({ name }) => name)]);
    const schemas = [...this.#schemas.values()];
    try {
      await tellDangling(resource, { schemas, levels, clock });
    } catch (error) {
      if (!this.#closed) onError(error);
    }
  }

  /** Changes come in bursts, so they are taken over by the next request. */
  #compile(): void {
    this.#stale = false;
    const { clock, seats = usualSeats } = this.#options;
    const levels = withMandatory([...this.#levels.values()], mandatoryPriorityLevels) as PriorityLevelConfiguration[];
    const schemas = withMandatory([...this.#schemas.values()], mandatoryFlowSchemas) as FlowSchema[];
    this.#seats.configure(divide(seats, levels), clock.monotonicMs());
    const names = new Set(this.#seats.levels.keys());
    const { classify, schemas: compiled } = compileSchemas(schemas, names, this.#compiled);
    this.#classify = classify;
    this.#compiled = compiled;
  }
}

/** Where a request has its place. */
interface Place {
  readonly user: User;
  readonly schema: Schema;
  readonly level: Level;
}

interface Configured {
  readonly metadata: { readonly name?: string };
  readonly spec: object;
}

/** What may not be missing is there even while somebody has deleted it. */
function withMandatory(
  given: readonly Configured[],
  mandatory: readonly { readonly name: string; readonly spec: object }[],
): readonly Configured[] {
  const names = new Set(given.map(({ metadata }) => metadata.name));
  const missing = mandatory.filter(({ name }) => !names.has(name));
  return [...given, ...missing.map(({ name, spec }) => ({ metadata: { name }, spec }))];
}

function isStream({ answer }: Exchange): boolean {
  return answer !== undefined && "stream" in answer;
}

function refusal(schema: Schema, reason: string): StatusError {
  schema.rejected.set(reason, (schema.rejected.get(reason) ?? 0) + 1);
  const told = "Too many requests, please try again later.";
  return new StatusError("TooManyRequests", told, { details: { retryAfterSeconds } });
}
