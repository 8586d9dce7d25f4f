/**
 * Container output as lines of a log file: `2026-01-02T03:04:05.123456789Z stdout F text`, P in place of F for a line
 * that goes on in the next one.
 * Source: k8s.io/cri-api and k8s.io/kubernetes/pkg/kubelet/kuberuntime/logs (the CRI log format)
 */
import { formatTime } from "@atoll/machinery/clock";

/** One line of a log file. */
export interface LogLine {
  /** RFC 3339 with nine digits of a second. */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  /** The line ends here; otherwise the next of the stream goes on with it. */
  readonly whole: boolean;
  readonly text: Buffer;
}

/** A line is broken after so many bytes. */
export const longestLine = 16 << 10;

const newline = 0x0a;
const billion = 1_000_000_000n;
const timeLength = "2026-01-02T03:04:05.123456789Z".length;

/** Spells a time given in ns since the epoch. */
export function spellTime(timeNs: bigint): string {
  const seconds = formatTime(Number(timeNs / billion) * 1000).slice(0, -1);
  return `${seconds}.${String(timeNs % billion).padStart(9, "0")}Z`;
}

/** Makes lines of one stream's output. */
export class LineMaker {
  readonly #stream: "stdout" | "stderr";
  #parts: Buffer[] = [];
  #length = 0;

  constructor(stream: "stdout" | "stderr") {
    this.#stream = stream;
  }

  /** What is part of no line yet. */
  get pending(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** Begins with what was pending when another maker ended. */
  restore(pending: Buffer): void {
    this.#parts = pending.length === 0 ? [] : [pending];
    this.#length = pending.length;
  }

  /** Takes output, and puts the lines that are whole, or too long, into `out`. */
  take(bytes: Buffer, timeNs: bigint, out: Buffer[]): void {
    let rest = bytes;
    while (rest.length > 0) {
      const room = longestLine - this.#length;
      const end = rest.indexOf(newline);
      if (end >= 0 && end <= room) {
        this.#emit(rest.subarray(0, end), timeNs, "F", out);
        rest = rest.subarray(end + 1);
      } else if (rest.length >= room) {
        this.#emit(rest.subarray(0, room), timeNs, "P", out);
        rest = rest.subarray(room);
      } else {
        this.#parts.push(Buffer.from(rest));
        this.#length += rest.length;
        return;
      }
    }
  }

  /** Puts what is pending at the end of the output into `out`. */
  flush(timeNs: bigint, out: Buffer[]): void {
    if (this.#length > 0) this.#emit(Buffer.alloc(0), timeNs, "F", out);
  }

  #emit(last: Buffer, timeNs: bigint, tag: "F" | "P", out: Buffer[]): void {
    out.push(Buffer.from(`${spellTime(timeNs)} ${this.#stream} ${tag} `), ...this.#parts, last, endOfLine);
    this.#parts = [];
    this.#length = 0;
  }
}

const endOfLine = Buffer.from("\n");

/** Reads a line without its end; undefined for what is none. */
export function parseLine(line: Buffer): LogLine | undefined {
  if (line.length < timeLength + 10) return undefined;
  const time = line.toString("latin1", 0, timeLength);
  const head = line.toString("latin1", timeLength, timeLength + 10);
  const match = /^ (stdout|stderr) ([FP]) $/.exec(head);
  if (match === null) return undefined;
  const stream = match[1] === "stderr" ? "stderr" : "stdout";
  return { time, stream, whole: match[2] === "F", text: line.subarray(timeLength + 10) };
}
