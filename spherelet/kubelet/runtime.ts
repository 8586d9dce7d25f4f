/** What the kubelet's API needs of whatever runs the pods. */
import type { Duplex } from "node:stream";
import type { Pod } from "@atoll/api/builtin/core/v1.types";

/** A container of a pod. */
export interface ContainerAt {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** Which part of a log, and how it is shown. */
export interface LogOptions {
  readonly follow: boolean;
  /** Of the run before. */
  readonly previous: boolean;
  readonly timestamps: boolean;
  /** Ms since the epoch; what is older is left out. */
  readonly sinceMs: number | undefined;
  /** Lines from the end. */
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  readonly stream: "All" | "Stdout" | "Stderr";
}

/** A program that somebody is connected with. */
export interface Program {
  /** What it writes, to its end. */
  readonly output: AsyncIterable<{ readonly source: "output" | "errors"; readonly bytes: Uint8Array }>;
  /** Resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** There will be no more input. */
  endInput(): void;
  resize(size: { readonly columns: number; readonly rows: number }): void;
  /** Resolves with its exit code; for an attachment, that of the container. */
  readonly exited: Promise<number>;
  /** Lets go of it; what was started by exec ends. */
  close(): void;
}

/** How somebody wants to be connected. */
export interface Wish {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** What a pod uses now. Times in ms since the epoch. */
export interface PodUsage {
  readonly pod: Pod;
  readonly timeMs: number;
  readonly containers: readonly {
    readonly name: string;
    readonly startedMs: number;
    /** Of CPU time, in all. */
    readonly cpuNanoseconds: bigint;
    readonly memoryBytes: bigint;
  }[];
}

/** All throw StatusError: NotFound, BadRequest. */
export interface KubeletRuntime {
  pods(): readonly Pod[];
  log(at: ContainerAt, options: LogOptions, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
  exec(at: ContainerAt, command: readonly string[], wish: Wish): Promise<Program>;
  attach(at: ContainerAt, wish: Wish): Promise<Program>;
  /** Connects to a TCP port inside the pod. */
  dial(pod: { readonly namespace: string; readonly pod: string }, port: number): Promise<Duplex>;
  usage(): Promise<readonly PodUsage[]>;
}
