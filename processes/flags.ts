/** Reading a command's flags, with the exit codes of the contract. */
import { Command, CommanderError } from "commander";

/** Thrown for wrong usage; the message says what to do. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * A command that never exits the process by itself.
 * @param name as users type it, `atoll server`
 */
export function flags(name: string, description: string): Command {
  return new Command(name).description(description).exitOverride().allowExcessArguments(false).showHelpAfterError();
}

/** Runs a command's body and turns what it throws into an exit code and a sentence. */
export async function exitCode(body: () => Promise<number | undefined>): Promise<number> {
  try {
    return (await body()) ?? 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`atoll: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** @throws {UsageError} */
export function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535)
    throw new UsageError(`${JSON.stringify(text)} is no port: 0 to 65535`);
  return value;
}
