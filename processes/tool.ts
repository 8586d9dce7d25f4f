/** Running one of the house's own tools. */
import { spawn } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

/**
 * @param tool a file under the repository's root, as `tools/test.ts`
 * @returns its exit code
 */
export function runTool(tool: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, join(root, tool), ...args], {
      stdio: "inherit",
      cwd: root,
    });
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
