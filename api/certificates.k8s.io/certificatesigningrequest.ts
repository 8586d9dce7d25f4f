/** CertificateSigningRequest. Source: k8s.io/kubernetes/pkg/registry/certificates/certificates */
import { deepEqual } from "@atoll/machinery/equal";
import { Path } from "@atoll/machinery/field";
import { nameRules } from "@atoll/machinery/names";
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from "../builtin/certificates.k8s.io/v1.types.ts";
import { age, ageColumn, column, humanDuration, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy, WriteContext } from "../kind.ts";
import { checkChange, checkConditions, checkSpec } from "./request-rules.ts";

const decisions: ReadonlySet<string> = new Set(["Approved", "Denied"]);

/** The rules of CertificateSigningRequests. Whose request it is, is told by who makes it; the spec never changes. */
export const certificateSigningRequest: Strategy<CertificateSigningRequest> = {
  // Any name will do, as long as it can be part of a path.
  nameErrors: (name) => nameRules.pathSegment(name, false),
  prepareForCreate(object, { user }) {
    const { username: _, uid: __, groups: ___, extra: ____, ...spec } = object.spec;
    const extra = Object.entries(user.extra ?? {}).map(([key, values]) => [key, [...values]]);
    object.spec = {
      ...spec,
      username: user.name,
      ...(user.uid === "" ? {} : { uid: user.uid }),
      groups: [...user.groups],
      ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) as Record<string, string[]> }),
    };
    object.status = {};
  },
  validate(object, errors) {
    checkSpec(object.spec, new Place(errors, Path.of("spec")));
    checkConditions(object.status.conditions, new Place(errors, Path.of("status")));
  },
  prepareForUpdate(object, old) {
    object.spec = structuredClone(old.spec);
    object.status = structuredClone(old.status);
  },
  validateUpdate: (object, old, errors) => checkChange(object, old, { errors, sets: "neither" }),
  status: {
    prepareForUpdate(object, old, context) {
      // Decisions have a path of their own.
      const others = (object.status.conditions ?? []).filter(({ type }) => !decisions.has(type));
      const kept = (old.status.conditions ?? []).filter(({ type }) => decisions.has(type));
      setConditions(object, [...kept, ...others], { old, context });
    },
    validateUpdate: (object, old, errors) => checkChange(object, old, { errors, sets: "certificate" }),
  },
  writes: {
    approval: {
      prepareForUpdate(object, old, context) {
        const conditions = object.status.conditions ?? [];
        object.spec = structuredClone(old.spec);
        object.status = structuredClone(old.status);
        setConditions(object, conditions, { old, context });
      },
      validateUpdate: (object, old, errors) => checkChange(object, old, { errors, sets: "decision" }),
    },
  },
  fields: { "spec.signerName": ({ spec }) => spec.signerName },
  table: {
    columns: [
      nameColumn,
      ageColumn,
      column("SignerName", "Who is to sign it."),
      column("Requestor", "Who asks for it."),
      column("RequestedDuration", "How long the certificate is to hold."),
      column("Condition", "Whether it is approved, denied, failed or issued."),
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name ?? "",
      age(metadata.creationTimestamp, nowMs),
      spec.signerName || "<none>",
      spec.username ?? "",
      spec.expirationSeconds === undefined ? "<none>" : humanDuration(spec.expirationSeconds * 1000),
      conditionCell(status),
    ],
  },
};

/** Conditions know when they were written and when their status changed. Source: populateConditionTimestamps */
function setConditions(
  object: CertificateSigningRequest,
  conditions: readonly CertificateSigningRequestCondition[],
  { old, context }: { old: CertificateSigningRequest; context: WriteContext },
): void {
  const { now } = context;
  const known = old.status.conditions ?? [];
  const made = conditions.map((condition) => {
    if (known.some((other) => deepEqual(other, condition))) return condition;
    const before = known.find(({ type, status }) => type === condition.type && status === condition.status);
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? now,
      lastTransitionTime: condition.lastTransitionTime ?? before?.lastTransitionTime ?? now,
    };
  });
  if (made.length === 0) delete object.status.conditions;
  else object.status.conditions = made;
}

function conditionCell({ conditions = [], certificate = "" }: CertificateSigningRequest["status"]): string {
  const has = (wanted: string) => conditions.some(({ type }) => type === wanted);
  const parts = [has("Denied") ? "Denied" : (has("Approved") && "Approved") || "Pending"];
  if (has("Failed")) parts.push("Failed");
  if (certificate !== "") parts.push("Issued");
  return parts.join(",");
}
