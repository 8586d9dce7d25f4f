/** Pod. Source: k8s.io/kubernetes/pkg/registry/core/pod/strategy.go */
import type { Pod } from "../builtin/core/v1.types.ts";
import type { Strategy } from "../kind.ts";
import { setPodSpecDefaults, setRequests } from "./podspec/defaults.ts";
import { qosClassOf } from "./podspec/qos.ts";
import { podTable } from "./podspec/row.ts";

export const pod: Strategy<Pod> = {
  generation: true,
  returnsDeleted: true,
  setDefaults({ spec }) {
    setPodSpecDefaults(spec);
    setRequests(spec);
    spec.enableServiceLinks ??= true;
  },
  prepareForCreate(object) {
    object.status = { phase: "Pending", qosClass: qosClassOf(object.spec) };
    if ((object.spec.schedulingGates ?? []).length > 0) object.status.conditions = [gatedCondition()];
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
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

function gatedCondition() {
  return {
    type: "PodScheduled",
    status: "False",
    reason: "SchedulingGated",
    message: "Scheduling is blocked due to non-empty scheduling gates",
    lastProbeTime: null,
    lastTransitionTime: null,
  };
}
