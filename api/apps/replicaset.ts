/** ReplicaSet. Source: k8s.io/kubernetes/pkg/registry/apps/replicaset, pkg/apis/apps/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import type { ReplicaSet, ReplicaSetSpec, ReplicaSetStatus } from "../builtin/apps/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { checkCounts, checkKept, checkOwnSelector, checkSelected } from "../core/podspec/owner.ts";
import { Place } from "../core/podspec/place.ts";
import {
  checkTemplate,
  selectorCell,
  selectorColumn,
  setTemplateDefaults,
  templateCells,
  templateColumns,
} from "../core/podspec/template.ts";
import { nameWarnings, templateWarnings } from "../core/podspec/warnings.ts";
import type { Column, Strategy } from "../kind.ts";

const specPath = Path.of("spec");

/** A column of a count. */
export function countColumn(name: string, description: string): Column {
  return { ...column(name, description), type: "integer" };
}

/** Columns of what keeps a number of pods: ReplicaSets and ReplicationControllers. */
export const replicaColumns: readonly Column[] = [
  nameColumn,
  countColumn("Desired", "Pods wanted."),
  countColumn("Current", "Pods there are."),
  countColumn("Ready", "Pods that are ready."),
  ageColumn,
  ...templateColumns,
  selectorColumn,
];

/** The rules of ReplicaSets. */
export const replicaSet: Strategy<ReplicaSet> = {
  generation: true,
  warnings({ metadata, spec }, old) {
    const named = old === undefined ? nameWarnings(metadata, "Pod names and hostnames") : [];
    if (old !== undefined && deepEqual(spec, old.spec)) return [];
    return [...named, ...templateWarnings(spec.template, specPath.child("template"))];
  },
  revalidatesMetadata: true,
  setDefaults({ spec }) {
    spec.replicas ??= 1;
    if (spec.template !== undefined) setTemplateDefaults(spec.template);
  },
  prepareForCreate(object) {
    object.status = { replicas: 0 };
  },
  validate: ({ spec }, errors) => checkSpec(spec, new Place(errors, specPath)),
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate({ spec }, old, errors) {
    const at = new Place(errors, specPath);
    checkSpec(spec, at);
    if (!deepEqual(spec.selector, old.spec.selector)) at.invalid("selector", spec.selector, "field is immutable");
  },
  status: {
    validateUpdate: ({ status }, _old, errors) => checkReplicaStatus(status, errors),
  },
  scale: {
    replicas: ({ spec }) => spec.replicas ?? 0,
    setReplicas({ spec }, replicas) {
      spec.replicas = replicas;
    },
    statusReplicas: ({ status }) => status.replicas,
    selector: ({ spec }) => selectorCell(spec.selector),
  },
  table: {
    columns: replicaColumns,
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name ?? "",
      spec.replicas ?? 0,
      status.replicas,
      status.readyReplicas ?? 0,
      age(metadata.creationTimestamp, nowMs),
      ...templateCells(spec.template),
      selectorCell(spec.selector),
    ],
  },
};

function checkSpec(spec: ReplicaSetSpec, at: Place): void {
  at.nonNegative("replicas", spec.replicas);
  at.nonNegative("minReadySeconds", spec.minReadySeconds);
  if (!checkOwnSelector(spec.selector, "deployment", at)) return;
  const template = at.child("template");
  checkSelected(spec.template, spec.selector, template);
  checkTemplate(spec.template, template);
  checkKept(spec.template, "ReplicaSet", template);
}

const parts = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];
const counts = ["replicas", ...parts, "terminatingReplicas", "observedGeneration"];

/** The status of what keeps a number of pods. Source: ValidateReplicaSetStatus */
export function checkReplicaStatus(status: ReplicaSetStatus, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("status"));
  checkCounts(status, { counts, within: parts, most: status.replicas }, at);
  const { availableReplicas = 0, readyReplicas = 0 } = status;
  if (availableReplicas > readyReplicas) {
    at.invalid("availableReplicas", availableReplicas, "cannot be greater than readyReplicas");
  }
}
