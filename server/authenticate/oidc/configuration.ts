/**
 * AuthenticationConfiguration: who issues tokens that this server takes, and what their claims mean.
 * Source: k8s.io/apiserver/pkg/apis/apiserver/{types.go,validation};
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration
 */
import { X509Certificate } from "node:crypto";
import { FieldErrors, Path } from "@atoll/machinery/field";
import type { Schema } from "@atoll/machinery/schema/schema";
import { type ConfigurationKind, readConfiguration, refuseErrors } from "../../configuration/read.ts";
import { compileRules, type Rules } from "./rules.ts";

/** An issuer of tokens, and how it is reached. */
export interface IssuerConfiguration {
  readonly url?: string;
  readonly discoveryURL?: string;
  /** PEM; absent: the system's authorities. */
  readonly certificateAuthority?: string;
  readonly audiences?: readonly string[];
  readonly audienceMatchPolicy?: string;
}

/** A claim with a prefix, or an expression. */
export interface PrefixedClaim {
  readonly claim?: string;
  readonly prefix?: string;
  readonly expression?: string;
}

/** Tokens of one issuer. Nothing is sure to be there before it is checked. */
export interface JwtConfiguration {
  readonly issuer?: IssuerConfiguration;
  readonly claimValidationRules?: readonly {
    readonly claim?: string;
    readonly requiredValue?: string;
    readonly expression?: string;
    readonly message?: string;
  }[];
  readonly claimMappings?: {
    readonly username?: PrefixedClaim;
    readonly groups?: PrefixedClaim;
    readonly uid?: { readonly claim?: string; readonly expression?: string };
    readonly extra?: readonly { readonly key?: string; readonly valueExpression?: string }[];
  };
  readonly userValidationRules?: readonly { readonly expression?: string; readonly message?: string }[];
}

/** What may be asked by nobody in particular. */
export interface AnonymousConfiguration {
  readonly enabled: boolean;
  /** Exact paths; none: all. */
  readonly conditions?: readonly { readonly path: string }[];
}

/** A file that can be used. */
export interface Authentication {
  readonly issuers: readonly { readonly issuer: IssuerConfiguration; readonly rules: Rules }[];
  /** Undefined: as without a file. */
  readonly anonymous: AnonymousConfiguration | undefined;
}

const string: Schema = { type: "string" };
const strings: Schema = { type: "array", items: string };
const object = (properties: Readonly<Record<string, Schema>>): Schema => ({ type: "object", properties });
const list = (properties: Readonly<Record<string, Schema>>): Schema => ({ type: "array", items: object(properties) });
const prefixed = object({ claim: string, prefix: string, expression: string });

const fileKind: ConfigurationKind = {
  kind: "AuthenticationConfiguration",
  apiVersions: ["apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1beta1"],
  properties: {
    jwt: list({
      issuer: object({
        url: string,
        discoveryURL: string,
        certificateAuthority: string,
        audiences: strings,
        audienceMatchPolicy: string,
      }),
      claimValidationRules: list({ claim: string, requiredValue: string, expression: string, message: string }),
      claimMappings: object({
        username: prefixed,
        groups: prefixed,
        uid: object({ claim: string, expression: string }),
        extra: list({ key: string, valueExpression: string }),
      }),
      userValidationRules: list({ expression: string, message: string }),
    }),
    anonymous: object({ enabled: { type: "boolean" }, conditions: list({ path: string }) }),
  },
};

const mostIssuers = 64;

/**
 * @param own issuers that nobody else may be: the server's own
 * @throws {ConfigurationInvalid}
 */
export function readAuthentication(text: string, own: readonly string[]): Authentication {
  const file = readConfiguration<{
    readonly jwt?: readonly JwtConfiguration[];
    readonly anonymous?: Partial<AnonymousConfiguration>;
  }>(text, fileKind);
  const errors = new FieldErrors();
  const given = file.jwt ?? [];
  const root = Path.of("jwt");
  if (given.length > mostIssuers) errors.tooMany(root, given.length, mostIssuers);
  const issuers = given.map((each, i) => {
    const at = root.index(i);
    const issuer = each.issuer ?? {};
    checkIssuer(issuer, own, { at: at.child("issuer"), errors });
    if (given.findIndex((other) => other.issuer?.url === issuer.url) < i) {
      errors.duplicate(at.child("issuer").child("url"), issuer.url);
    }
    return { issuer, rules: compileRules(each, at, errors) };
  });
  const anonymous = checkAnonymous(file.anonymous, errors);
  refuseErrors(errors);
  return { issuers, anonymous };
}

interface Place {
  readonly at: Path;
  readonly errors: FieldErrors;
}

function checkIssuer(issuer: IssuerConfiguration, own: readonly string[], { at, errors }: Place): void {
  const { url = "", discoveryURL, certificateAuthority, audiences = [], audienceMatchPolicy = "" } = issuer;
  if (url === "") errors.required(at.child("url"));
  else checkUrl(url, { at: at.child("url"), errors });
  if (own.includes(url)) {
    errors.invalid(at.child("url"), url, `URL must not overlap with disallowed issuers: [${own.join(" ")}]`);
  }
  if (discoveryURL !== undefined) {
    if (discoveryURL.replace(/\/+$/, "") === url.replace(/\/+$/, "")) {
      errors.invalid(at.child("discoveryURL"), discoveryURL, "discoveryURL must be different from URL");
    }
    checkUrl(discoveryURL, { at: at.child("discoveryURL"), errors });
  }
  checkAudiences(audiences, audienceMatchPolicy, { at, errors });
  if (certificateAuthority !== undefined && !isCertificate(certificateAuthority)) {
    errors.invalid(at.child("certificateAuthority"), "<omitted>", "data does not contain any valid certificates");
  }
}

function checkAudiences(audiences: readonly string[], policy: string, { at, errors }: Place): void {
  const place = at.child("audiences");
  if (audiences.length === 0) errors.required(place, `at least one ${place.toString()} is required`);
  for (const [i, audience] of audiences.entries()) {
    if (audience === "") errors.required(place.index(i));
    if (audiences.indexOf(audience) < i) errors.duplicate(place.index(i), audience);
  }
  const allowed = audiences.length > 1 ? ["MatchAny"] : ["", "MatchAny"];
  if (allowed.includes(policy)) return;
  const why =
    audiences.length > 1 ? "must be MatchAny for multiple audiences" : "must be empty or MatchAny for single audience";
  errors.invalid(at.child("audienceMatchPolicy"), policy, `audienceMatchPolicy ${why}`);
}

function checkUrl(text: string, { at, errors }: Place): void {
  if (!URL.canParse(text)) return errors.invalid(at, text, "must be a URL");
  const { protocol, username, password, search, hash } = new URL(text);
  if (protocol !== "https:") errors.invalid(at, text, "URL scheme must be https");
  if (username !== "" || password !== "") errors.invalid(at, text, "URL must not contain a username or password");
  if (search !== "") errors.invalid(at, text, "URL must not contain a query");
  if (hash !== "") errors.invalid(at, text, "URL must not contain a fragment");
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

function checkAnonymous(
  given: Partial<AnonymousConfiguration> | undefined,
  errors: FieldErrors,
): AnonymousConfiguration | undefined {
  if (given === undefined) return undefined;
  const { enabled = false, conditions = [] } = given;
  if (!enabled && conditions.length > 0) {
    const why = "enabled should be set to true when conditions are defined";
    errors.invalid(Path.of("anonymous", "conditions"), conditions, why);
  }
  return { enabled, conditions };
}
