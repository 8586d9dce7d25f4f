/**
 * What is inside a running machine, seen from the host: volumes, containers, exec sessions, connections. A thin layer
 * over the channel: every method is one request, and requests are carried out in the order they are made.
 */
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { systemClock, type Clock } from "@atoll/machinery/clock";
import { volumeKinds } from "./channel/messages.ts";
import {
  GuestRefused,
  Session,
  type ChannelClosed,
  type Report,
  type RequestOf,
  type ReplyOf,
} from "./channel/session.ts";
import { ByteStream, LogStream, type StreamInput } from "./channel/stream.ts";
import type { Operation } from "./channel/messages.ts";

/** How a container or an exec session ended. Times by the guest's clock, in ns since the epoch. */
export interface Exit {
  /** Exit code; 128 and the signal's number when a signal ended it. */
  readonly code: number;
  /** Signal that ended it, or 0. */
  readonly signal: number;
  readonly oomKilled: boolean;
  readonly startedNs: bigint;
  readonly finishedNs: bigint;
  /** Termination message, at most 4096 bytes, whatever the container wrote. */
  readonly message: Uint8Array;
}

/** What a container is started with; see the Run message for the fields. */
export type ContainerSpec = Omit<RequestOf<"run">, "stream">;

/** What a process is started with; see the Process message for the fields. */
export type ProcessSpec = NonNullable<ContainerSpec["process"]>;

/** A volume to make; see the Volume message. */
export type VolumeSpec = Omit<RequestOf<"volume">, "kind"> & { readonly kind: keyof typeof volumeKinds };

/** A container in the guest. */
export interface Container {
  readonly stream: number;
  readonly name: string;
  readonly startedNs: bigint;
  /** Rejects when the channel is gone before the container. */
  readonly exited: Promise<Exit>;
  /** Its output; nothing comes before `follow`. */
  readonly log: LogStream;
  readonly stdin: StreamInput;
}

/** Another process in a container. */
export interface ExecSession {
  readonly stream: ByteStream;
  readonly exited: Promise<Exit>;
}

/** Who the machine is. */
export interface Identity {
  readonly machineId: string;
  readonly hostname: string;
}

/** What a guest tells unasked, beyond ends of containers. */
export interface GuestHandlers {
  /** Something in the container was killed for want of memory. */
  oom?(container: Container): void;
  /** Everything is unmounted and the machine goes off. */
  goodbye?(): void;
  closed?(reason: ChannelClosed): void;
}

/** EAGAIN in Linux. */
const tryAgain = 11;
const growTries = 100;
const growPauseMs = 50;

interface Ending {
  readonly promise: Promise<Exit>;
  readonly resolve: (exit: Exit) => void;
  readonly reject: (error: Error) => void;
}

/** A conversation with a running guest. */
export class Guest {
  #session: Session | undefined;
  readonly #endings = new Map<number, Ending>();
  readonly #containers = new Map<number, Container>();
  /** Streams of exec sessions that have not ended. */
  readonly #sessions = new Set<number>();
  readonly #clock: Clock;

  private constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Begins a conversation on a connection to the machine's channel.
   * @param options.takeOver another driver may have been connected before
   * @throws {ChannelClosed}
   */
  static async open(
    socket: Duplex,
    options: { handlers?: GuestHandlers; takeOver?: boolean; clock?: Clock; signal?: AbortSignal },
  ): Promise<Guest> {
    const { handlers = {}, clock = systemClock } = options;
    const guest = new Guest(clock);
    guest.#session = await Session.open(socket, {
      ...options,
      events: {
        exited: (report) => guest.#ended(report),
        oom: (stream) => guest.#outOfMemory(stream, handlers),
        goodbye: () => handlers.goodbye?.(),
        closed: (reason) => {
          for (const { reject } of guest.#endings.values()) reject(reason);
          guest.#endings.clear();
          handlers.closed?.(reason);
        },
      },
    });
    for (const report of guest.#session.hello.containers) guest.#meet(report);
    return guest;
  }

  get #open(): Session {
    if (this.#session === undefined) throw new Error("the guest has not said hello");
    return this.#session;
  }

  /** Whether the guest still waits to be told who it is. */
  get needsIdentity(): boolean {
    return this.#open.hello.stage !== 2;
  }

  /** Digest of the guest's init, as it tells. */
  get build(): string {
    return this.#open.hello.build ?? "";
  }

  /** Containers that were started and not removed. */
  get containers(): readonly Container[] {
    return [...this.#containers.values()];
  }

  /** One request. @throws {GuestRefused} @throws {ChannelClosed} */
  request<O extends Operation>(operation: O, given: RequestOf<O>): Promise<ReplyOf<O>> {
    return this.#open.request(operation, given);
  }

  /** Tells the guest who it is, with fresh entropy and the time. Comes before everything else. */
  async identify(identity: Identity): Promise<void> {
    const entropy = randomBytes(64);
    await this.request("identify", { ...identity, entropy, timeNs: this.#nowNs() });
  }

  /** Sets the guest's clock. */
  async setTime(): Promise<void> {
    await this.request("setTime", { timeNs: this.#nowNs() });
  }

  #nowNs(): bigint {
    return BigInt(Math.round(this.#clock.nowMs() * 1000)) * 1000n;
  }

  /** Makes a volume. A disk is waited for as long as `timeoutMs` says. */
  async addVolume(volume: VolumeSpec): Promise<void> {
    await this.request("volume", { ...volume, kind: volumeKinds[volume.kind] });
  }

  /** Grows a volume with its disk, once the guest has noticed the disk's new size. */
  async growVolume(name: string, sizeBytes: number): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await this.request("growVolume", { name, sizeBytes: BigInt(sizeBytes) });
        return;
      } catch (error) {
        const unnoticed = error instanceof GuestRefused && error.errno === tryAgain;
        if (!unnoticed || tries === growTries) throw error;
        await this.#clock.sleep(growPauseMs);
      }
    }
  }

  /**
   * Starts a container.
   * @throws {GuestRefused} it could not be started; the message says why, as a container runtime would
   */
  async run(spec: ContainerSpec): Promise<Container> {
    const session = this.#open;
    let log: LogStream | undefined;
    session.addStream((number) => {
      log = new LogStream(session, number);
      return log;
    });
    if (log === undefined) throw new Error("no stream");
    const ending = this.#expect(log.number);
    try {
      const { startedNs = 0n } = await session.request("run", { ...spec, stream: log.number });
      return this.#keep({ log, name: spec.name ?? "", startedNs, exited: ending.promise });
    } catch (error) {
      session.dropStream(log.number);
      this.#endings.delete(log.number);
      throw error;
    }
  }

  /** Has the guest send a container's output from an offset on. @returns where it begins, later if that is gone */
  async follow(container: Container, offset: bigint): Promise<bigint> {
    const begun = this.request("subscribe", { stream: container.stream, offset });
    const { offset: start = offset } = await begun;
    container.log.open(start);
    return start;
  }

  /** Forgets a container that has exited: its output, what it wrote, its report. */
  async remove(container: Container): Promise<void> {
    await this.request("remove", { stream: container.stream });
    this.#containers.delete(container.stream);
    this.#open.dropStream(container.stream);
  }

  /** Signals a container's first process; with `all` and SIGKILL, everything in it. */
  async signal(target: { readonly stream: number }, signal: number, all = false): Promise<void> {
    await this.request("signal", { stream: target.stream, signal, all });
  }

  /** Runs a process in a container. @throws {GuestRefused} */
  async exec(container: Container, process: ProcessSpec): Promise<ExecSession> {
    const stream = this.#byteStream(process.tty === true ? 1 : 2);
    const ending = this.#expect(stream.number);
    this.#sessions.add(stream.number);
    try {
      await this.request("exec", { container: container.stream, stream: stream.number, process });
    } catch (error) {
      this.#open.dropStream(stream.number);
      this.#endings.delete(stream.number);
      this.#sessions.delete(stream.number);
      throw error;
    }
    stream.open();
    return { stream, exited: ending.promise };
  }

  /** Connects to a TCP port inside the machine; to loopback unless an address is given. @throws {GuestRefused} */
  async connect(port: number, address?: Uint8Array): Promise<ByteStream> {
    const stream = this.#byteStream(1);
    try {
      await this.request("connect", { stream: stream.number, port, address });
    } catch (error) {
      this.#open.dropStream(stream.number);
      throw error;
    }
    stream.open();
    return stream;
  }

  /** Ends an exec session or a connection, whatever state it is in. */
  async hangUp(stream: ByteStream): Promise<void> {
    stream.input.close();
    stream.finish();
    await this.request("close", { stream: stream.number });
    this.#open.dropStream(stream.number);
  }

  /** Gives a running container other limits. @throws {GuestRefused} it uses more memory than that already */
  async limit(container: Container, limits: NonNullable<ContainerSpec["limits"]>): Promise<void> {
    await this.request("limit", { container: container.stream, limits });
  }

  /** Tells a terminal its size. */
  async resize(stream: number, size: { rows: number; columns: number }): Promise<void> {
    await this.request("resize", { stream, ...size });
  }

  /** Ends the conversation; the guest and its containers go on. */
  close(): void {
    this.#open.close();
  }

  #byteStream(outputs: 1 | 2): ByteStream {
    const session = this.#open;
    let stream: ByteStream | undefined;
    session.addStream((number) => {
      stream = new ByteStream(session, number, outputs);
      return stream;
    });
    if (stream === undefined) throw new Error("no stream");
    return stream;
  }

  #expect(stream: number): Ending {
    const ending = Promise.withResolvers<Exit>();
    // Whoever is interested awaits it; nobody being interested is no error.
    ending.promise.catch(() => undefined);
    this.#endings.set(stream, ending);
    return ending;
  }

  #keep(made: { log: LogStream; name: string; startedNs: bigint; exited: Promise<Exit> }): Container {
    const { log, ...rest } = made;
    const container = { ...rest, stream: log.number, log, stdin: log.input };
    this.#containers.set(log.number, container);
    return container;
  }

  /** A container that was there before this conversation. */
  #meet(report: Report): void {
    const session = this.#open;
    const log = new LogStream(session, report.stream ?? 0);
    session.setStream(log.number, log);
    const ending = this.#expect(log.number);
    this.#keep({ log, name: report.name ?? "", startedNs: report.startedNs ?? 0n, exited: ending.promise });
    if (report.running !== true) this.#ended(report);
  }

  #ended(report: Report): void {
    const stream = report.stream ?? 0;
    const ending = this.#endings.get(stream);
    this.#endings.delete(stream);
    // Of a session everything has been told; a container's output is still to be asked for.
    if (this.#sessions.delete(stream)) this.#session?.dropStream(stream);
    ending?.resolve({
      code: report.code ?? 0,
      signal: report.signal ?? 0,
      oomKilled: report.oomKilled ?? false,
      startedNs: report.startedNs ?? 0n,
      finishedNs: report.finishedNs ?? 0n,
      message: report.message ?? new Uint8Array(),
    });
  }

  #outOfMemory(stream: number, handlers: GuestHandlers): void {
    const container = this.#containers.get(stream);
    if (container !== undefined) handlers.oom?.(container);
  }
}
