/** What a kubelet's client wants, from its query. Source: k8s.io/kubernetes/pkg/kubelet/server/server.go */
import { parseTime } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import type { LogOptions, Wish } from "./runtime.ts";

const on = (query: URLSearchParams, name: string) => ["1", "true"].includes(query.get(name) ?? "");

/** @throws {StatusError} BadRequest */
export function logOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const seconds = count(query, "sinceSeconds", 1);
  const time = query.get("sinceTime");
  const timeMs = time === null ? undefined : parseTime(time);
  if (timeMs !== undefined && Number.isNaN(timeMs)) throw unreadable("sinceTime");
  const stream = query.get("stream") ?? "All";
  if (stream !== "All" && stream !== "Stdout" && stream !== "Stderr") throw unreadable("stream");
  return {
    follow: on(query, "follow"),
    previous: on(query, "previous"),
    timestamps: on(query, "timestamps"),
    sinceMs: seconds === undefined ? timeMs : nowMs - seconds * 1000,
    tailLines: count(query, "tailLines", 0),
    limitBytes: count(query, "limitBytes", 1),
    stream,
  };
}

function count(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw unreadable(name);
  return value;
}

/** @throws {StatusError} BadRequest */
export function wishOf(query: URLSearchParams): Wish {
  const tty = on(query, "tty");
  const wish = { stdin: on(query, "input"), stdout: on(query, "output"), stderr: on(query, "error") && !tty, tty };
  if (!wish.stdin && !wish.stdout && !wish.stderr) {
    throw new StatusError("BadRequest", "you must specify at least 1 of stdin, stdout, stderr");
  }
  return wish;
}

function unreadable(name: string): StatusError {
  return new StatusError("BadRequest", `${name} cannot be read`);
}
