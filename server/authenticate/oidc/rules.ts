/**
 * From a token's claims to a user, by the rules of its issuer: claims by name, or expressions over them.
 * Source: k8s.io/apiserver/plugin/pkg/authenticator/token/oidc/oidc.go, …/pkg/authentication/cel
 */
import {
  claimsVariables,
  Compiler,
  type Declaration,
  type Program,
  toJson,
  userVariables,
} from "@atoll/machinery/cel/index";
import { spellType } from "@atoll/machinery/cel/types";
import type { FieldErrors, Path } from "@atoll/machinery/field";
import type { User } from "../../call.ts";
import type { JwtConfiguration, PrefixedClaim } from "./configuration.ts";

/** The claims of a token whose signature holds. */
export type Claims = Readonly<Record<string, unknown>>;

/** Says who a token's bearer is. @throws {TokenRefused} */
export type Rules = (claims: Claims) => User;

/** The claims are not such that their bearer may come in. */
export class TokenRefused extends Error {
  override readonly name = "TokenRefused";
}

type Reader<T> = (claims: Claims) => T;

/** Rules compiled; errors are added where the file is wrong, and then the rules must not be used. */
export function compileRules(given: JwtConfiguration, at: Path, errors: FieldErrors): Rules {
  const expressions = new Expressions(errors);
  const mappings = given.claimMappings ?? {};
  const place = at.child("claimMappings");
  const username = usernameReader(mappings.username ?? {}, place.child("username"), expressions);
  const groups = groupsReader(mappings.groups ?? {}, place.child("groups"), expressions);
  const uid = uidReader(mappings.uid ?? {}, place.child("uid"), expressions);
  const extra = extraReader(mappings.extra ?? [], place.child("extra"), expressions);
  const checks = claimChecks(given, at.child("claimValidationRules"), expressions);
  const userChecks = userChecksOf(given, at.child("userValidationRules"), expressions);
  requireVerifiedEmail(given, at, errors);
  return (claims) => {
    const name = username(claims);
    const known = { name, groups: groups(claims), uid: uid(claims), extra: extra(claims) };
    for (const check of checks) check(claims);
    for (const check of userChecks) check(known);
    return { ...known, groups: [...known.groups, "system:authenticated"] };
  };
}

function usernameReader(given: PrefixedClaim, at: Path, expressions: Expressions): Reader<string> {
  const { claim = "", prefix, expression = "" } = given;
  if (!oneOf(given, at, { expressions, required: true })) return () => "";
  if (expression !== "") return nonEmpty(expressions.string(expression, at.child("expression")));
  return nonEmpty((claims) => {
    const value = stringClaim(claims, claim);
    // An address that its owner has not shown to be theirs names nobody.
    const verified = claims["email_verified"];
    if (claim === "email" && verified !== undefined && verified !== true) throw new TokenRefused("email not verified");
    return value === "" ? "" : (prefix ?? "") + value;
  });
}

/** Upstream takes an empty name; here it is nobody's. */
function nonEmpty(read: Reader<string>): Reader<string> {
  return (claims) => {
    const name = read(claims);
    if (name === "") throw new TokenRefused("the user name is empty");
    return name;
  };
}

function groupsReader(given: PrefixedClaim, at: Path, expressions: Expressions): Reader<readonly string[]> {
  const { claim = "", prefix, expression = "" } = given;
  if (!oneOf(given, at, { expressions, required: false })) return () => [];
  if (expression !== "") return expressions.strings(expression, at.child("expression"));
  return (claims) => {
    const value = claims[claim];
    if (value === undefined || value === null) return [];
    const list = Array.isArray(value) ? value : [value];
    if (!list.every((each) => typeof each === "string")) throw new TokenRefused(`claim ${claim} is no list of strings`);
    return list.map((each) => (prefix ?? "") + each);
  };
}

function oneOf(
  given: PrefixedClaim,
  at: Path,
  { expressions: { errors }, required }: { expressions: Expressions; required: boolean },
): boolean {
  const { claim = "", expression = "" } = given;
  if (claim === "" && expression === "") {
    if (required) errors.required(at, "claim or expression is required");
    else if (given.prefix !== undefined) {
      errors.required(at.child("claim"), "non-empty claim name is required when prefix is set");
    }
    return false;
  }
  if (claim !== "" && expression !== "") errors.invalid(at, "", "claim and expression can't both be set");
  checkPrefix(given, at.child("prefix"), errors);
  return true;
}

/** A claim needs a prefix, even an empty one, so that nobody forgets that one issuer's names are not another's. */
function checkPrefix({ prefix, expression = "" }: PrefixedClaim, at: Path, errors: FieldErrors): void {
  if (expression !== "") {
    if (prefix !== undefined) errors.invalid(at, prefix, "prefix can't be set when expression is set");
  } else if (prefix === undefined) {
    const why = "prefix is required when claim is set. It can be set to an empty string to disable prefixing";
    errors.required(at, why);
  }
}

function uidReader(
  { claim = "", expression = "" }: { claim?: string; expression?: string },
  at: Path,
  expressions: Expressions,
): Reader<string> {
  if (claim !== "" && expression !== "") {
    expressions.errors.invalid(at, "", "claim and expression can't both be set");
  }
  if (expression !== "") return expressions.string(expression, at.child("expression"));
  return claim === "" ? () => "" : (claims) => stringClaim(claims, claim);
}

const reserved = /(^|\.)(k8s|kubernetes)\.io$/;
const keyFormat = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\/.+$/;

function extraReader(
  given: NonNullable<NonNullable<JwtConfiguration["claimMappings"]>["extra"]>,
  at: Path,
  expressions: Expressions,
): Reader<Readonly<Record<string, readonly string[]>>> {
  const readers = given.map(({ key = "", valueExpression = "" }, i) => {
    const place = at.index(i);
    const { errors } = expressions;
    if (!keyFormat.test(key)) errors.invalid(place.child("key"), key, "must be a domain-prefixed path, in lower case");
    else if (key !== key.toLowerCase()) errors.invalid(place.child("key"), key, "must be lowercase");
    if (reserved.test(key.split("/")[0] ?? "")) {
      const why = "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use";
      errors.invalid(place.child("key"), key, why);
    }
    if (given.findIndex((other) => other.key === key) < i) errors.duplicate(place.child("key"), key);
    if (valueExpression === "") errors.required(place.child("valueExpression"));
    return [key, expressions.strings(valueExpression, place.child("valueExpression"))] as const;
  });
  return (claims) => {
    const values = readers.map(([key, read]) => [key, read(claims)] as const);
    return Object.fromEntries(values.filter(([, list]) => list.length > 0));
  };
}

function claimChecks(
  { claimValidationRules = [] }: JwtConfiguration,
  at: Path,
  expressions: Expressions,
): readonly ((claims: Claims) => void)[] {
  const { errors } = expressions;
  return claimValidationRules.map(({ claim = "", requiredValue = "", expression = "", message }, i) => {
    const place = at.index(i);
    if (claim !== "" && expression !== "") errors.invalid(place, claim, "claim and expression can't both be set");
    if (claim === "" && expression === "") errors.required(place, "claim or expression is required");
    if (claim !== "" && message !== undefined) {
      errors.invalid(place.child("message"), message, "may not be specified when claim is set");
    }
    if (expression !== "" && requiredValue !== "") {
      errors.invalid(place.child("requiredValue"), requiredValue, "may not be specified when expression is set");
    }
    if (expression !== "") {
      return expressions.check(expression, place.child("expression"), { over: "claims", message });
    }
    return (claims: Claims) => {
      if (claims[claim] !== requiredValue) throw new TokenRefused(`claim ${claim} does not have the value required`);
    };
  });
}

function userChecksOf(
  { userValidationRules = [] }: JwtConfiguration,
  at: Path,
  expressions: Expressions,
): readonly ((user: User) => void)[] {
  return userValidationRules.map(({ expression = "", message }, i) => {
    const check = expressions.check(expression, at.index(i).child("expression"), { over: "user", message });
    return ({ name, uid, groups, extra }: User) => check({ username: name, uid, groups, extra });
  });
}

const usesEmail = /\bclaims\s*(\.\s*\??\s*email\b|\[\s*\??\s*["']email["'])/;
const usesVerified = /\bemail_verified\b/;

/** Whoever names users by an expression over their address has to ask whether the address is theirs. */
function requireVerifiedEmail(given: JwtConfiguration, at: Path, errors: FieldErrors): void {
  const { username, extra = [] } = given.claimMappings ?? {};
  const expression = username?.expression ?? "";
  if (!usesEmail.test(expression)) return;
  const rules = given.claimValidationRules ?? [];
  const all = [
    expression,
    ...extra.map((each) => each.valueExpression ?? ""),
    ...rules.map((rule) => rule.expression ?? ""),
  ];
  if (all.some((text) => usesVerified.test(text))) return;
  const why =
    "claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression";
  errors.invalid(at.child("claimMappings").child("username").child("expression"), expression, why);
}

function stringClaim(claims: Claims, claim: string): string {
  const value = claims[claim];
  if (typeof value !== "string") throw new TokenRefused(`claim ${claim} is no string`);
  return value;
}

/** Compiles the expressions of one file. */
class Expressions {
  readonly errors: FieldErrors;
  readonly #compiler = new Compiler();

  constructor(errors: FieldErrors) {
    this.errors = errors;
  }

  string(expression: string, at: Path): Reader<string> {
    const read = this.#compile(expression, at, { over: "claims", yields: ["string", "dyn"] });
    return (claims) => {
      const value = read(claims);
      if (typeof value !== "string") throw new TokenRefused(`${at.toString()} does not come to a string`);
      return value;
    };
  }

  /** One string or several; null and empty strings are none. */
  strings(expression: string, at: Path): Reader<readonly string[]> {
    const yields = ["string", "list(string)", "list(dyn)", "dyn", "null_type"];
    const read = this.#compile(expression, at, { over: "claims", yields });
    return (claims) => {
      const value = read(claims);
      const list = Array.isArray(value) ? value : [value ?? ""];
      if (!list.every((each) => typeof each === "string")) {
        throw new TokenRefused(`${at.toString()} does not come to a list of strings`);
      }
      return list.filter((each) => each !== "");
    };
  }

  check(
    expression: string,
    at: Path,
    { over, message }: { over: "claims" | "user"; message: string | undefined },
  ): (subject: Readonly<Record<string, unknown>>) => void {
    const read = this.#compile(expression, at, { over, yields: ["bool"] });
    return (subject) => {
      if (read(subject) !== true) throw new TokenRefused(message ?? `${at.toString()}: validation expression failed`);
    };
  }

  #compile(
    expression: string,
    at: Path,
    { over, yields }: { over: "claims" | "user"; yields: readonly string[] },
  ): (subject: Readonly<Record<string, unknown>>) => unknown {
    if (expression === "") {
      this.errors.required(at);
      return () => undefined;
    }
    const variables: Record<string, Declaration> = over === "claims" ? claimsVariables() : userVariables();
    const { program, message } = this.#compiler.compile(expression, { variables }) as {
      program?: Program;
      message?: string;
    };
    if (program === undefined) this.errors.invalid(at, expression, `compilation failed: ${message}`);
    else if (!yields.includes(spellType(program.type))) {
      this.errors.invalid(at, expression, `compilation failed: must evaluate to ${yields[0]}`);
    }
    return (subject) => {
      const outcome = program?.evaluate({ [over]: subject });
      if (outcome === undefined || outcome.error !== undefined) {
        throw new TokenRefused(`${at.toString()}: ${outcome?.error?.message}`);
      }
      return toJson(outcome.value);
    };
  }
}
