/**
 * POST serviceaccounts/NAME/token: a token for the account.
 * Source: k8s.io/kubernetes/pkg/registry/core/serviceaccount/storage/token.go
 */
import { randomUUID } from "node:crypto";
import type { BoundObjectReference, TokenRequest } from "@atoll/api/builtin/authentication.k8s.io/v1.types";
import { builtinSchema } from "@atoll/api/schemas";
import { formatTime } from "@atoll/machinery/clock";
import { FieldErrors, Path } from "@atoll/machinery/field";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import { type AccountClaims, type Bound, issuer, type ServiceAccountTokens } from "../authenticate/serviceaccounts.ts";
import type { Call, Handler } from "../call.ts";
import { invalid } from "../registry/invalid.ts";
import { storedResource } from "../verbs/stored.ts";
import { answerReview, readReview } from "./answer.ts";

const group = "authentication.k8s.io";
const defaultSeconds = 3_600;
const leastSeconds = 600;
const mostSeconds = 2 ** 32;
/** Objects a token may be bound to, by kind. */
const bindable: Readonly<Record<string, string>> = { Pod: "pods", Secret: "secrets", Node: "nodes" };

/** @throws {StatusError} NotFound for the account or the bound object, Invalid, BadRequest, Conflict */
export function requestToken(tokens: ServiceAccountTokens): Handler {
  return async (call) => {
    const { kind } = call.served;
    const reviewed = {
      ...kind,
      group,
      version: "v1",
      kind: "TokenRequest",
      schema: builtinSchema(`${group}/v1`, "TokenRequest"),
    };
    const wanted = await readReview<TokenRequest>(call, reviewed);
    const { namespace, name } = call.info;
    const resource = storedResource(call);
    const account = resource.cache.object(await resource.get(namespace, name));
    const audiences = (wanted.spec.audiences ?? []).length === 0 ? [issuer] : (wanted.spec.audiences ?? []);
    const seconds = wanted.spec.expirationSeconds ?? defaultSeconds;
    checkSeconds(seconds);
    const nowMs = call.services.clock.nowMs();
    const now = Math.floor(nowMs / 1000);
    const bound = await boundTo(call, wanted.spec.boundObjectRef, tokens);
    const token = tokens.sign({
      aud: audiences,
      exp: now + seconds,
      iat: now,
      iss: issuer,
      jti: randomUUID(),
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${name}`,
      "kubernetes.io": { namespace, serviceaccount: boundOf(account), ...bound },
    });
    const made: TokenRequest = {
      kind: "TokenRequest",
      apiVersion: `${group}/v1`,
      metadata: { name, namespace, uid: randomUUID(), creationTimestamp: formatTime(nowMs) },
      spec: { audiences, expirationSeconds: seconds, boundObjectRef: wanted.spec.boundObjectRef },
      status: { token, expirationTimestamp: formatTime((now + seconds) * 1000) },
    };
    return answerReview(call, made);
  };
}

function checkSeconds(seconds: number): void {
  const errors = new FieldErrors();
  const at = Path.of("spec", "expirationSeconds");
  if (seconds < leastSeconds) errors.invalid(at, seconds, "may not specify a duration less than 10 minutes");
  if (seconds > mostSeconds) errors.invalid(at, seconds, "may not specify a duration larger than 2^32 seconds");
  if (!errors.ok) throw invalid({ group, kind: "TokenRequest" }, "", errors);
}

function boundOf({ metadata: { name = "", uid = "" } }: ApiObject): Bound {
  return { name, uid };
}

/** What the token dies with, beside its account. */
async function boundTo(
  call: Call,
  ref: BoundObjectReference | null,
  tokens: ServiceAccountTokens,
): Promise<Partial<AccountClaims>> {
  if (ref === null) return {};
  const { kind = "", apiVersion = "", name = "", uid = "" } = ref;
  const plural = apiVersion === "v1" ? bindable[kind] : undefined;
  if (plural === undefined) {
    throw new StatusError("BadRequest", `cannot bind token to object of type ${apiVersion}, Kind=${kind}`);
  }
  const object = await tokens.find(plural, plural === "nodes" ? "" : call.info.namespace, name);
  if (object === undefined) {
    throw new StatusError("NotFound", `${plural} ${JSON.stringify(name)} not found`, {
      details: { name, kind: plural },
    });
  }
  const bound = boundOf(object);
  if (uid !== "" && uid !== bound.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    const told = `Operation cannot be fulfilled on ${plural} ${JSON.stringify(name)}: ${why}`;
    throw new StatusError("Conflict", told, { details: { name, kind: plural } });
  }
  if (kind === "Secret") return { secret: bound };
  if (kind === "Node") return { node: bound };
  return { pod: bound, ...(await nodeOf(call, object, tokens)) };
}

/** The node of a pod, which has to run as the account. */
async function nodeOf(call: Call, pod: ApiObject, tokens: ServiceAccountTokens): Promise<{ node?: Bound }> {
  const { serviceAccountName = "default", nodeName = "" } = pod["spec"] as Record<string, string | undefined>;
  if (serviceAccountName !== call.info.name) {
    const why = "to pod running with different serviceaccount name.";
    throw new StatusError(
      "BadRequest",
      `cannot bind token for serviceaccount ${JSON.stringify(call.info.name)} ${why}`,
    );
  }
  if (nodeName === "") return {};
  const node = await tokens.find("nodes", "", nodeName);
  return { node: { name: nodeName, uid: node?.metadata.uid ?? "" } };
}
