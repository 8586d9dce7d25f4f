/**
 * AuthorizationConfiguration: who decides, and in which order.
 * Source: k8s.io/apiserver/pkg/apis/apiserver/{types.go,validation};
 * https://kubernetes.io/docs/reference/access-authn-authz/authorization/#using-configuration-file-for-authorization
 */
import { isAbsolute } from "node:path";
import { parseDuration } from "@atoll/machinery/cel/time";
import { FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123SubdomainErrors } from "@atoll/machinery/names";
import type { Schema } from "@atoll/machinery/schema/schema";
import { type ConfigurationKind, readConfiguration, refuseErrors } from "../../configuration/read.ts";
import { compileConditions, type Conditions } from "./conditions.ts";

/** A webhook that is asked. */
export interface WebhookRules {
  readonly name: string;
  /** How long answers are kept, ms; 0: not at all. */
  readonly allowedMs: number;
  readonly refusedMs: number;
  readonly timeoutMs: number;
  /** What a webhook that cannot be asked comes to. */
  readonly onFailure: "deny" | "no opinion";
  /** Absolute path of the kubeconfig that says where it is. */
  readonly kubeconfig: string;
  readonly conditions: Conditions;
}

/** One place in the order. */
export type ConfiguredAuthorizer = { readonly type: "Node" | "RBAC" } | ({ readonly type: "Webhook" } & WebhookRules);

/** A file that can be used. */
export interface AuthorizationFile {
  readonly authorizers: readonly ConfiguredAuthorizer[];
}

const string: Schema = { type: "string" };
const flag: Schema = { type: "boolean" };
const object = (properties: Readonly<Record<string, Schema>>): Schema => ({ type: "object", properties });
const list = (properties: Readonly<Record<string, Schema>>): Schema => ({ type: "array", items: object(properties) });

const webhook = object({
  authorizedTTL: string,
  cacheAuthorizedRequests: flag,
  unauthorizedTTL: string,
  cacheUnauthorizedRequests: flag,
  timeout: string,
  subjectAccessReviewVersion: string,
  matchConditionSubjectAccessReviewVersion: string,
  failurePolicy: string,
  connectionInfo: object({ type: string, kubeConfigFile: string }),
  matchConditions: list({ expression: string }),
});

const fileKind: ConfigurationKind = {
  kind: "AuthorizationConfiguration",
  apiVersions: ["apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1beta1"],
  properties: { authorizers: list({ type: string, name: string, webhook }) },
};

interface GivenWebhook {
  readonly authorizedTTL?: string;
  readonly cacheAuthorizedRequests?: boolean;
  readonly unauthorizedTTL?: string;
  readonly cacheUnauthorizedRequests?: boolean;
  readonly timeout?: string;
  readonly subjectAccessReviewVersion?: string;
  readonly matchConditionSubjectAccessReviewVersion?: string;
  readonly failurePolicy?: string;
  readonly connectionInfo?: { readonly type?: string; readonly kubeConfigFile?: string };
  readonly matchConditions?: readonly { readonly expression?: string }[];
}

interface Given {
  readonly type?: string;
  readonly name?: string;
  readonly webhook?: GivenWebhook;
}

const types = ["Node", "RBAC", "Webhook"];
const longestTimeoutMs = 30_000;

/** @throws {ConfigurationInvalid} */
export function readAuthorization(text: string): AuthorizationFile {
  const { authorizers: given = [] } = readConfiguration<{ readonly authorizers?: readonly Given[] }>(text, fileKind);
  const errors = new FieldErrors();
  const root = Path.of("authorizers");
  if (given.length === 0) errors.required(root, "at least one authorization mode must be defined");
  const authorizers = given.map((each, i) => read(each, given.slice(0, i), { at: root.index(i), errors }));
  refuseErrors(errors);
  return { authorizers };
}

interface Place {
  readonly at: Path;
  readonly errors: FieldErrors;
}

function read(given: Given, before: readonly Given[], place: Place): ConfiguredAuthorizer {
  const { at, errors } = place;
  const { type = "", name = "", webhook: hook } = given;
  if (type === "") errors.required(at.child("type"));
  else if (!types.includes(type)) errors.notSupported(at.child("type"), type, types);
  else if (type !== "Webhook" && before.some((each) => each.type === type)) errors.duplicate(at.child("type"), type);
  checkName(name, before, place);
  if (type !== "Webhook") {
    if (hook !== undefined) {
      errors.invalid(at.child("webhook"), "non-null", "may only be specified when type=Webhook");
    }
    return { type: type === "Node" ? "Node" : "RBAC" };
  }
  if (hook === undefined) errors.required(at.child("webhook"), "required when type=Webhook");
  return { type: "Webhook", ...readWebhook(name, hook ?? {}, place) };
}

function checkName(name: string, before: readonly Given[], { at, errors }: Place): void {
  const wrong = dns1123SubdomainErrors(name);
  if (name === "") errors.required(at.child("name"));
  else if (before.some((each) => each.name === name)) errors.duplicate(at.child("name"), name);
  else if (wrong.length > 0) {
    errors.invalid(at.child("name"), name, `authorizer name is invalid: ${wrong.join(", ")}`);
  }
}

function readWebhook(name: string, given: GivenWebhook, place: Place): WebhookRules {
  const { at, errors } = place;
  const within = (field: string) => ({ at: at.child(field), errors });
  const allowedMs = positive(given.authorizedTTL ?? "5m", within("authorizedTTL"));
  const refusedMs = positive(given.unauthorizedTTL ?? "30s", within("unauthorizedTTL"));
  const timeoutMs = positive(given.timeout ?? "", within("timeout"));
  if (timeoutMs > longestTimeoutMs) errors.invalid(at.child("timeout"), given.timeout, "must be > 0s and <= 30s");
  oneOf(given.subjectAccessReviewVersion, ["v1"], within("subjectAccessReviewVersion"));
  oneOf(given.failurePolicy, ["NoOpinion", "Deny"], within("failurePolicy"));
  const expressions = given.matchConditions ?? [];
  if (expressions.length > 0) {
    oneOf(given.matchConditionSubjectAccessReviewVersion, ["v1"], within("matchConditionSubjectAccessReviewVersion"));
  }
  return {
    name,
    allowedMs: given.cacheAuthorizedRequests === false ? 0 : allowedMs,
    refusedMs: given.cacheUnauthorizedRequests === false ? 0 : refusedMs,
    timeoutMs,
    onFailure: given.failurePolicy === "Deny" ? "deny" : "no opinion",
    kubeconfig: kubeconfigOf(given, place),
    conditions: compileConditions(
      expressions.map(({ expression = "" }) => expression),
      at.child("matchConditions"),
      errors,
    ),
  };
}

function kubeconfigOf({ connectionInfo = {} }: GivenWebhook, { at, errors }: Place): string {
  const { type, kubeConfigFile: path = "" } = connectionInfo;
  const connection = at.child("connectionInfo");
  oneOf(type, ["KubeConfigFile"], { at: connection.child("type"), errors });
  const file = connection.child("kubeConfigFile");
  if (path === "") errors.required(file);
  else if (!isAbsolute(path)) errors.invalid(file, path, "must be an absolute path");
  return path;
}

function oneOf(value: string | undefined, allowed: readonly string[], { at, errors }: Place): void {
  if (value === undefined || value === "") errors.required(at);
  else if (!allowed.includes(value)) errors.notSupported(at, value, allowed);
}

/** As Go writes durations: 1m30s. */
function positive(text: string, { at, errors }: Place): number {
  if (text === "") {
    errors.required(at);
    return 0;
  }
  const nanos = parseDuration(text)?.nanos ?? 0n;
  const ms = Number(nanos / 1_000_000n);
  if (ms <= 0) errors.invalid(at, text, "must be > 0s");
  return ms;
}
