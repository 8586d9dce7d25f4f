/** The server's configuration files: read before it starts, and followed while it runs. */
import { resolve } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { type Authentication, readAuthentication } from "@atoll/server/authenticate/oidc/configuration";
import { issuer } from "@atoll/server/authenticate/serviceaccounts";
import { Followed } from "@atoll/server/configuration/followed";
import { UsageError } from "./flags.ts";
import type { Logger } from "./log.ts";

/** @throws {UsageError} the file cannot be used */
export async function followAuthentication(
  file: string | undefined,
  log: Logger,
): Promise<Followed<Authentication> | undefined> {
  return await follow("--authentication-config", file, {
    log,
    parse: (text) => readAuthentication(text, [issuer]),
  });
}

async function follow<T>(
  flag: string,
  file: string | undefined,
  how: { readonly log: Logger; readonly parse: (text: string) => T },
): Promise<Followed<T> | undefined> {
  if (file === undefined) return undefined;
  try {
    return await Followed.open({ path: resolve(file), clock: systemClock, ...how });
  } catch (error) {
    throw new UsageError(`${flag} ${file}: ${(error as Error).message}`);
  }
}
