/** The server's configuration files: read before it starts, and followed while it runs. */
import { join, resolve } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import type { AuditOptions } from "@atoll/server/audit/auditor";
import { AuditFile } from "@atoll/server/audit/file";
import { readAuditPolicy } from "@atoll/server/audit/policy";
import { type Authentication, readAuthentication } from "@atoll/server/authenticate/oidc/configuration";
import { issuer } from "@atoll/server/authenticate/serviceaccounts";
import type { ConfiguredAuthorization } from "@atoll/server/authorize/authorization";
import { readAuthorization } from "@atoll/server/authorize/webhook/configuration";
import { Followed } from "@atoll/server/configuration/followed";
import { type Encryption, readEncryption } from "@atoll/server/encryption/configuration";
import type { Command } from "commander";
import { connectWebhook } from "./authorizationwebhook.ts";
import { UsageError } from "./flags.ts";
import type { Logger } from "./log.ts";

/** The flags that name the files. */
export interface ConfigurationFlags {
  readonly authenticationConfig?: string;
  readonly authorizationConfig?: string;
  readonly encryptionConfig?: string;
  readonly auditPolicy?: string;
  readonly auditLogPath?: string;
  /** MB */
  readonly auditLogMaxsize: number;
  /** Days. */
  readonly auditLogMaxage: number;
  readonly auditLogMaxbackup: number;
}

/** What the files say. */
export interface Configuration {
  readonly authentication: Followed<Authentication> | undefined;
  readonly authorization: ConfiguredAuthorization | undefined;
  readonly encryption: Followed<Encryption> | undefined;
  readonly audit: AuditOptions;
  /** Once the server is closed: what waits for the audit log is written. */
  close(): Promise<void>;
}

/**
 * @param data the data directory
 * @throws {UsageError} a file cannot be used
 */
export async function openConfiguration(flags: ConfigurationFlags, data: string, log: Logger): Promise<Configuration> {
  const parse = (text: string) => readAuthentication(text, [issuer]);
  const authentication = await follow("--authentication-config", flags.authenticationConfig, { log, parse });
  const authorizers = await follow("--authorization-config", flags.authorizationConfig, {
    log,
    parse: readAuthorization,
  });
  const encryption = await follow("--encryption-config", flags.encryptionConfig, {
    log,
    parse: readEncryption,
    secret: true,
  });
  const policy = await follow("--audit-policy", flags.auditPolicy, { log, parse: readAuditPolicy });
  const sink = await openAuditFile(flags, data, log);
  return {
    authentication,
    authorization: authorizers === undefined ? undefined : { file: authorizers, connect: connectWebhook },
    encryption,
    audit: { sink, policy },
    async close() {
      authentication?.close();
      authorizers?.close();
      encryption?.close();
      policy?.close();
      await sink.close();
    },
  };
}

const megabyte = 1024 * 1024;
const dayMs = 24 * 60 * 60 * 1000;

async function openAuditFile(flags: ConfigurationFlags, data: string, log: Logger): Promise<AuditFile> {
  return await AuditFile.open({
    path: resolve(flags.auditLogPath ?? join(data, "audit", "audit.log")),
    maxBytes: flags.auditLogMaxsize * megabyte,
    maxBackups: flags.auditLogMaxbackup,
    maxAgeMs: flags.auditLogMaxage * dayMs,
    clock: systemClock,
    onLoss: (lines, err) => log.error({ lines, err }, "audit events lost"),
  });
}

/** The flags of the configuration files, of whoever starts a server. */
export function withConfigurationFlags(command: Command): Command {
  return command
    .option("--authentication-config <file>", "AuthenticationConfiguration: issuers whose tokens are taken")
    .option("--authorization-config <file>", "AuthorizationConfiguration: who decides what may be done, in which order")
    .option("--encryption-config <file>", "EncryptionConfiguration: what is stored encrypted, and by which keys")
    .option("--audit-policy <file>", "audit Policy: of which requests how much is written down")
    .option("--audit-log-path <file>", "where (default: DIR/audit/audit.log)")
    .option("--audit-log-maxsize <mb>", "size at which the log is put aside", count, 100)
    .option("--audit-log-maxage <days>", "age at which logs put aside are deleted; 0 for never", count, 30)
    .option("--audit-log-maxbackup <n>", "logs put aside that are kept; 0 for all", count, 10);
}

/** A number that is none below 0. @throws {UsageError} */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new UsageError(`${JSON.stringify(text)} is no count`);
  return value;
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
