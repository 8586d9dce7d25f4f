/** ReplicaSet. Source: k8s.io/kubernetes/pkg/registry/apps/replicaset */
import type { ReplicaSet } from "../builtin/apps/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import {
  selectorCell,
  selectorColumn,
  setTemplateDefaults,
  templateCells,
  templateColumns,
} from "../core/podspec/template.ts";
import type { Column, Strategy } from "../kind.ts";

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
  setDefaults({ spec }) {
    spec.replicas ??= 1;
    if (spec.template !== undefined) setTemplateDefaults(spec.template);
  },
  prepareForCreate(object) {
    object.status = { replicas: 0 };
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  scale: {
    replicas: ({ spec }) => spec.replicas ?? 0,
    setReplicas({ spec }, replicas) {
      spec.replicas = replicas;
    },
    statusReplicas: ({ status }) => status.replicas,
    selector: ({ spec }) => selectorCell(spec.selector),
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
      selectorCell(spec.selector),
    ],
  },
};
