/** RuntimeClass. Source: k8s.io/kubernetes/pkg/registry/node/runtimeclass, pkg/apis/node/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123LabelErrors } from "@atoll/machinery/names";
import { checkLabels } from "@atoll/machinery/objectmeta";
import type { RuntimeClass } from "../builtin/node.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import { checkResources } from "../core/podspec/resources.ts";
import { checkTolerations } from "../core/podspec/scheduling.ts";
import type { Strategy } from "../kind.ts";

/** The rules of RuntimeClasses. */
export const runtimeClass: Strategy<RuntimeClass> = {
  validate({ handler, overhead, scheduling }, errors) {
    const at = new Place(errors, Path.root);
    if (handler === "") at.required("handler");
    else at.each("handler", handler, dns1123LabelErrors(handler));
    if (overhead !== undefined) {
      const rules = { claims: new Set<string>() };
      checkResources({ limits: overhead.podFixed ?? {} }, rules, at.child("overhead"));
    }
    if (scheduling !== undefined) checkScheduling(scheduling, errors);
  },
  revalidatesMetadata: true,
  validateUpdate(object, old, errors) {
    const { handler } = object;
    runtimeClass.validate?.(object, errors);
    if (handler !== old.handler) errors.invalid(Path.of("handler"), handler, "field is immutable");
  },
  table: {
    columns: [nameColumn, column("Handler", "What runs its pods."), ageColumn],
    cells: ({ metadata, handler }, nowMs) => [metadata.name ?? "", handler, age(metadata.creationTimestamp, nowMs)],
  },
};

function checkScheduling(scheduling: NonNullable<RuntimeClass["scheduling"]>, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("scheduling"));
  if (scheduling.nodeSelector !== undefined)
    checkLabels(scheduling.nodeSelector, at.path.child("nodeSelector"), errors);
  const tolerations = scheduling.tolerations ?? [];
  checkTolerations(tolerations, at);
  for (const [i, toleration] of tolerations.entries()) {
    if (tolerations.slice(0, i).some((other) => deepEqual(other, toleration))) {
      at.item("tolerations", i).duplicate("", toleration);
    }
  }
}
