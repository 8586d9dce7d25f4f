/**
 * Tokens of service accounts: signing them, and finding out who shows one.
 * Source: k8s.io/kubernetes/pkg/serviceaccount/{jwt,claims}.go
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { Clock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import type { User } from "../call.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { findCached } from "./lookup.ts";
import type { Known, TokenAuthenticator } from "./tokens.ts";

/** Who issues the tokens, and whom they are for when nothing else is said. */
export const issuer = "https://kubernetes.default.svc";

/** A name and the uid of the object that has it. */
export interface Bound {
  readonly name: string;
  readonly uid: string;
}

/** What a token says about the cluster. */
export interface AccountClaims {
  readonly namespace: string;
  readonly serviceaccount: Bound;
  readonly pod?: Bound;
  readonly secret?: Bound;
  readonly node?: Bound;
}

/** The claims of a token. Times are in seconds. */
export interface Claims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly iss: string;
  readonly jti: string;
  readonly nbf: number;
  readonly sub: string;
  readonly "kubernetes.io": AccountClaims;
}

const algorithm = { dsaEncoding: "ieee-p1363" } as const;

/** Signs tokens, and knows the users of those that hold. */
export class ServiceAccountTokens implements TokenAuthenticator {
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #keyId: string;
  readonly #catalogue: Catalogue;
  readonly #clock: Clock;

  /** @param key PEM of a P-256 private key */
  constructor(key: string, { catalogue, clock }: { catalogue: Catalogue; clock: Clock }) {
    this.#private = createPrivateKey(key);
    this.#public = createPublicKey(this.#private);
    const der = this.#public.export({ type: "spki", format: "der" });
    this.#keyId = createHash("sha256").update(der).digest("base64url");
    this.#catalogue = catalogue;
    this.#clock = clock;
  }

  /** The public key as others verify with it. Source: RFC 7517 */
  get keySet(): object {
    const key = { use: "sig", kid: this.#keyId, alg: "ES256", ...this.#public.export({ format: "jwk" }) };
    return { keys: [key] };
  }

  /** A signed token. Source: RFC 7519, RFC 7518 section 3.4 */
  sign(claims: Claims): string {
    const text = `${encode({ alg: "ES256", kid: this.#keyId, typ: "JWT" })}.${encode(claims)}`;
    return `${text}.${sign("sha256", Buffer.from(text), { key: this.#private, ...algorithm }).toString("base64url")}`;
  }

  /**
   * Whose token it is, if it is signed, in time, for one of the audiences, and all it is bound to is still there.
   * @param audiences whom the token has to be for, one of them at least
   */
  async verify(token: string, audiences: readonly string[]): Promise<Known | undefined> {
    const claims = this.#read(token);
    if (claims === undefined) return undefined;
    const nowSeconds = this.#clock.nowMs() / 1000;
    const shared = claims.aud.filter((audience) => audiences.includes(audience));
    const inTime = claims.nbf <= nowSeconds && nowSeconds < claims.exp;
    if (claims.iss !== issuer || !inTime || shared.length === 0) return undefined;
    if (!(await this.#allThere(claims["kubernetes.io"]))) return undefined;
    return { user: userOf(claims), audiences: shared };
  }

  #read(token: string): Claims | undefined {
    const [head = "", body = "", signature = "", more] = token.split(".");
    if (signature === "" || more !== undefined) return undefined;
    try {
      if ((decode(head) as { alg?: string }).alg !== "ES256") return undefined;
      const signed = Buffer.from(`${head}.${body}`);
      const key = { key: this.#public, ...algorithm };
      return verify("sha256", signed, key, Buffer.from(signature, "base64url")) ? (decode(body) as Claims) : undefined;
    } catch {
      return undefined;
    }
  }

  async #allThere({ namespace, serviceaccount, pod, secret }: AccountClaims): Promise<boolean> {
    if (!(await this.#isThere("serviceaccounts", namespace, serviceaccount))) return false;
    if (pod !== undefined && !(await this.#isThere("pods", namespace, pod))) return false;
    return secret === undefined || (await this.#isThere("secrets", namespace, secret));
  }

  async #isThere(plural: string, namespace: string, { name, uid }: Bound): Promise<boolean> {
    return (await this.find(plural, namespace, name))?.metadata.uid === uid;
  }

  /** An object of the core's group, as the cache has it; it may be up to a moment old. */
  async find(plural: string, namespace: string, name: string): Promise<ApiObject | undefined> {
    return await findCached(this.#catalogue, plural, namespace, name);
  }
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (text: string): unknown => JSON.parse(Buffer.from(text, "base64url").toString("utf8"));

/** Source: k8s.io/apiserver/pkg/authentication/serviceaccount */
function userOf({ jti, "kubernetes.io": { namespace, serviceaccount, pod, node } }: Claims): User {
  const extra: Record<string, string[]> = { "authentication.kubernetes.io/credential-id": [`JTI=${jti}`] };
  for (const [kind, bound] of Object.entries({ pod, node })) {
    if (bound === undefined) continue;
    extra[`authentication.kubernetes.io/${kind}-name`] = [bound.name];
    extra[`authentication.kubernetes.io/${kind}-uid`] = [bound.uid];
  }
  return {
    name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
    extra,
  };
}
