/** Runs a program with an argument array and never a shell. */
import { execFile } from "node:child_process";

/** A program failed; the message ends with what it wrote to its error output. */
export class ProgramFailed extends Error {
  override readonly name = "ProgramFailed";
  readonly program: string;
  constructor(program: string, detail: string, cause: unknown) {
    super(`${program}: ${detail}`, { cause });
    this.program = program;
  }
}

/**
 * Runs a program to its end.
 * @param args passed as they are
 * @param options.timeoutMs kills it after so long
 * @returns what it wrote to its standard output, at most 64 MiB
 * @throws {ProgramFailed} it could not start, or did not exit with 0
 */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; timeoutMs?: number } = {},
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { timeoutMs: timeout = 0, ...rest } = options;
    const settings = {
      ...rest,
      timeout,
      killSignal: "SIGKILL" as const,
      encoding: "buffer" as const,
      maxBuffer: 64 << 20,
    };
    execFile(program, args, settings, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const detail = stderr.toString("utf8").trim().slice(-2000) || error.message;
      reject(new ProgramFailed(program, detail, error));
    });
  });
}
