/**
 * Where every pod is a micro-VM, one that asks for a part of its host is refused before it is stored, and who writes a
 * template of such pods is warned. Off by default: hosts of other kinds may run pods, too.
 */
import { ephemeralRefusals, type Refusal, refusalsOf } from "@atoll/api/supervisor/micropods";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { forbidden } from "./forbidden.ts";
import { hasTemplate, type PodTemplate, templateOf } from "./podtemplates.ts";

/** The plugin. */
export const microPods: AdmissionPlugin = {
  name: "MicroPods",
  handles({ kind, operation, subresource }) {
    if (kind.group !== "" || kind.plural !== "pods") {
      return (operation === "CREATE" || operation === "UPDATE") && subresource === "" && hasTemplate(kind);
    }
    return subresource === ""
      ? operation === "CREATE"
      : operation === "UPDATE" && subresource === "ephemeralcontainers";
  },
  validate(request) {
    const isPod = request.kind.plural === "pods";
    const pod = isPod ? (request.object as PodTemplate | undefined) : templateOf(request);
    if (pod === undefined) return;
    const found = isPod && request.subresource !== "" ? addedRefusals(request, pod) : refusalsOf(pod.spec);
    if (found.length === 0) return;
    const told = found.map(({ path, why }) => `${path}: ${why}`).join(", ");
    if (isPod) throw forbidden(request, told);
    request.warn(`its pods would be refused: ${told}`);
  },
};

/** What is wrong with ephemeral containers that were not there before. */
function addedRefusals({ old }: AdmissionRequest, { spec }: PodTemplate): readonly Refusal[] {
  const before = (old as PodTemplate | undefined)?.spec.ephemeralContainers ?? [];
  const known = new Set(before.map(({ name }) => name));
  return (spec.ephemeralContainers ?? []).flatMap((container, index) =>
    known.has(container.name) ? [] : ephemeralRefusals(container, { spec, path: `spec.ephemeralContainers[${index}]` }),
  );
}
