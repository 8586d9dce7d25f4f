/**
 * The options of pod streams, from a request's query: checked, and as the kubelet reads them.
 * Source: k8s.io/kubernetes/pkg/apis/core/validation (ValidatePodLogOptions), pkg/registry/core/pod/strategy.go
 */
import { FieldErrors, Path } from "@atoll/machinery/field";
import { parseTime } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import { invalid } from "../registry/invalid.ts";
import { isTrue } from "../request.ts";

const counts = ["sinceSeconds", "tailLines", "limitBytes"] as const;
const least = { sinceSeconds: 1, tailLines: 0, limitBytes: 1 } as const;
const tooSmall = ["must be greater than or equal to 0", "must be greater than 0"] as const;
const switches = ["follow", "previous", "timestamps"] as const;

/** What a kubelet is asked for a log. @throws {StatusError} BadRequest, Invalid */
export function logQuery(query: URLSearchParams, name: string): URLSearchParams {
  const asked = new URLSearchParams();
  const errors = new FieldErrors();
  for (const field of switches) if (isTrue(query.get(field))) asked.set(field, "true");
  for (const field of counts) {
    const text = query.get(field);
    if (text === null || text === "") continue;
    if (!/^-?\d{1,18}$/.test(text)) throw unreadable(field, text);
    if (Number(text) < least[field]) {
      errors.invalid(Path.of(field), Number(text), tooSmall[least[field]]);
    }
    asked.set(field, text);
  }
  takeSince(query, asked, errors);
  takeStream(query, asked, errors);
  if (!errors.ok) throw invalid({ group: "", kind: "PodLogOptions" }, name, errors);
  return asked;
}

function takeSince(query: URLSearchParams, asked: URLSearchParams, errors: FieldErrors): void {
  const since = query.get("sinceTime");
  if (since === null || since === "") return;
  if (Number.isNaN(parseTime(since))) throw unreadable("sinceTime", since);
  if (asked.has("sinceSeconds")) {
    errors.forbidden(Path.root, "at most one of `sinceTime` or `sinceSeconds` may be specified");
  }
  asked.set("sinceTime", since);
}

function takeStream(query: URLSearchParams, asked: URLSearchParams, errors: FieldErrors): void {
  const stream = query.get("stream");
  if (stream === null) return;
  if (!["All", "Stdout", "Stderr"].includes(stream)) {
    errors.notSupported(Path.of("stream"), stream, ["All", "Stderr", "Stdout"]);
  }
  if (stream !== "All" && asked.has("tailLines")) {
    errors.forbidden(Path.root, "`tailLines` and specific `stream` are mutually exclusive for now");
  }
  asked.set("stream", stream);
}

/** Names of the streams: as clients say them, and as kubelets do. Source: k8s.io/kubernetes/pkg/apis/core (PodExecOptions) */
const streams = [
  ["stdin", "input"],
  ["stdout", "output"],
  ["stderr", "error"],
  ["tty", "tty"],
] as const;

/** What a kubelet is asked to run or attach to. */
export function streamQuery(query: URLSearchParams): URLSearchParams {
  const asked = new URLSearchParams();
  for (const [said, kubelet] of streams) if (isTrue(query.get(said))) asked.set(kubelet, "1");
  for (const word of query.getAll("command")) asked.append("command", word);
  return asked;
}

/** What a kubelet is asked to forward. @throws {StatusError} BadRequest */
export function portQuery(query: URLSearchParams): URLSearchParams {
  const asked = new URLSearchParams();
  for (const text of query.getAll("ports").flatMap((value) => value.split(","))) {
    if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65535) throw unreadable("ports", text);
    asked.append("port", text);
  }
  return asked;
}

function unreadable(field: string, text: string): StatusError {
  return new StatusError("BadRequest", `${field} cannot be read: ${JSON.stringify(text)}`, { details: {} });
}
