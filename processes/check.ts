/** `atoll check`: the rules of the house, without the tests. */
import { runTool } from "./tool.ts";

const rules = ["format", "tsc", "lint", "knip", "layers", "docs"];

/** @param args names of checks; none means all but the tests */
export async function run(args: readonly string[]): Promise<number> {
  return await runTool("tools/check.ts", args.length === 0 ? rules : args);
}
