/**
 * Bootstrap tokens: short-lived secrets with which a host joins.
 * Source: k8s.io/kubernetes/plugin/pkg/auth/authenticator/token/bootstrap, k8s.io/cluster-bootstrap/token;
 * https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens
 */
import { timingSafeEqual } from "node:crypto";
import type { Secret } from "@atoll/api/builtin/core/v1.types";
import { type Clock, parseTime } from "@atoll/machinery/clock";
import type { User } from "../call.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { findCached } from "./lookup.ts";
import { forServer, type TokenAuthenticator } from "./tokens.ts";

const namespace = "kube-system";
const type = "bootstrap.kubernetes.io/token";
const everyone = "system:bootstrappers";
const format = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupFormat = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** Takes `ID.SECRET` for as long as the Secret `bootstrap-token-ID` says. @param audiences the server's own names */
export function bootstrapTokens(catalogue: Catalogue, clock: Clock, audiences: readonly string[]): TokenAuthenticator {
  return forServer(audiences, async (token) => {
    const [, id, secret] = format.exec(token) ?? [];
    if (id === undefined || secret === undefined) return undefined;
    const found = await findCached(catalogue, "secrets", namespace, `bootstrap-token-${id}`);
    return found === undefined ? undefined : userOf(found as Secret, { id, secret }, clock.nowMs());
  });
}

function userOf(object: Secret, { id, secret }: { id: string; secret: string }, nowMs: number): User | undefined {
  if (object.type !== type || object.metadata.deletionTimestamp !== undefined) return undefined;
  const value = (key: string) => Buffer.from(object.data?.[key] ?? "", "base64");
  if (!equal(value("token-secret"), secret) || value("token-id").toString() !== id) return undefined;
  if (value("usage-bootstrap-authentication").toString() !== "true") return undefined;
  const expiration = value("expiration").toString();
  // A time that cannot be read is over.
  if (expiration !== "" && !(parseTime(expiration) > nowMs)) return undefined;
  const groups = extraGroups(value("auth-extra-groups").toString());
  if (groups === undefined) return undefined;
  return { name: `system:bootstrap:${id}`, uid: "", groups: [...groups, "system:authenticated"], extra: {} };
}

function equal(known: Buffer, given: string): boolean {
  return known.length === given.length && timingSafeEqual(known, Buffer.from(given));
}

/** Undefined when one of them may not be given so: then the whole token is not taken. */
function extraGroups(text: string): readonly string[] | undefined {
  const given = text === "" ? [] : text.split(",");
  return given.every((group) => groupFormat.test(group)) ? [...new Set([everyone, ...given])].sort() : undefined;
}
