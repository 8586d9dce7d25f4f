/** Where a store says what a person should know. The shape of pino's loggers. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Says nothing. */
export const silent: Log = { info() {}, warn() {}, error() {} };
