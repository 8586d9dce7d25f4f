/** FlowSchema. Source: k8s.io/kubernetes/pkg/registry/flowcontrol/flowschema, pkg/apis/flowcontrol/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { Path } from "@atoll/machinery/field";
import { dns1123SubdomainErrors } from "@atoll/machinery/names";
import type { FlowSchema, FlowSchemaSpec } from "../builtin/flowcontrol.apiserver.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { mandatoryFlowSchemas } from "./bootstrap.ts";
import { checkConditionTypes } from "./conditions.ts";
import { checkRules } from "./flow-rules.ts";

const defaultPrecedence = 1000;
const maxPrecedence = 10_000;
const methods = ["ByNamespace", "ByUser"];

/** The rules of FlowSchemas. */
export const flowSchema: Strategy<FlowSchema> = {
  generation: true,
  setDefaults({ spec }) {
    if (spec.matchingPrecedence === 0) spec.matchingPrecedence = defaultPrecedence;
  },
  prepareForCreate(object) {
    object.status = {};
  },
  validate({ metadata, spec }, errors) {
    const at = new Place(errors, Path.of("spec"));
    const { name = "" } = metadata;
    checkSpec(spec, name, at);
    const fixed = mandatoryFlowSchemas.find((schema) => schema.name === name);
    if (fixed !== undefined && !deepEqual(fixed.spec, spec)) {
      at.invalid("", spec, `spec of '${name}' must equal the fixed value`);
    }
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate: (object, _, errors) => flowSchema.validate?.(object, errors),
  status: {
    validateUpdate: ({ status }, _, errors) =>
      checkConditionTypes(status.conditions, new Place(errors, Path.of("status"))),
  },
  table: {
    columns: [
      nameColumn,
      column("PriorityLevel", "The priority level of requests that match."),
      column("MatchingPrecedence", "Of schemas that match, the one with the lowest counts."),
      column("DistinguisherMethod", "How the requests are told apart into flows."),
      ageColumn,
      column("MissingPL", "Whether its priority level is missing."),
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name ?? "",
      spec.priorityLevelConfiguration.name,
      spec.matchingPrecedence,
      spec.distinguisherMethod?.type ?? "<none>",
      age(metadata.creationTimestamp, nowMs),
      (status.conditions ?? []).find(({ type }) => type === "Dangling")?.status ?? "?",
    ],
  },
};

function checkSpec(spec: FlowSchemaSpec, name: string, at: Place): void {
  const { matchingPrecedence: precedence, distinguisherMethod: method } = spec;
  if (precedence <= 0) at.invalid("matchingPrecedence", precedence, "must be a positive value");
  if (precedence > maxPrecedence) at.invalid("matchingPrecedence", precedence, "must not be greater than 10000");
  if (precedence === 1 && name !== "exempt") {
    at.invalid("matchingPrecedence", precedence, "only the schema named 'exempt' may have matchingPrecedence 1");
  }
  if (method !== undefined && !methods.includes(method.type)) {
    at.child("distinguisherMethod").notSupported("type", method.type, methods);
  }
  const level = spec.priorityLevelConfiguration.name;
  const place = at.child("priorityLevelConfiguration");
  if (level === "") place.required("name", "must reference a priority level");
  else place.each("name", level, dns1123SubdomainErrors(level));
  for (const [i, rules] of (spec.rules ?? []).entries()) checkRules(rules, at.item("rules", i));
}
