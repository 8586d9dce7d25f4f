/** The end of a log, as a termination message that falls back to it. */
import { open } from "node:fs/promises";
import { logPath } from "./keeper.ts";
import { parseLine } from "./lines.ts";

/** Source: k8s.io/kubernetes/pkg/kubelet/kuberuntime (MaxContainerTerminationMessageLogLength, …LogLines) */
const mostBytes = 2048;
const mostLines = 80;
const readBytes = 16 << 10;

/** The last lines of a run's output; "" when there is none. */
export async function tailText(folder: string, run: number): Promise<string> {
  const file = await open(logPath(folder, run), "r").catch(() => undefined);
  if (file === undefined) return "";
  try {
    const { size } = await file.stat();
    const from = Math.max(size - readBytes, 0);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const lines = buffer
      .toString("latin1", 0, bytesRead)
      .split("\n")
      .slice(-mostLines - 1);
    const texts = lines.flatMap((line) => {
      const parsed = parseLine(Buffer.from(line, "latin1"));
      return parsed === undefined ? [] : [`${parsed.text.toString("utf8")}${parsed.whole ? "\n" : ""}`];
    });
    return Buffer.from(texts.join("")).subarray(-mostBytes).toString("utf8");
  } finally {
    await file.close();
  }
}
