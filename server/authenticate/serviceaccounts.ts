/**
 * Tokens of service accounts: signing them, and finding out who shows one.
 * Source: k8s.io/kubernetes/pkg/serviceaccount/{jwt,claims}.go
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { type Clock, parseTime } from "@atoll/machinery/clock";
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

/** What signs and verifies tokens. Keys are rotated by signing with a new one and verifying with the old ones, too. */
export interface TokenKeys {
  /** PEM of a P-256 private key. */
  readonly signing: string;
  /** PEM of further public keys whose tokens hold; several in one text. */
  readonly verifying?: string;
}

interface Verifier {
  readonly id: string;
  readonly key: KeyObject;
}

/** A token whose signature holds; the rest is looked at each time. */
interface Signed {
  readonly claims: Claims;
  readonly user: User;
}

/** Signatures take longest to check, so tokens whose signature held are remembered, by their hash. */
const mostRemembered = 4_096;
/** Objects that are being deleted still vouch for tokens for a while. Source: legacy and bound validators */
const leewayMs = 60_000;

/** Signs tokens, and knows the users of those that hold. */
export class ServiceAccountTokens implements TokenAuthenticator {
  readonly #private: KeyObject;
  readonly #own: Verifier;
  readonly #verifiers: ReadonlyMap<string, Verifier>;
  readonly #catalogue: Catalogue;
  readonly #clock: Clock;
  readonly #signed = new Map<string, Signed>();

  constructor({ signing, verifying = "" }: TokenKeys, { catalogue, clock }: { catalogue: Catalogue; clock: Clock }) {
    this.#private = createPrivateKey(signing);
    this.#own = verifierOf(createPublicKey(this.#private));
    const pems = verifying.match(/-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/g) ?? [];
    const verifiers = [this.#own, ...pems.map((pem) => verifierOf(createPublicKey(pem)))];
    this.#verifiers = new Map(verifiers.map((each) => [each.id, each]));
    this.#catalogue = catalogue;
    this.#clock = clock;
  }

  /** The public keys as others verify with them. Source: RFC 7517 */
  get keySet(): object {
    const keys = [...this.#verifiers.values()].map(({ id, key }) => {
      return { use: "sig", kid: id, alg: "ES256", ...key.export({ format: "jwk" }) };
    });
    return { keys };
  }

  /** A signed token. Source: RFC 7519, RFC 7518 section 3.4 */
  sign(claims: Claims): string {
    const text = `${encode({ alg: "ES256", kid: this.#own.id, typ: "JWT" })}.${encode(claims)}`;
    return `${text}.${sign("sha256", Buffer.from(text), { key: this.#private, ...algorithm }).toString("base64url")}`;
  }

  /**
   * Whose token it is, if it is signed, in time, for one of the audiences, and all it is bound to is still there.
   * @param audiences whom the token has to be for, one of them at least
   */
  async verify(token: string, audiences: readonly string[]): Promise<Known | undefined> {
    const signed = this.#read(token);
    if (signed === undefined) return undefined;
    const { claims, user } = signed;
    const nowSeconds = this.#clock.nowMs() / 1000;
    const shared = claims.aud.filter((audience) => audiences.includes(audience));
    const inTime = claims.nbf <= nowSeconds && nowSeconds < claims.exp;
    if (claims.iss !== issuer || !inTime || shared.length === 0) return undefined;
    if (!(await this.#allThere(claims["kubernetes.io"]))) return undefined;
    return { user, audiences: shared };
  }

  #read(token: string): Signed | undefined {
    const digest = createHash("sha256").update(token).digest("base64");
    const known = this.#signed.get(digest);
    if (known !== undefined) return known;
    const claims = this.#check(token);
    if (claims === undefined) return undefined;
    const signed = { claims, user: userOf(claims) };
    const [oldest] = this.#signed.keys();
    if (this.#signed.size >= mostRemembered && oldest !== undefined) this.#signed.delete(oldest);
    this.#signed.set(digest, signed);
    return signed;
  }

  #check(token: string): Claims | undefined {
    const [head = "", body = "", signature = "", more] = token.split(".");
    if (signature === "" || more !== undefined) return undefined;
    try {
      const { alg, kid = "" } = decode(head) as { alg?: string; kid?: string };
      const verifier = this.#verifiers.get(kid);
      if (alg !== "ES256" || verifier === undefined) return undefined;
      const signed = Buffer.from(`${head}.${body}`);
      const key = { key: verifier.key, ...algorithm };
      return verify("sha256", signed, key, Buffer.from(signature, "base64url")) ? (decode(body) as Claims) : undefined;
    } catch {
      return undefined;
    }
  }

  async #allThere({ namespace, serviceaccount, pod, secret, node }: AccountClaims): Promise<boolean> {
    if (!(await this.#isThere("serviceaccounts", namespace, serviceaccount))) return false;
    if (pod !== undefined) return await this.#isThere("pods", namespace, pod);
    if (secret !== undefined) return await this.#isThere("secrets", namespace, secret);
    // Of a pod's token the node is told and not vouched for.
    return node === undefined || (await this.#isThere("nodes", "", node));
  }

  async #isThere(plural: string, namespace: string, { name, uid }: Bound): Promise<boolean> {
    const { metadata } = (await this.find(plural, namespace, name)) ?? {};
    if (metadata?.uid !== uid) return false;
    const { deletionTimestamp } = metadata;
    return deletionTimestamp === undefined || parseTime(deletionTimestamp) + leewayMs > this.#clock.nowMs();
  }

  /** An object of the core's group, as the cache has it; it may be up to a moment old. */
  async find(plural: string, namespace: string, name: string): Promise<ApiObject | undefined> {
    return await findCached(this.#catalogue, plural, namespace, name);
  }
}

function verifierOf(key: KeyObject): Verifier {
  return {
    id: createHash("sha256")
      .update(key.export({ type: "spki", format: "der" }))
      .digest("base64url"),
    key,
  };
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
