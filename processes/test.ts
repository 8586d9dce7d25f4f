/** `atoll test [NAME…] [--nightly]` */
import { runTool } from "./tool.ts";

/** @param args parts of test paths; none means all */
export async function run(args: readonly string[]): Promise<number> {
  return await runTool("tools/test.ts", args);
}
