/** Logs on standard error: JSON lines, or for people when it is a terminal. */
import { pino, type Logger } from "pino";

export type { Logger };

/** @param name the process: server, controllers, … */
export function openLog(name: string): Logger {
  const level = process.env["ATOLL_LOG_LEVEL"] ?? "info";
  if (process.stderr.isTTY) return pino({ name, level }, forPeople());
  return pino({ name, level, base: { name } }, pino.destination({ dest: 2, sync: false }));
}

/** One line an entry: level, text, fields. */
function forPeople(): { write(line: string): void } {
  return {
    write(line) {
      const { level, msg, time: _, name, ...fields } = JSON.parse(line) as Record<string, unknown>;
      delete fields["pid"];
      delete fields["hostname"];
      const shown = Object.keys(fields).length === 0 ? "" : ` ${JSON.stringify(fields)}`;
      process.stderr.write(`${label(Number(level))} ${String(name)}: ${String(msg)}${shown}\n`);
    },
  };
}

function label(level: number): string {
  if (level >= 50) return "error";
  if (level >= 40) return "warn ";
  return level >= 30 ? "info " : "debug";
}
