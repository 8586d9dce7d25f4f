/**
 * The members of an etcd cluster: calls go to one of them, and to the next one when it does not answer.
 *
 * Every call has a deadline; a member that is frozen or cut off answers nothing, not even an error.
 */
import { Client, type ClientDuplexStream, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { chance, type Clock } from "@atoll/machinery/clock";
import type { Method } from "./wire.ts";
import { StoreUnavailable } from "../store.ts";

/** Keys and certificates in PEM, for https endpoints. */
export interface EtcdTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Where and how to reach the cluster. */
export interface Reach {
  /** Client URLs of members: http://HOST:PORT or https://HOST:PORT. */
  readonly endpoints: readonly string[];
  readonly tls?: EtcdTls;
  readonly clock: Clock;
  /** How long a call is tried on one member after the other. Default 10 s. */
  readonly timeoutMs?: number;
  /** How long one member has to answer. Default 2.5 s. */
  readonly attemptMs?: number;
}

/** One member. */
export interface Member {
  readonly endpoint: string;
  readonly client: Client;
  /** What is open on it. */
  readonly streams: Set<{ cancel(): void }>;
}

/** Whether a call may have taken effect although it has no answer. */
export interface Certainty {
  uncertain: boolean;
}

/** etcd refused a call, and would refuse it on any member. */
export class EtcdRefused extends Error {
  override readonly name = "EtcdRefused";
  readonly code: status;
  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

type Call<Request, Response> = readonly [method: Method<Request, Response>, request: Request];

/** The clients of all members. */
export class Members {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #attemptMs: number;
  readonly #members: readonly Member[];
  // Servers begin at different members.
  #at: number;
  #closed = false;

  constructor({ endpoints, tls, clock, timeoutMs = 10_000, attemptMs = 2_500 }: Reach) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#attemptMs = attemptMs;
    this.#members = endpoints.map((endpoint) => ({ endpoint, client: connect(endpoint, tls), streams: new Set() }));
    this.#at = Math.floor(chance() * endpoints.length);
  }

  /** The member that calls go to. */
  get current(): Member {
    const member = this.#members[this.#at];
    if (member === undefined) throw new StoreUnavailable("no etcd endpoint is given");
    return member;
  }

  /** Every member. */
  get all(): readonly Member[] {
    return this.#members;
  }

  /** Sends the calls to come to another member than this one, if there is another. */
  leave(member: Member): void {
    if (member === this.current) this.#at = (this.#at + 1) % this.#members.length;
  }

  /** Sends the calls to come to this member. */
  prefer(member: Member): void {
    this.#at = this.#members.indexOf(member);
  }

  /**
   * Makes a call, again on other members as long as there is time. A call that is not a read must bear being carried
   * out twice.
   * @param certainty told when an attempt went unanswered
   * @throws {StoreUnavailable} nobody answered
   * @throws {EtcdRefused}
   */
  async call<Q, R>([method, request]: Call<Q, R>, certainty: Certainty = { uncertain: false }): Promise<R> {
    const until = this.#clock.monotonicMs() + this.#timeoutMs;
    for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 250)) {
      const member = this.current;
      try {
        return await this.ask(member, [method, request]);
      } catch (error) {
        const failure = asServiceError(error);
        if (isRefusal(failure)) throw new EtcdRefused(failure.code, failure.details);
        if (mayHaveArrived(failure)) certainty.uncertain = true;
        this.leave(member);
        if (this.#closed || this.#clock.monotonicMs() + waitMs > until) {
          const { uncertain } = certainty;
          throw new StoreUnavailable(`etcd does not answer: ${failure.details}`, { cause: error, uncertain });
        }
      }
      await this.#clock.sleep(waitMs);
    }
  }

  /**
   * Makes a call on one member, once.
   * @throws {ServiceError} of grpc-js
   */
  ask<Q, R>({ client }: Member, [method, request]: Call<Q, R>): Promise<R> {
    const { path, requestSerialize, responseDeserialize } = method;
    const options = { deadline: this.#clock.nowMs() + this.#attemptMs };
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, options, (error, response) => {
        if (error === null && response !== undefined) resolve(response);
        else reject(error ?? new Error(`${path} answered nothing`));
      });
    });
  }

  /** Opens a stream to the current member. It has no deadline: whoever uses it watches over the member. */
  stream<Q, R>(method: Method<Q, R>): ClientDuplexStream<Q, R> {
    const { streams, client } = this.current;
    const { path, requestSerialize, responseDeserialize } = method;
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    streams.add(stream);
    stream.once("close", () => streams.delete(stream));
    stream.once("error", () => streams.delete(stream));
    return stream;
  }

  close(): void {
    this.#closed = true;
    for (const { client, streams } of this.#members) {
      for (const stream of streams) stream.cancel();
      client.close();
    }
  }
}

function connect(endpoint: string, tls: EtcdTls | undefined): Client {
  const { protocol, host } = new URL(endpoint);
  const secure = protocol === "https:";
  const channel = secure
    ? credentials.createSsl(tls?.ca ?? null, tls?.key ?? null, tls?.cert ?? null)
    : credentials.createInsecure();
  return new Client(host, channel, {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_retries": 0,
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
  });
}

function asServiceError(error: unknown): ServiceError {
  if (error instanceof Error && "code" in error && "details" in error) return error as ServiceError;
  throw error;
}

const tryElsewhere: readonly status[] = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
  status.INTERNAL,
  status.UNKNOWN,
  status.ABORTED,
];

// "too many requests" passes; "database space exceeded" does not: server/etcdserver/api/v3rpc/rpctypes/error.go of etcd.
function isRefusal({ code, details }: ServiceError): boolean {
  if (code === status.RESOURCE_EXHAUSTED) return !details.includes("too many requests");
  return !tryElsewhere.includes(code);
}

// A call that found no connection, or a member that knows no leader, has gone nowhere.
function mayHaveArrived({ details }: ServiceError): boolean {
  return !/^No connection established|^Name resolution failed|no leader|too many requests/.test(details);
}
