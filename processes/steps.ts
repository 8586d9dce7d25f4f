/** Steps shown as they happen, each with the time it took. */
import { systemClock } from "@atoll/machinery/clock";

const width = 44;

/** Does something, shown as a step. What fails shows that too, and is thrown on. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const beganMs = systemClock.monotonicMs();
  process.stdout.write(`  ${title.padEnd(width)}`);
  try {
    const result = await work();
    process.stdout.write(`${seconds(beganMs)}\n`);
    return result;
  } catch (error) {
    process.stdout.write("failed\n");
    throw error;
  }
}

function seconds(beganMs: number): string {
  return `${((systemClock.monotonicMs() - beganMs) / 1000).toFixed(1).padStart(5)} s`;
}
