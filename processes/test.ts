/** `atoll test [NAME…] [--nightly]` */
import { missingForTests } from "./hostpackages.ts";
import { bringPackages } from "./up/preparation.ts";
import { runTool } from "./tool.ts";

/**
 * Root gets the programs that tests use; for anybody else the tests that lack one are skipped, and say so.
 * @param args parts of test paths; none means all
 */
export async function run(args: readonly string[]): Promise<number> {
  if (process.getuid?.() === 0) await bringPackages(await missingForTests());
  return await runTool("tools/test.ts", args);
}
