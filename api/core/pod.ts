/** Pod. Source: k8s.io/kubernetes/pkg/registry/core/pod/strategy.go, pkg/apis/core/validation (ValidatePodCreate) */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import type { Pod } from "../builtin/core/v1.types.ts";
import type { Strategy } from "../kind.ts";
import { checkPodAnnotations, checkProfilesMatch, mirrorKey } from "./podspec/annotations.ts";
import { setHostPorts, setPodRequests, setPodSpecDefaults, setRequests } from "./podspec/defaults.ts";
import { Place } from "./podspec/place.ts";
import { matchAppArmor, mergeLabelKeys } from "./podspec/prepare.ts";
import { qosClassOf } from "./podspec/qos.ts";
import { checkResize, keepAllButResources } from "./podspec/resize.ts";
import { podTable } from "./podspec/row.ts";
import { checkPodSpec } from "./podspec/spec.ts";
import { checkPodStatus } from "./podspec/status.ts";
import { checkAnnotationsKept, checkPodChange } from "./podspec/update.ts";

import { nameWarnings, podWarnings } from "./podspec/warnings.ts";

const specPath = Path.of("spec");
const metadataPath = Path.of("metadata");

export const pod: Strategy<Pod> = {
  generation: true,
  revalidatesMetadata: true,
  returnsDeleted: true,
  warnings(object, old) {
    if (old !== undefined && deepEqual(object.spec, old.spec)) return [];
    return [...(old === undefined ? nameWarnings(object.metadata, "the Pod's hostname") : []), ...podWarnings(object)];
  },
  setDefaults({ spec }) {
    if (spec.hostNetwork === true) setHostPorts(spec);
    setPodSpecDefaults(spec);
    setRequests(spec);
    setPodRequests(spec);
    spec.enableServiceLinks ??= true;
  },
  prepareForCreate(object, { now }) {
    object.status = { phase: "Pending", qosClass: qosClassOf(object.spec) };
    if ((object.spec.schedulingGates ?? []).length > 0) object.status.conditions = [gatedCondition(now)];
    mergeLabelKeys(object);
    matchAppArmor(object);
  },
  validate(object, errors) {
    checkPod(object, errors);
    const at = new Place(errors, specPath);
    if ((object.spec.ephemeralContainers ?? []).length > 0)
      at.forbidden("ephemeralContainers", "cannot be set on create");
    if (object.spec.nodeName && (object.spec.schedulingGates ?? []).length > 0) {
      at.forbidden("nodeName", "cannot be set until all schedulingGates have been cleared");
    }
    checkProfilesMatch(object.metadata, object.spec, at);
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate(object, old, errors) {
    checkPod(object, errors);
    checkAnnotationsKept(object, old, new Place(errors, metadataPath));
    checkPodChange(object, old, new Place(errors, specPath));
  },
  status: {
    prepareForUpdate(object, old) {
      const { deletionTimestamp, ownerReferences } = old.metadata;
      if (deletionTimestamp === undefined) delete object.metadata.deletionTimestamp;
      if (ownerReferences === undefined) delete object.metadata.ownerReferences;
      else object.metadata.ownerReferences = ownerReferences;
      const { qosClass } = old.status;
      if (qosClass !== undefined && !object.status.qosClass) object.status.qosClass = qosClass;
    },
    validateUpdate(object, old, errors) {
      checkAnnotationsKept(object, old, new Place(errors, metadataPath));
      checkPodStatus(object, old, new Place(errors, Path.root));
    },
  },
  writes: {
    ephemeralcontainers: {
      prepareForUpdate(object, old) {
        const { ephemeralContainers } = object.spec;
        object.metadata = { ...structuredClone(old.metadata), ...versionOf(object) };
        object.spec = structuredClone(old.spec);
        object.status = structuredClone(old.status);
        if (ephemeralContainers === undefined) delete object.spec.ephemeralContainers;
        else object.spec.ephemeralContainers = ephemeralContainers;
      },
      validateUpdate: checkEphemeralUpdate,
    },
    resize: {
      prepareForUpdate(object, old) {
        keepAllButResources(object, old);
        object.metadata = { ...structuredClone(old.metadata), ...versionOf(object) };
      },
      validateUpdate(object, old, errors) {
        checkPod(object, errors);
        checkResize(object, old, new Place(errors, Path.root));
      },
    },
  },
  /** A pod that was never given to a node, or is over, goes at once. */
  graceSeconds({ spec, status }, asked) {
    const wanted = asked ?? spec.terminationGracePeriodSeconds ?? 30;
    const over = status.phase === "Failed" || status.phase === "Succeeded";
    return !spec.nodeName || over ? 0 : Math.max(wanted, 0);
  },
  fields: {
    "spec.nodeName": ({ spec }) => spec.nodeName ?? "",
    "spec.restartPolicy": ({ spec }) => spec.restartPolicy ?? "",
    "spec.schedulerName": ({ spec }) => spec.schedulerName ?? "",
    "spec.serviceAccountName": ({ spec }) => spec.serviceAccountName ?? "",
    "spec.hostNetwork": ({ spec }) => String(spec.hostNetwork ?? false),
    "status.phase": ({ status }) => status.phase ?? "",
    "status.podIP": ({ status }) => status.podIPs?.[0]?.ip ?? status.podIP ?? "",
    "status.podIPs": ({ status }) => (status.podIPs ?? []).map(({ ip }) => ip).join(","),
    "status.nominatedNodeName": ({ status }) => status.nominatedNodeName ?? "",
  },
  table: podTable,
};

/** Rules within a pod, new or changed. Source: validatePodMetadataAndSpec */
function checkPod({ metadata, spec }: Pod, errors: FieldErrors): void {
  const at = new Place(errors, specPath);
  if (metadata.annotations !== undefined) checkPodAnnotations(metadata, spec, new Place(errors, metadataPath));
  checkPodSpec(spec, at, { pod: true, name: metadata.name });
  if (spec.serviceAccountName) return;
  for (const [i, { projected }] of (spec.volumes ?? []).entries()) {
    for (const [j, { serviceAccountToken }] of (projected?.sources ?? []).entries()) {
      if (serviceAccountToken === undefined) continue;
      const here = at.item("volumes", i).child("projected").item("sources", j);
      here.forbidden("serviceAccountToken", "must not be specified when serviceAccountName is not set");
    }
  }
}

/** Ephemeral containers come, and never change or go. Source: ValidatePodEphemeralContainersUpdate */
function checkEphemeralUpdate(object: Pod, old: Pod, errors: FieldErrors): void {
  checkPod(object, errors);
  const at = new Place(errors, specPath);
  if (old.metadata.annotations?.[mirrorKey] !== undefined) {
    errors.forbidden(Path.root, "static pods do not support ephemeral containers");
  }
  for (const before of old.spec.ephemeralContainers ?? []) {
    const now = object.spec.ephemeralContainers?.find(({ name }) => name === before.name);
    const shown = JSON.stringify(before.name);
    if (now === undefined)
      at.forbidden("ephemeralContainers", `existing ephemeral containers ${shown} may not be removed`);
    else if (!deepEqual(now, before)) {
      at.forbidden("ephemeralContainers", `existing ephemeral containers ${shown} may not be changed`);
    }
  }
}

/** What the registry has to see of the caller's metadata, whatever else is kept. */
function versionOf({ metadata }: Pod): Pick<Pod["metadata"], "resourceVersion" | "managedFields"> {
  const { resourceVersion, managedFields } = metadata;
  return {
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(managedFields === undefined ? {} : { managedFields }),
  };
}

function gatedCondition(now: string) {
  return {
    type: "PodScheduled",
    status: "False",
    reason: "SchedulingGated",
    message: "Scheduling is blocked due to non-empty scheduling gates",
    lastProbeTime: null,
    lastTransitionTime: now,
  };
}
