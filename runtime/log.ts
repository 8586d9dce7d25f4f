/**
 * What controllers say to the operator. Values go in fields, not in the sentence.
 * Levels: debug, nothing to do; info, routine work done; warn, work that should not have been needed; error, failed.
 */

/** Levels, the least urgent first. */
export type Level = "debug" | "info" | "warn" | "error";

/** Values that belong to a sentence. */
export type Fields = Readonly<Record<string, unknown>>;

/** Takes what is said. */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** The same, with fields added to each line. */
  with(fields: Fields): Log;
}

function spellError(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const cause = value.cause === undefined ? {} : { cause: spellError(value.cause) };
  return { name: value.name, message: value.message, ...cause };
}

function spellFields(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, spellError(value)]));
}

/** A log that hands each line to `write`; errors among the fields are spelled with their causes. */
export function logTo(write: (level: Level, message: string, fields: Fields) => void, fixed: Fields = {}): Log {
  const at =
    (level: Level) =>
    (message: string, fields: Fields = {}) => {
      write(level, message, spellFields({ ...fixed, ...fields }));
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => logTo(write, { ...fixed, ...fields }),
  };
}

/** A log for which nobody listens. */
export const silent: Log = logTo(() => undefined);
