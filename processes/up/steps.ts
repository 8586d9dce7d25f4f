/** Steps shown as they happen, each with the time it took. */
import { systemClock } from "@atoll/machinery/clock";

const width = 44;

/** Does something, shown as a step when it is done: several may be under way. What fails shows that, and is thrown on. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const beganMs = systemClock.monotonicMs();
  const tell = (end: string) => process.stdout.write(`  ${title.padEnd(width)}${end}\n`);
  try {
    const result = await work();
    tell(seconds(beganMs));
    return result;
  } catch (error) {
    tell("failed");
    throw error;
  }
}

function seconds(beganMs: number): string {
  return `${((systemClock.monotonicMs() - beganMs) / 1000).toFixed(1).padStart(5)} s`;
}
