/**
 * `atoll fleet-agent`: keeps one cluster as the hub wants it. In a cluster of somebody else's it must be small: the
 * process begins anew on Node's compile cache, so that what strips types, 30 MiB, is never loaded, and with a heap that
 * is collected before it grows. Whoever starts first fills the cache in a process of its own.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Beside the program, so that only who can change the program can change what is kept of it. */
const cache = join(import.meta.dirname, "..", "node_modules", ".cache", "atoll", "fleet-agent");
const heap = ["--max-semi-space-size=2", "--max-old-space-size=192"];
const fillOnly = "--fill-cache";

/** Runs until SIGTERM or SIGINT. */
export async function run(args: readonly string[]): Promise<number> {
  if (process.env["NODE_COMPILE_CACHE"] !== cache) becomeSmall(args);
  const { keepCluster } = await import("./fleetagentrun.ts");
  return args[0] === fillOnly ? 0 : await keepCluster(args);
}

/** Does not return: the same process goes on with another program. */
function becomeSmall(args: readonly string[]): void {
  const { execPath, execArgv, argv } = process;
  const [, program = ""] = argv;
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  const command = [...execArgv, ...heap, program, "fleet-agent"];
  // Where the cache cannot be written the agent starts all the same, larger.
  if (!existsSync(cache)) spawnSync(execPath, [...command, fillOnly], { env, stdio: "ignore" });
  process.execve?.(execPath, [execPath, ...command, ...args], env);
}
