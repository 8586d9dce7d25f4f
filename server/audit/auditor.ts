/**
 * Who asked for what, and what came of it, as lines of JSON. Stands after authentication: the one who authenticated is
 * the one whom the log names, whoever they then act as.
 * Source: k8s.io/apiserver/pkg/endpoints/filters/{audit,authn_audit}.go
 */
import type { Clock } from "@atoll/machinery/clock";
import type { Registry } from "prom-client";
import type { User } from "../call.ts";
import type { Followed } from "../configuration/followed.ts";
import type { Exchange, Stage as Step } from "../exchange.ts";
import { isLongRunning } from "../routes/metrics.ts";
import { Numbers } from "../routes/series.ts";
import { Allowance } from "./allowance.ts";
import { eventLine, type Outcome, type Subject } from "./event.ts";
import { type AuditPolicy, judge, type Stage, usualPolicy } from "./policy.ts";

/** Takes lines; must not wait. */
export interface AuditSink {
  write(line: string): void;
}

/** What auditing needs. */
export interface AuditOptions {
  readonly sink: AuditSink;
  /** Absent: the usual policy. */
  readonly policy?: Followed<AuditPolicy> | undefined;
}

const nobody: User = { name: "", uid: "", groups: [], extra: {} };

/** Writes the audit log. */
export class Auditor {
  readonly #sink: AuditSink;
  readonly #clock: Clock;
  readonly #events: Numbers;
  readonly #levels: Numbers;
  readonly #refusals: Allowance;
  #judge: ReturnType<typeof judge>;

  constructor({ sink, policy }: AuditOptions, clock: Clock, registry: Registry) {
    this.#sink = sink;
    this.#clock = clock;
    this.#refusals = new Allowance(clock);
    this.#judge = judge(policy?.current ?? usualPolicy);
    policy?.onChange((changed) => (this.#judge = judge(changed)));
    const type = "counter";
    this.#events = new Numbers(registry, {
      name: "apiserver_audit_event_total",
      help: "Events of the audit log",
      type,
    });
    const help = "Requests by the level at which they are audited";
    this.#levels = new Numbers(registry, { name: "apiserver_audit_level_total", help, type });
  }

  /** Follows a request from here to its end. */
  readonly follow: Step = (exchange) => {
    const subject = this.#subject(exchange, exchange.user ?? nobody);
    if (subject === undefined) return undefined;
    this.#tell("RequestReceived", subject);
    if (isLongRunning(exchange)) {
      exchange.onAnswer((answer) => {
        if ("stream" in answer) this.#tell("ResponseStarted", subject, { code: 200, answer: undefined });
      });
    }
    exchange.onDone((code) => {
      const stage = exchange.crash === undefined ? "ResponseComplete" : "Panic";
      this.#tell(stage, subject, { code, answer: exchange.answer });
    });
    return undefined;
  };

  /** The authenticating stage, with its refusals in the log. */
  watching(authenticate: Step): Step {
    return (exchange) => {
      try {
        const outcome = authenticate(exchange);
        return outcome instanceof Promise ? outcome.catch((error) => this.#refused(exchange, error)) : outcome;
      } catch (error) {
        return this.#refused(exchange, error);
      }
    };
  }

  #refused(exchange: Exchange, error: unknown): never {
    const untold = this.#refusals.take(exchange.request.socket?.remoteAddress ?? "");
    if (untold === undefined) throw error;
    if (untold > 0) exchange.annotations.set("authentication.atoll.dev/untold", String(untold));
    const subject = this.#subject(exchange, nobody);
    const attempted = exchange.request.headers.authorization === undefined ? "" : ", attempted: bearer";
    const message = `Authentication failed${attempted}`;
    if (subject !== undefined)
      exchange.onDone((code) => this.#tell("ResponseComplete", subject, { code, answer: undefined, message }));
    throw error;
  }

  #subject(exchange: Exchange, caller: User): Subject | undefined {
    const verdict = this.#judge(caller, exchange.info);
    const { level } = verdict;
    this.#levels.add(level, 1, () => ({ level }));
    if (level === "None") return undefined;
    const receivedMs = this.#clock.nowMs() - (this.#clock.monotonicMs() - exchange.startedMs);
    return { exchange, verdict, caller, receivedMs };
  }

  #tell(stage: Stage, subject: Subject, outcome?: Outcome): void {
    if (subject.verdict.omitStages.has(stage)) return;
    this.#events.add("", 1, () => ({}));
    this.#sink.write(eventLine(stage, subject, this.#clock.nowMs(), outcome));
  }
}
