/** Deployment. Source: k8s.io/kubernetes/pkg/registry/apps/deployment, pkg/apis/apps/v1/defaults.go */
import { deepEqual } from "@atoll/machinery/equal";
import type { Deployment } from "../builtin/apps/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import {
  selectorCell,
  selectorColumn,
  setTemplateDefaults,
  templateCells,
  templateColumns,
} from "../core/podspec/template.ts";
import type { Strategy } from "../kind.ts";

const progressDeadlineSeconds = 600;
const revisionHistoryLimit = 10;
const quarter = "25%";

export const deployment: Strategy<Deployment> = {
  generation: true,
  setDefaults({ spec }) {
    spec.replicas ??= 1;
    spec.strategy.type ||= "RollingUpdate";
    if (spec.strategy.type === "RollingUpdate") {
      spec.strategy.rollingUpdate ??= {};
      spec.strategy.rollingUpdate.maxUnavailable ??= quarter;
      spec.strategy.rollingUpdate.maxSurge ??= quarter;
    }
    spec.revisionHistoryLimit ??= revisionHistoryLimit;
    spec.progressDeadlineSeconds ??= progressDeadlineSeconds;
    setTemplateDefaults(spec.template);
  },
  prepareForCreate(object) {
    object.status = {};
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  specChanged: (object, old) =>
    !deepEqual(object.spec, old.spec) || !deepEqual(object.metadata.annotations ?? {}, old.metadata.annotations ?? {}),
  status: {
    prepareForUpdate(object, old) {
      if (old.metadata.labels === undefined) delete object.metadata.labels;
      else object.metadata.labels = old.metadata.labels;
    },
  },
  scale: {
    replicas: ({ spec }) => spec.replicas ?? 0,
    setReplicas({ spec }, replicas) {
      spec.replicas = replicas;
    },
    statusReplicas: ({ status }) => status.replicas ?? 0,
    selector: ({ spec }) => selectorCell(spec.selector),
  },
  table: {
    columns: [
      nameColumn,
      column("Ready", "Pods that are ready, of all that are wanted."),
      column("Up-to-date", "Pods made from the newest template."),
      column("Available", "Pods that have been ready for minReadySeconds."),
      ageColumn,
      ...templateColumns,
      selectorColumn,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name ?? "",
      `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
      status.updatedReplicas ?? 0,
      status.availableReplicas ?? 0,
      age(metadata.creationTimestamp, nowMs),
      ...templateCells(spec.template),
      selectorCell(spec.selector),
    ],
  },
};
