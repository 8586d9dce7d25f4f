/** StatefulSet. Source: k8s.io/kubernetes/pkg/registry/apps/statefulset, pkg/apis/apps/v1/defaults.go */
import type { StatefulSet } from "../builtin/apps/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { selectorCell, setTemplateDefaults, templateCells, templateColumns } from "../core/podspec/template.ts";
import type { Strategy } from "../kind.ts";

export const statefulSet: Strategy<StatefulSet> = {
  generation: true,
  setDefaults({ spec }) {
    spec.podManagementPolicy ||= "OrderedReady";
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.partition ??= 0;
    }
    spec.persistentVolumeClaimRetentionPolicy ??= {};
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    setTemplateDefaults(spec.template);
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion ||= "v1";
      claim.kind ||= "PersistentVolumeClaim";
      claim.spec.volumeMode ||= "Filesystem";
      claim.status.phase ||= "Pending";
    }
  },
  prepareForCreate(object) {
    object.status = { replicas: 0, availableReplicas: 0 };
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
  table: {
    columns: [
      nameColumn,
      column("Ready", "Pods that are ready, of all that are wanted."),
      ageColumn,
      ...templateColumns,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name ?? "",
      `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
      age(metadata.creationTimestamp, nowMs),
      ...templateCells(spec.template),
    ],
  },
};
