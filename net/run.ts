/** Runs a program of the host with an argument array and never a shell. */
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
 * @param input what it reads from its standard input
 * @returns what it wrote to its standard output, at most 64 MiB
 * @throws {ProgramFailed} it could not start, or did not exit with 0
 */
export function run(program: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const detail = stderr.trim().slice(-2000) || error.message;
      reject(new ProgramFailed(program, detail, error));
    });
    // It may be gone before it read everything; its exit code tells.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}
