/** StatefulSet. Source: k8s.io/kubernetes/pkg/registry/apps/statefulset, pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123LabelErrors, nameRules } from "@atoll/machinery/names";
import type { StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy } from "../builtin/apps/v1.types.ts";
import type { PodTemplateSpec, Volume } from "../builtin/core/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { checkClaimSpec } from "../core/podspec/claimspec.ts";
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
  checkTemplateMetadata,
  selectorCell,
  setTemplateDefaults,
  templateCells,
  templateColumns,
} from "../core/podspec/template.ts";
import { templateWarnings } from "../core/podspec/warnings.ts";
import type { Strategy } from "../kind.ts";

const specPath = Path.of("spec");

export const statefulSet: Strategy<StatefulSet> = {
  generation: true,
  warnings({ spec }, old) {
    if (old !== undefined && deepEqual(spec, old.spec)) return [];
    return templateWarnings(spec.template, specPath.child("template"));
  },
  revalidatesMetadata: true,
  nameErrors: nameRules.dnsLabel,
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
  validate({ spec }, errors) {
    const at = new Place(errors, specPath);
    checkSpec(spec, at);
    for (const [i, claim] of (spec.volumeClaimTemplates ?? []).entries()) {
      checkClaimSpec(claim.spec, at.item("volumeClaimTemplates", i).child("spec"));
    }
    if (spec.serviceName !== "") at.each("serviceName", spec.serviceName, dns1123LabelErrors(spec.serviceName));
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate({ spec }, old, errors) {
    const at = new Place(errors, specPath);
    checkSpec(spec, at);
    if (deepEqual(fixedPart(spec), fixedPart(old.spec))) return;
    at.forbidden("", `updates to statefulset spec for fields other than ${changeable} are forbidden`);
  },
  status: { validateUpdate: checkStatus },
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

const changeable =
  "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'";

/** What never changes. */
function fixedPart(spec: StatefulSetSpec): unknown {
  const { selector, volumeClaimTemplates, serviceName, podManagementPolicy } = spec;
  return { selector, volumeClaimTemplates, serviceName, podManagementPolicy };
}

function checkSpec(spec: StatefulSetSpec, at: Place): void {
  const { podManagementPolicy: policy } = spec;
  if (policy !== "OrderedReady" && policy !== "Parallel") {
    at.invalid("podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'");
  }
  checkStrategy(spec.updateStrategy, at.child("updateStrategy"));
  const retention = at.child("persistentVolumeClaimRetentionPolicy");
  retention.oneOf("whenDeleted", spec.persistentVolumeClaimRetentionPolicy?.whenDeleted, retentions);
  retention.oneOf("whenScaled", spec.persistentVolumeClaimRetentionPolicy?.whenScaled, retentions);
  at.nonNegative("replicas", spec.replicas);
  at.nonNegative("minReadySeconds", spec.minReadySeconds);
  at.nonNegative("revisionHistoryLimit", spec.revisionHistoryLimit);
  if (spec.ordinals !== undefined) at.child("ordinals").nonNegative("start", spec.ordinals.start);
  if (!checkOwnSelector(spec.selector, "statefulset", at)) return;
  const template = at.child("template");
  checkSelected(spec.template, spec.selector, template);
  // Upstream looks at the template's metadata twice, and reports it twice.
  checkTemplateMetadata(spec.template, template);
  checkTemplate(withClaims(spec), template);
  checkKept(spec.template, "StatefulSet", template);
}

const retentions = ["Delete", "Retain"];

/** The template as its pods will be: with a volume for each claim, before those of its own. */
function withClaims({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec {
  if (volumeClaimTemplates.length === 0) return template;
  const claimed = volumeClaimTemplates.map(({ metadata: { name = "" } }): Volume => {
    return { name, persistentVolumeClaim: { claimName: name } };
  });
  const others = (template.spec.volumes ?? []).filter(({ name }) => !claimed.some((claim) => claim.name === name));
  return { ...template, spec: { ...template.spec, volumes: [...claimed, ...others] } };
}

function checkStrategy(strategy: StatefulSetUpdateStrategy, at: Place): void {
  const { type = "", rollingUpdate } = strategy;
  if (type === "OnDelete") {
    if (rollingUpdate !== undefined) {
      at.invalid("rollingUpdate", rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'");
    }
    return;
  }
  if (type !== "RollingUpdate") return at.invalid("", strategy, "must be 'RollingUpdate' or 'OnDelete'");
  if (rollingUpdate === undefined) return;
  const here = at.child("rollingUpdate");
  here.nonNegative("partition", rollingUpdate.partition);
  const { maxUnavailable: share } = rollingUpdate;
  if (share === undefined) return;
  checkShare(share, here, "maxUnavailable");
  if (shareOf(share) === 0) here.invalid("maxUnavailable", share, "cannot be 0");
  checkAtMostAll(share, here, "maxUnavailable");
}

const parts = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"];
const counts = ["replicas", ...parts, "observedGeneration", "collisionCount"];

function checkStatus({ status }: StatefulSet, old: StatefulSet, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("status"));
  checkCounts(status, { counts, within: parts, most: status.replicas }, at);
  const { availableReplicas, readyReplicas = 0 } = status;
  if (availableReplicas > readyReplicas) {
    at.invalid("availableReplicas", availableReplicas, "cannot be greater than status.readyReplicas");
  }
  checkNotDecremented(status.collisionCount, old.status.collisionCount, at);
}
