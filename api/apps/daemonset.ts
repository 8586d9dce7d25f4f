/** DaemonSet. Source: k8s.io/kubernetes/pkg/registry/apps/daemonset, pkg/apis/apps/v1/defaults.go */
import type { DaemonSet, DaemonSetStatus } from "../builtin/apps/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import {
  labelsCell,
  selectorCell,
  selectorColumn,
  setTemplateDefaults,
  templateCells,
  templateColumns,
} from "../core/podspec/template.ts";
import type { Strategy } from "../kind.ts";
import { countColumn } from "./replicaset.ts";

const noneYet: DaemonSetStatus = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
};

export const daemonSet: Strategy<DaemonSet> = {
  generation: true,
  setDefaults({ spec }) {
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    setTemplateDefaults(spec.template);
  },
  prepareForCreate(object) {
    object.status = { ...noneYet };
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  table: {
    columns: [
      nameColumn,
      countColumn("Desired", "Nodes that should run a pod of it."),
      countColumn("Current", "Nodes that run one."),
      countColumn("Ready", "Pods that are ready."),
      countColumn("Up-to-date", "Pods made from the newest template."),
      countColumn("Available", "Pods that have been ready for minReadySeconds."),
      column("Node Selector", "Labels of the nodes that should run a pod."),
      ageColumn,
      ...templateColumns,
      selectorColumn,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name ?? "",
      status.desiredNumberScheduled,
      status.currentNumberScheduled,
      status.numberReady,
      status.updatedNumberScheduled ?? 0,
      status.numberAvailable ?? 0,
      labelsCell(spec.template.spec.nodeSelector),
      age(metadata.creationTimestamp, nowMs),
      ...templateCells(spec.template),
      selectorCell(spec.selector),
    ],
  },
};
