/** The server's configuration files: read before it starts, and followed while it runs. */
import { resolve } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { type Authentication, readAuthentication } from "@atoll/server/authenticate/oidc/configuration";
import { issuer } from "@atoll/server/authenticate/serviceaccounts";
import { Followed } from "@atoll/server/configuration/followed";
import { type Encryption, readEncryption } from "@atoll/server/encryption/configuration";
import { UsageError } from "./flags.ts";
import type { Logger } from "./log.ts";

/** The flags that name the files. */
export interface ConfigurationFlags {
  readonly authenticationConfig?: string;
  readonly encryptionConfig?: string;
}

/** What the files say. */
export interface Configuration {
  readonly authentication: Followed<Authentication> | undefined;
  readonly encryption: Followed<Encryption> | undefined;
  close(): void;
}

/** @throws {UsageError} a file cannot be used */
export async function openConfiguration(flags: ConfigurationFlags, log: Logger): Promise<Configuration> {
  const parse = (text: string) => readAuthentication(text, [issuer]);
  const authentication = await follow("--authentication-config", flags.authenticationConfig, { log, parse });
  const encryption = await follow("--encryption-config", flags.encryptionConfig, {
    log,
    parse: readEncryption,
    secret: true,
  });
  return {
    authentication,
    encryption,
    close() {
      authentication?.close();
      encryption?.close();
    },
  };
}

async function follow<T>(
  flag: string,
  file: string | undefined,
  how: { readonly log: Logger; readonly parse: (text: string) => T; readonly secret?: boolean },
): Promise<Followed<T> | undefined> {
  if (file === undefined) return undefined;
  try {
    return await Followed.open({ path: resolve(file), clock: systemClock, ...how });
  } catch (error) {
    throw new UsageError(`${flag} ${file}: ${(error as Error).message}`);
  }
}
