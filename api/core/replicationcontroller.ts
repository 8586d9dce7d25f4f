/** ReplicationController. Source: k8s.io/kubernetes/pkg/registry/core/replicationcontroller, pkg/apis/core/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { checkReplicaStatus, replicaColumns } from "../apps/replicaset.ts";
import type { ReplicationController } from "../builtin/core/v1.types.ts";
import { age } from "../cells.ts";
import type { Strategy } from "../kind.ts";
import { checkKept, checkSelected } from "./podspec/owner.ts";
import { Place } from "./podspec/place.ts";
import { checkTemplate, labelsCell, setTemplateDefaults, templateCells } from "./podspec/template.ts";
import { nameWarnings, templateWarnings } from "./podspec/warnings.ts";

/** The rules of ReplicationControllers. */
export const replicationController: Strategy<ReplicationController> = {
  generation: true,
  warnings({ metadata, spec }, old) {
    if (old !== undefined && deepEqual(spec, old.spec)) return [];
    const named = old === undefined ? nameWarnings(metadata, "Pod names and hostnames") : [];
    if (spec.template === undefined) return named;
    return [...named, ...templateWarnings(spec.template, Path.of("spec", "template"))];
  },
  revalidatesMetadata: true,
  defaultPropagation: "Orphan",
  setDefaults({ metadata, spec }) {
    const labels = spec.template?.metadata.labels;
    if (labels !== undefined) {
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
      if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
    }
    spec.replicas ??= 1;
    if (spec.template !== undefined) setTemplateDefaults(spec.template);
  },
  prepareForCreate(object) {
    object.status = { replicas: 0 };
  },
  validate: check,
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate: (object, _old, errors) => check(object, errors),
  status: {
    validateUpdate: ({ status }, _old, errors) => checkReplicaStatus(status, errors),
  },
  scale: {
    replicas: ({ spec }) => spec.replicas ?? 0,
    setReplicas({ spec }, replicas) {
      spec.replicas = replicas;
    },
    statusReplicas: ({ status }) => status.replicas,
    selector: ({ spec }) => selectorText(spec.selector),
  },
  fields: { "status.replicas": ({ status }) => String(status.replicas) },
  table: {
    columns: replicaColumns,
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name ?? "",
      spec.replicas ?? 0,
      status.replicas,
      status.readyReplicas ?? 0,
      age(metadata.creationTimestamp, nowMs),
      ...templateCells(spec.template),
      labelsCell(spec.selector),
    ],
  },
};

function selectorText(selector: Readonly<Record<string, string>> = {}): string {
  return Object.keys(selector).length === 0 ? "" : labelsCell(selector);
}

function check({ spec }: ReplicationController, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("spec"));
  const { selector = {}, template } = spec;
  at.nonNegative("minReadySeconds", spec.minReadySeconds);
  const empty = Object.keys(selector).length === 0;
  if (empty) at.required("selector");
  at.nonNegative("replicas", spec.replicas);
  if (template === undefined) return at.required("template");
  const here = at.child("template");
  if (!empty) checkSelected(template, { matchLabels: selector }, here);
  checkTemplate(template, here);
  checkKept(template, "ReplicationController", here);
}
