/** CSIDriver. Source: k8s.io/kubernetes/pkg/apis/storage/v1/defaults.go, pkg/apis/storage/validation */
import { type FieldErrors, Path } from "@atoll/machinery/field";
import type { CSIDriver } from "../builtin/storage.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";

const lifecycles = ["Ephemeral", "Persistent"];
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
  validate: check,
  validateUpdate(object, old, errors) {
    check(object, errors);
    const same =
      JSON.stringify(object.spec.volumeLifecycleModes ?? []) === JSON.stringify(old.spec.volumeLifecycleModes ?? []);
    if (!same)
      errors.invalid(Path.of("spec", "volumeLifecycleModes"), object.spec.volumeLifecycleModes, "field is immutable");
    if (object.spec.attachRequired !== old.spec.attachRequired) {
      errors.invalid(Path.of("spec", "attachRequired"), object.spec.attachRequired, "field is immutable");
    }
  },
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
  at.oneOf("fsGroupPolicy", spec.fsGroupPolicy, groupPolicies);
}
