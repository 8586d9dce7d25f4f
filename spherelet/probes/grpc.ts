/**
 * The health question of gRPC, asked over a socket.
 * Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md; k8s.io/kubernetes/pkg/probe/grpc
 */
import { connect } from "node:http2";
import type { Duplex } from "node:stream";
import type { Outcome } from "./attempt.ts";

const statusNames = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const serving = 1;
const lengthDelimited = 0x0a;
const varint = 0x08;
const unimplemented = "12";

/** A message of one field, in gRPC's frame. */
function question(service: string): Buffer {
  const name = Buffer.from(service);
  const body = name.length === 0 ? name : Buffer.concat([Buffer.from([lengthDelimited, name.length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Number of the status in an answer; 0 when it says nothing. */
function statusIn(answer: Buffer): number {
  return answer.length >= 7 && answer[5] === varint ? (answer[6] ?? 0) : 0;
}

/** Asks once. Rejects with the signal's reason when it aborts. */
export async function checkHealth(socket: Duplex, service: string, signal: AbortSignal): Promise<Outcome> {
  const session = connect("http://pod", { createConnection: () => socket });
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      const failed = (error: Error) =>
        resolve({ succeeded: false, output: `error: health rpc probe failed: ${error.message}` });
      session.on("error", failed);
      const stream = session.request({
        ":method": "POST",
        ":path": "/grpc.health.v1.Health/Check",
        "content-type": "application/grpc",
        "user-agent": "kube-probe/1.36",
        te: "trailers",
      });
      const chunks: Buffer[] = [];
      let code = "";
      const take = (headers: Record<string, unknown>) => {
        if (typeof headers["grpc-status"] === "string") code = headers["grpc-status"];
      };
      stream.on("response", take);
      stream.on("trailers", take);
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", failed);
      stream.on("end", () => resolve(judge(code, statusIn(Buffer.concat(chunks)))));
      stream.end(question(service));
    });
  } finally {
    session.destroy();
  }
}

function judge(code: string, status: number): Outcome {
  if (code === unimplemented) {
    const why = "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)";
    return { succeeded: false, output: why };
  }
  if (code !== "0") return { succeeded: false, output: `error: health rpc probe failed: status ${code}` };
  if (status === serving) return { succeeded: true, output: "service healthy" };
  return { succeeded: false, output: `service unhealthy (responded with "${statusNames[status] ?? "UNKNOWN"}")` };
}
