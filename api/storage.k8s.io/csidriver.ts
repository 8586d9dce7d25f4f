/** CSIDriver. Source: k8s.io/kubernetes/pkg/apis/storage/v1/defaults.go, pkg/apis/storage/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import type { CSIDriver } from "../builtin/storage.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";

const lifecycles = ["Ephemeral", "Persistent"];
const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;
const updateSecondsMin = 10;
const groupPolicies = ["File", "None", "ReadWriteOnceWithFSType"];

/** The rules of CSIDrivers. */
export const csiDriver: Strategy<CSIDriver> = {
  setDefaults({ spec }) {
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
    if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ["Persistent"];
  },
  // A new driver has no generation; the first change of its specification gives it one.
  prepareForUpdate(object, old) {
    if (!deepEqual(object.spec, old.spec)) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
  },
  validate: check,
  validateUpdate(object, old, errors) {
    check(object, errors);
    const same =
      JSON.stringify(object.spec.volumeLifecycleModes ?? []) === JSON.stringify(old.spec.volumeLifecycleModes ?? []);
    if (!same)
      errors.invalid(Path.of("spec", "volumeLifecycleModes"), object.spec.volumeLifecycleModes, "field is immutable");
    if (object.spec.attachRequired !== old.spec.attachRequired) {
      errors.invalid(Path.of("spec", "attachedRequired"), object.spec.attachRequired, "field is immutable");
    }
  },
  warnings: ({ spec }, old) =>
    old === undefined && (spec.tokenRequests ?? []).length > 0 && spec.serviceAccountTokenInSecrets !== true
      ? [
          "spec.tokenRequests: service account tokens are passed in the volume context; set serviceAccountTokenInSecrets to true to have them passed as secrets",
        ]
      : [],
  table: {
    columns: [
      nameColumn,
      { ...column("AttachRequired", "Whether volumes are attached first."), type: "boolean" },
      { ...column("PodInfoOnMount", "Whether it is told of the pod."), type: "boolean" },
      { ...column("StorageCapacity", "Whether it says what room is left."), type: "boolean" },
      column("TokenRequests", "Audiences of the tokens it is given."),
      { ...column("RequiresRepublish", "Whether it is called again and again."), type: "boolean" },
      column("Modes", "Lifecycles of its volumes."),
      ageColumn,
    ],
    cells: ({ metadata, spec }, nowMs) => [
      metadata.name ?? "",
      spec.attachRequired ?? true,
      spec.podInfoOnMount ?? false,
      spec.storageCapacity ?? false,
      (spec.tokenRequests ?? []).map(({ audience }) => audience).join(",") || "<unset>",
      spec.requiresRepublish ?? false,
      (spec.volumeLifecycleModes ?? []).join(",") || "<none>",
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function check({ spec }: CSIDriver, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("spec"));
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (!lifecycles.includes(mode)) at.notSupported("volumeLifecycleModes", mode, lifecycles);
  }
  const { fsGroupPolicy } = spec;
  if (fsGroupPolicy === undefined) at.required("fsGroupPolicy");
  else if (!groupPolicies.includes(fsGroupPolicy)) at.notSupported("fsGroupPolicy", fsGroupPolicy, groupPolicies);
  checkTokenRequests(spec, at);
  const seconds = spec.nodeAllocatableUpdatePeriodSeconds;
  if (seconds !== undefined && seconds < updateSecondsMin) {
    at.invalid(
      "nodeAllocatableUpdatePeriodSeconds",
      seconds,
      `must be greater than or equal to ${updateSecondsMin} seconds`,
    );
  }
  if (spec.serviceAccountTokenInSecrets !== undefined && (spec.tokenRequests ?? []).length === 0) {
    at.invalid(
      "serviceAccountTokenInSecrets",
      spec.serviceAccountTokenInSecrets,
      "must not be set when tokenRequests is not set",
    );
  }
}

/** Source: validateTokenRequests */
function checkTokenRequests({ tokenRequests }: CSIDriver["spec"], at: Place): void {
  const audiences = new Set<string>();
  for (const [i, { audience, expirationSeconds }] of (tokenRequests ?? []).entries()) {
    const here = at.item("tokenRequests", i);
    if (audiences.has(audience)) here.duplicate("audience", audience);
    audiences.add(audience);
    if (expirationSeconds === undefined) continue;
    if (expirationSeconds < tokenSecondsMin) {
      here.invalid("expirationSeconds", expirationSeconds, "may not specify a duration less than 10 minutes");
    } else if (expirationSeconds > tokenSecondsMax) {
      here.invalid("expirationSeconds", expirationSeconds, "may not specify a duration larger than 2^32 seconds");
    }
  }
}
