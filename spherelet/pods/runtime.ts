/** The Pods of a node as the kubelet's API sees them: logs, programs, connections, use. */
import type { Duplex } from "node:stream";
import type { Pod } from "@atoll/client/builtin";
import { GuestRefused } from "@atoll/crx/channel/session";
import type { LogRecord } from "@atoll/crx/channel/stream";
import type { Guest } from "@atoll/crx/guest";
import type { Clock } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import type { ContainerAt, KubeletRuntime, LogOptions, PodUsage, Program, Wish } from "../kubelet/runtime.ts";
import { castOf, containerOf } from "../lifecycle/world.ts";
import { hasLog } from "../logs/keeper.ts";
import { type LogWish, readLog } from "../logs/reader.ts";
import type { PodDriver } from "./driver.ts";
import type { Pods } from "./pods.ts";
import { logFolder } from "./record.ts";
import type { Live } from "./runs.ts";
import { GuestSocket } from "./socket.ts";

/** Output of an attachment that nobody reads is dropped beyond this. */
const mostUnread = 1 << 20;
const connectionRefused = 111;

/** What the kubelet's API asks for. */
export class PodsRuntime implements KubeletRuntime {
  readonly #pods: Pods;
  readonly #clock: Clock;

  constructor(pods: Pods, clock: Clock) {
    this.#pods = pods;
    this.#clock = clock;
  }

  pods(): readonly Pod[] {
    return this.#pods.list().map(({ pod }) => pod);
  }

  async log(at: ContainerAt, options: LogOptions, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const driver = this.#driver(at);
    const state = containerOf(driver.world, this.#cast(driver, at).container.name);
    const folder = logFolder(driver.folder, at.container);
    const run = options.previous ? state.restarts - 1 : state.restarts;
    if (options.previous && !(await hasLog(folder, run))) {
      throw badRequest(`previous terminated container "${at.container}" in pod "${at.pod}" not found`);
    }
    if (state.containerId === "") {
      const why = state.obstacle?.reason ?? "";
      const usual = driver.pod.spec.initContainers === undefined ? "ContainerCreating" : "PodInitializing";
      const waits = why === "" ? usual : why;
      throw badRequest(`container "${at.container}" in pod "${at.pod}" is waiting to start: ${waits}`);
    }
    const keeper = options.previous ? undefined : driver.runs.get(at.container)?.keeper;
    return readLog({ folder, run }, wishOf(options, signal), keeper);
  }

  async exec(at: ContainerAt, command: readonly string[], wish: Wish): Promise<Program> {
    const { live, guest } = this.#live(at);
    const { env = [], ...process } = await live.process();
    const terminal = wish.tty ? ["TERM=xterm"] : [];
    const asked = { ...process, env: [...env, ...terminal], args: [...command], tty: wish.tty, stdin: wish.stdin };
    const { stream, exited } = await guest.exec(live.container, asked).catch((error: unknown) => {
      if (!(error instanceof GuestRefused)) throw error;
      throw new StatusError("InternalError", error.message, { cause: error });
    });
    const code = exited.then((exit) => exit.code);
    code.catch(() => undefined);
    return {
      output: stream,
      write: async (bytes) => await stream.input.write(bytes),
      endInput: () => stream.input.end(),
      resize: (size) => void guest.resize(stream.number, size).catch(() => undefined),
      exited: code,
      close: () => void guest.hangUp(stream).catch(() => undefined),
    };
  }

  async attach(at: ContainerAt, wish: Wish): Promise<Program> {
    const { live, guest } = this.#live(at);
    const { container, cast } = live;
    const output = new Attachment(live, wish);
    const code = container.exited.then((exit) => exit.code);
    code.catch(() => undefined);
    return await Promise.resolve({
      output,
      write: async (bytes: Uint8Array) => await container.stdin.write(bytes),
      endInput: () => {
        if (cast.container.stdinOnce === true) container.stdin.end();
      },
      resize: (size: { columns: number; rows: number }) =>
        void guest.resize(container.stream, size).catch(() => undefined),
      exited: code,
      close: () => output.close(),
    });
  }

  async dial({ namespace, pod }: { namespace: string; pod: string }, port: number): Promise<Duplex> {
    const { sandbox } = this.#driver({ namespace, pod });
    if (sandbox === undefined) throw badRequest(`unable to forward port because pod is not running`);
    return await GuestSocket.open(sandbox.guest, port).catch((error: unknown) => {
      if (!(error instanceof GuestRefused)) throw error;
      const why = error.errno === connectionRefused ? "connect: connection refused" : error.message;
      const message = `failed to connect to localhost:${port} inside pod: dial tcp4 127.0.0.1:${port}: ${why}`;
      throw new StatusError("InternalError", message, { cause: error });
    });
  }

  async usage(): Promise<readonly PodUsage[]> {
    const asked = this.#pods.list().map(async (driver) => await this.#usageOf(driver).catch(() => undefined));
    return (await Promise.all(asked)).filter((usage) => usage !== undefined);
  }

  async #usageOf(driver: PodDriver): Promise<PodUsage | undefined> {
    const { sandbox, pod } = driver;
    if (sandbox === undefined) return undefined;
    const { containers } = await sandbox.guest.request("usage", {});
    const byStream = new Map(containers.map((usage) => [usage.stream, usage]));
    return {
      pod,
      timeMs: this.#clock.nowMs(),
      containers: castOf(pod).flatMap(({ container: { name } }) => {
        const live = driver.runs.get(name);
        const usage = live === undefined ? undefined : byStream.get(live.container.stream);
        if (live === undefined || usage === undefined) return [];
        const { cpuNs = 0n, workingSetBytes = 0n } = usage;
        const startedMs = Number(live.container.startedNs / 1_000_000n);
        return [{ name, startedMs, cpuNanoseconds: cpuNs, memoryBytes: workingSetBytes }];
      }),
    };
  }

  #driver({ namespace, pod }: Pick<ContainerAt, "namespace" | "pod">): PodDriver {
    const driver = this.#pods.find(namespace, pod);
    if (driver === undefined) throw new StatusError("NotFound", `pod "${pod}" not found`);
    return driver;
  }

  #cast(driver: PodDriver, { container, pod }: ContainerAt) {
    const cast = castOf(driver.pod).find((each) => each.container.name === container);
    if (cast === undefined) throw new StatusError("NotFound", `container ${container} not found in pod ${pod}`);
    return cast;
  }

  #live(at: ContainerAt): { live: Live; guest: Guest } {
    const driver = this.#driver(at);
    this.#cast(driver, at);
    const live = driver.runs.get(at.container);
    const { sandbox } = driver;
    if (live === undefined || sandbox === undefined)
      throw new StatusError("NotFound", `container not found ("${at.container}")`);
    return { live, guest: sandbox.guest };
  }
}

const badRequest = (message: string): StatusError => new StatusError("BadRequest", message);

function wishOf(options: LogOptions, signal: AbortSignal): LogWish {
  const { follow, timestamps, sinceMs, tailLines, limitBytes, stream } = options;
  return {
    follow,
    timestamps,
    signal,
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(stream === "All" ? {} : { stream: stream === "Stdout" ? ("stdout" as const) : ("stderr" as const) }),
  };
}

type Piece = Pick<LogRecord, "source" | "bytes">;

/** What a running container writes from now on. */
class Attachment implements AsyncIterable<Piece> {
  readonly #live: Live;
  readonly #pieces: Piece[] = [];
  readonly #tap: (record: LogRecord) => void;
  #unread = 0;
  #isEnded = false;
  #wake: (() => void) | undefined;

  constructor(live: Live, { stdout, stderr, tty }: Wish) {
    this.#live = live;
    this.#tap = ({ source, bytes }) => {
      const isWanted = source === "output" ? stdout || tty : stderr;
      if (!isWanted || this.#unread > mostUnread) return;
      this.#pieces.push({ source, bytes });
      this.#unread += bytes.length;
      this.#wake?.();
    };
    live.taps.add(this.#tap);
    void live.kept.then(() => this.close());
  }

  close(): void {
    this.#isEnded = true;
    this.#live.taps.delete(this.#tap);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Piece> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        this.#unread -= piece.bytes.length;
        yield piece;
      } else if (this.#isEnded) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
