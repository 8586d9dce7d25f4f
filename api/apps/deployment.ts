/** Deployment. Source: k8s.io/kubernetes/pkg/registry/apps/deployment, pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import type { Deployment, DeploymentSpec, DeploymentStrategy } from "../builtin/apps/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import {
  checkAtMostAll,
  checkCounts,
  checkKept,
  checkNotDecremented,
  checkOwnSelector,
  checkSelected,
  checkShare,
  shareOf,
} from "../core/podspec/owner.ts";
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
import type { Strategy } from "../kind.ts";

const progressDeadlineSeconds = 600;
const revisionHistoryLimit = 10;
const quarter = "25%";
const specPath = Path.of("spec");
const strategies = ["Recreate", "RollingUpdate"];

export const deployment: Strategy<Deployment> = {
  generation: true,
  warnings({ metadata, spec }, old) {
    const named = old === undefined ? nameWarnings(metadata, "Pod names and hostnames") : [];
    if (old !== undefined && deepEqual(spec, old.spec)) return [];
    return [...named, ...templateWarnings(spec.template, specPath.child("template"))];
  },
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
  validate: ({ spec }, errors) => checkSpec(spec, new Place(errors, specPath)),
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate({ spec }, old, errors) {
    const at = new Place(errors, specPath);
    checkSpec(spec, at);
    if (!deepEqual(spec.selector, old.spec.selector)) at.invalid("selector", spec.selector, "field is immutable");
  },
  specChanged: (object, old) =>
    !deepEqual(object.spec, old.spec) || !deepEqual(object.metadata.annotations ?? {}, old.metadata.annotations ?? {}),
  status: {
    prepareForUpdate(object, old) {
      if (old.metadata.labels === undefined) delete object.metadata.labels;
      else object.metadata.labels = old.metadata.labels;
    },
    validateUpdate: checkStatus,
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

function checkSpec(spec: DeploymentSpec, at: Place): void {
  at.nonNegative("replicas", spec.replicas);
  if (checkOwnSelector(spec.selector, "deployment", at)) {
    const template = at.child("template");
    checkSelected(spec.template, spec.selector, template);
    checkTemplate(spec.template, template);
    checkKept(spec.template, "ReplicaSet", template);
  }
  checkStrategy(spec.strategy, at.child("strategy"));
  at.nonNegative("minReadySeconds", spec.minReadySeconds);
  at.nonNegative("revisionHistoryLimit", spec.revisionHistoryLimit);
  const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec;
  at.nonNegative("progressDeadlineSeconds", deadline);
  if (deadline !== undefined && deadline <= minReadySeconds) {
    at.invalid("progressDeadlineSeconds", deadline, "must be greater than minReadySeconds");
  }
}

function checkStrategy(strategy: DeploymentStrategy, at: Place): void {
  const { type = "", rollingUpdate } = strategy;
  if (!strategies.includes(type)) return at.notSupported("", strategy, strategies);
  if (type === "Recreate") {
    if (rollingUpdate !== undefined) {
      at.forbidden("rollingUpdate", "may not be specified when strategy `type` is 'Recreate'");
    }
    return;
  }
  if (rollingUpdate === undefined) return at.required("rollingUpdate", "this should be defaulted and never be nil");
  const here = at.child("rollingUpdate");
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  checkShare(maxUnavailable, here, "maxUnavailable");
  checkShare(maxSurge, here, "maxSurge");
  if (shareOf(maxUnavailable) === 0 && shareOf(maxSurge) === 0) {
    here.invalid("maxUnavailable", maxUnavailable, "may not be 0 when `maxSurge` is 0");
  }
  checkAtMostAll(maxUnavailable, here, "maxUnavailable");
}

const counts = [
  "observedGeneration",
  "replicas",
  "updatedReplicas",
  "readyReplicas",
  "availableReplicas",
  "unavailableReplicas",
  "terminatingReplicas",
  "collisionCount",
];
const parts = ["updatedReplicas", "readyReplicas", "availableReplicas"];

function checkStatus({ status }: Deployment, old: Deployment, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("status"));
  checkCounts(status, { counts, within: parts, most: status.replicas ?? 0 }, at);
  const { availableReplicas = 0, readyReplicas = 0 } = status;
  if (availableReplicas > readyReplicas) {
    at.invalid("availableReplicas", availableReplicas, "cannot be greater than readyReplicas");
  }
  checkNotDecremented(status.collisionCount, old.status.collisionCount, at);
}
