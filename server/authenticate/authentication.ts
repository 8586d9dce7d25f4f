/** How tokens are taken: the server's own, bootstrap tokens, and those of the issuers that a file names. */
import type { Clock } from "@atoll/machinery/clock";
import type { Followed } from "../configuration/followed.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { bootstrapTokens } from "./bootstrap.ts";
import type { Authentication } from "./oidc/configuration.ts";
import { IssuedTokens } from "./oidc/tokens.ts";
import { issuer, ServiceAccountTokens } from "./serviceaccounts.ts";
import { healthIsOpen } from "./stage.ts";
import { BearerTokens } from "./tokens.ts";

/** What authentication is made of. */
export interface AuthenticationOptions {
  readonly pki: { readonly serviceAccountKey: string; readonly serviceAccountPublicKeys: string };
  readonly clock: Clock;
  readonly log: { info(fields: object, text: string): void };
  readonly authentication?: Followed<Authentication> | undefined;
}

/** Those who know tokens, and what may be asked without any. */
export interface AuthenticationParts {
  readonly tokens: ServiceAccountTokens;
  readonly bearers: BearerTokens;
  readonly isOpen: (path: string) => boolean;
}

/** Puts the parts together. */
export function authentication(options: AuthenticationOptions, catalogue: Catalogue): AuthenticationParts {
  const { pki, clock, log, authentication: file } = options;
  const audiences = [issuer];
  const tokens = new ServiceAccountTokens(
    { signing: pki.serviceAccountKey, verifying: pki.serviceAccountPublicKeys },
    { catalogue, clock },
  );
  const onRefusal = (of: string, reason: string) => log.info({ issuer: of, reason }, "token refused");
  const issued = file === undefined ? [] : [new IssuedTokens(file, audiences, { clock, onRefusal })];
  const kinds = [tokens, bootstrapTokens(catalogue, clock, audiences), ...issued];
  return { tokens, bearers: new BearerTokens(kinds, audiences), isOpen: (path) => isOpen(path, file?.current) };
}

function isOpen(path: string, file: Authentication | undefined): boolean {
  const { anonymous } = file ?? {};
  if (anonymous === undefined) return healthIsOpen(path);
  const { enabled, conditions = [] } = anonymous;
  return enabled && (conditions.length === 0 || conditions.some((each) => each.path === path));
}
