/** DaemonSet. Source: k8s.io/kubernetes/pkg/registry/apps/daemonset, pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import type { DaemonSet, DaemonSetSpec, DaemonSetStatus, DaemonSetUpdateStrategy } from "../builtin/apps/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import {
  checkAtMostAll,
  checkCounts,
  checkKept,
  checkNotDecremented,
  checkSelected,
  checkShare,
  isEmpty,
  shareOf,
} from "../core/podspec/owner.ts";
import { Place } from "../core/podspec/place.ts";
import { checkSelector, isSelector } from "../core/podspec/selector.ts";
import {
  checkTemplate,
  labelsCell,
  selectorCell,
  selectorColumn,
  setTemplateDefaults,
  templateCells,
  templateColumns,
} from "../core/podspec/template.ts";
import { templateWarnings } from "../core/podspec/warnings.ts";
import type { Strategy } from "../kind.ts";
import { countColumn } from "./replicaset.ts";

const noneYet: DaemonSetStatus = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
};

const specPath = Path.of("spec");
const strategies = ["OnDelete", "RollingUpdate"];

/** Counts the templates a set has had; upstream keeps it in a field that apps/v1 has no name for. */
const templateGenerationKey = "deprecated.daemonset.template.generation";

export const daemonSet: Strategy<DaemonSet> = {
  fieldAnnotations: [templateGenerationKey],
  generation: true,
  warnings({ spec }, old) {
    if (old !== undefined && deepEqual(spec, old.spec)) return [];
    return templateWarnings(spec.template, specPath.child("template"));
  },
  revalidatesMetadata: true,
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
    const given = Number.parseInt(object.metadata.annotations?.[templateGenerationKey] ?? "", 10);
    setTemplateGeneration(object, given >= 1 ? given : 1);
  },
  validate: ({ spec }, errors) => checkSpec(spec, new Place(errors, specPath)),
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
    const before = Number(old.metadata.annotations?.[templateGenerationKey] ?? 0);
    setTemplateGeneration(object, deepEqual(object.spec.template, old.spec.template) ? before : before + 1);
  },
  validateUpdate({ spec }, old, errors) {
    const at = new Place(errors, specPath);
    checkSpec(spec, at);
    if (!deepEqual(spec.selector, old.spec.selector)) at.invalid("selector", spec.selector, "field is immutable");
  },
  status: { validateUpdate: checkStatus },
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

function setTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [templateGenerationKey]: String(generation) };
}

function checkSpec(spec: DaemonSetSpec, at: Place): void {
  const template = at.child("template");
  checkSelector(spec.selector, at.child("selector"));
  if (isSelector(spec.selector)) checkSelected(spec.template, spec.selector, template);
  if (spec.selector !== null && isEmpty(spec.selector)) {
    at.invalid("selector", spec.selector, "empty selector is invalid for daemonset");
  }
  checkTemplate(spec.template, template);
  checkKept(spec.template, "DaemonSet", template);
  at.nonNegative("minReadySeconds", spec.minReadySeconds);
  checkStrategy(spec.updateStrategy, at.child("updateStrategy"));
  at.nonNegative("revisionHistoryLimit", spec.revisionHistoryLimit);
}

function checkStrategy(strategy: DaemonSetUpdateStrategy, at: Place): void {
  const { type = "", rollingUpdate } = strategy;
  if (!strategies.includes(type)) return at.notSupported("", strategy, strategies);
  if (type !== "RollingUpdate") return;
  if (rollingUpdate === undefined) return at.required("rollingUpdate");
  const here = at.child("rollingUpdate");
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  for (const field of ["maxUnavailable", "maxSurge"] as const) {
    checkShare(rollingUpdate[field] ?? 0, here, field);
    checkAtMostAll(rollingUpdate[field] ?? 0, here, field);
  }
  const some = shareOf(maxUnavailable) !== 0;
  const more = shareOf(maxSurge) !== 0;
  if (some && more) here.invalid("maxSurge", maxSurge, "may not be set when maxUnavailable is non-zero");
  if (!some && !more) here.required("maxUnavailable", "cannot be 0 when maxSurge is 0");
}

const counts = [
  "currentNumberScheduled",
  "numberMisscheduled",
  "desiredNumberScheduled",
  "numberReady",
  "observedGeneration",
  "updatedNumberScheduled",
  "numberAvailable",
  "numberUnavailable",
  "collisionCount",
];

function checkStatus({ status }: DaemonSet, old: DaemonSet, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("status"));
  checkCounts(status, { counts, within: [], most: 0 }, at);
  checkNotDecremented(status.collisionCount, old.status.collisionCount, at);
}
