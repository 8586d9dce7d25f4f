/**
 * AdmissionReview: what webhooks are asked, and what their answers have to be.
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/request/admissionreview.go
 */
import { userInfoOf } from "../expressions/inputs.ts";
import type { Attributes, Matched } from "../matching/attributes.ts";
import type { Versioned } from "../matching/versions.ts";

/** The group versions spoken, by the version's name. */
const spoken: Readonly<Record<string, string>> = {
  v1: "admission.k8s.io/v1",
  v1beta1: "admission.k8s.io/v1beta1",
};

/** What a webhook decided. */
export interface Ruling {
  readonly allowed: boolean;
  /** A Status, when it gave one. */
  readonly status: Readonly<Record<string, unknown>> | undefined;
  /** Operations of a JSON patch; empty for none. */
  readonly patch: string;
  readonly patchType: string;
  readonly auditAnnotations: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/** An answer that is none; the message is upstream's. */
export class InvalidResponse extends Error {
  override readonly name = "InvalidResponse";
}

/** The version to speak: the first of the webhook's that is known. */
export function reviewVersion(accepted: readonly string[] | null): string | undefined {
  return (accepted ?? []).map((version) => spoken[version]).find((version) => version !== undefined);
}

/** What is asked. */
export function reviewOf(
  { uid, apiVersion }: { uid: string; apiVersion: string },
  { attributes, matched, objects }: { attributes: Attributes; matched: Matched; objects: Versioned },
): object {
  const { own, subresource, name, namespace, operation, request } = attributes;
  const kindOf = ({ kind: { group, version, kind } }: Matched) => ({ group, version, kind });
  const sub = subresource === "" ? {} : { subResource: subresource, requestSubResource: subresource };
  return {
    kind: "AdmissionReview",
    apiVersion,
    request: {
      uid,
      kind: kindOf(matched),
      resource: matched.resource,
      requestKind: kindOf(own),
      requestResource: own.resource,
      ...sub,
      ...(name === "" ? {} : { name }),
      ...(namespace === "" ? {} : { namespace }),
      operation,
      userInfo: userInfoOf(attributes),
      object: objects.object ?? null,
      oldObject: objects.old ?? null,
      dryRun: request.dryRun,
      options: request.options ?? null,
    },
  };
}

interface Answer {
  readonly kind?: unknown;
  readonly apiVersion?: unknown;
  readonly response?: Readonly<Record<string, unknown>> | null;
}

/** Reads an answer. v1beta1 says neither what it is nor what it answers. @throws {InvalidResponse} */
export function rulingOf(
  answer: unknown,
  { uid, apiVersion, mutating }: { uid: string; apiVersion: string; mutating: boolean },
): Ruling {
  const { kind, apiVersion: given, response } = (isRecord(answer) ? answer : {}) as Answer;
  if (!isRecord(response)) throw new InvalidResponse("webhook response was absent");
  const strict = apiVersion === spoken["v1"];
  if (strict && response["uid"] !== uid) {
    throw new InvalidResponse(`expected response.uid=${JSON.stringify(uid)}, got ${spell(response["uid"] ?? "")}`);
  }
  if (strict && (kind !== "AdmissionReview" || given !== apiVersion)) {
    const got = `${plain(given)}, Kind=${plain(kind)}`;
    throw new InvalidResponse(`expected webhook response of ${apiVersion}, Kind=AdmissionReview, got ${got}`);
  }
  return {
    allowed: response["allowed"] === true,
    status: isRecord(response["status"]) ? response["status"] : undefined,
    ...patchOf(response, { strict, mutating }),
    auditAnnotations: textsOf(response["auditAnnotations"]),
    warnings: Array.isArray(response["warnings"])
      ? response["warnings"].filter((text) => typeof text === "string")
      : [],
  };
}

function patchOf(
  { patch, patchType }: Readonly<Record<string, unknown>>,
  { strict, mutating }: { strict: boolean; mutating: boolean },
): { patch: string; patchType: string } {
  const given = typeof patch === "string" ? patch : "";
  const type = typeof patchType === "string" ? patchType : undefined;
  if (!strict) return { patch: mutating ? given : "", patchType: given === "" ? "" : "JSONPatch" };
  if (!mutating) {
    if (given !== "") throw new InvalidResponse("validating webhook may not return response.patch");
    if (type !== undefined) throw new InvalidResponse("validating webhook may not return response.patchType");
    return { patch: "", patchType: "" };
  }
  requireBoth(given, type);
  return { patch: given, patchType: type ?? "" };
}

function requireBoth(given: string, type: string | undefined): void {
  if (given !== "" && type === undefined) {
    throw new InvalidResponse("webhook returned response.patch but not response.patchType");
  }
  if (given === "" && type !== undefined) {
    throw new InvalidResponse("webhook returned response.patchType but not response.patch");
  }
  if (type === "") throw new InvalidResponse('webhook returned invalid response.patchType of ""');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

const spell = (value: unknown): string => JSON.stringify(value) ?? "";
const plain = (value: unknown): string => (typeof value === "string" ? value : "");
