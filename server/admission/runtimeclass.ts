/**
 * A pod's runtime class brings what the runtime itself needs, and where it is to be had.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/runtimeclass
 */
import type { Pod, PodSpec } from "@atoll/api/builtin/core/v1.types";
import type { RuntimeClass, Scheduling } from "@atoll/api/builtin/node.k8s.io/v1.types";
import { deepEqual } from "@atoll/machinery/equal";
import { compareQuantities, parseQuantity } from "@atoll/machinery/quantity";
import { StatusError } from "@atoll/machinery/status";
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { forbidden } from "./forbidden.ts";

/** The plugin; it reads runtime classes. */
export function runtimeClasses(catalogue: Catalogue): AdmissionPlugin {
  return {
    name: "RuntimeClass",
    handles: ({ kind, operation, subresource }) =>
      kind.group === "" && kind.plural === "pods" && operation === "CREATE" && subresource === "",
    async mutate(request) {
      const { spec } = request.object as unknown as Pod;
      const found = await classOf(catalogue, request, spec);
      if (found === undefined) return;
      const { podFixed } = found.overhead ?? {};
      if (podFixed !== undefined) {
        if (spec.overhead !== undefined && !sameAmounts(spec.overhead, podFixed)) throw unlike(request);
        spec.overhead = { ...podFixed };
      }
      if (found.scheduling !== undefined) place(spec, found.scheduling, request);
    },
    async validate(request) {
      const { spec } = request.object as unknown as Pod;
      const found = await classOf(catalogue, request, spec);
      const { podFixed } = found?.overhead ?? {};
      if (podFixed !== undefined && !sameAmounts(spec.overhead ?? {}, podFixed)) throw unlike(request);
      if (podFixed === undefined && spec.overhead !== undefined) {
        throw forbidden(request, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
      }
    },
  };
}

function unlike(request: AdmissionRequest): StatusError {
  return forbidden(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
}

async function classOf(
  catalogue: Catalogue,
  request: AdmissionRequest,
  { runtimeClassName }: PodSpec,
): Promise<RuntimeClass | undefined> {
  const classes = catalogue.resource("node.k8s.io", "runtimeclasses");
  if (!runtimeClassName || classes === undefined) return undefined;
  await classes.cache.loaded();
  try {
    const entry = classes.cache.get(classes.key("", runtimeClassName)) ?? (await classes.get("", runtimeClassName));
    return classes.cache.object(entry) as unknown as RuntimeClass;
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== "NotFound") throw error;
    throw forbidden(request, `pod rejected: RuntimeClass ${JSON.stringify(runtimeClassName)} not found`);
  }
}

type Amounts = Readonly<Record<string, string>>;

function sameAmounts(a: Amounts, b: Amounts): boolean {
  const names = Object.keys(a);
  const same = (name: string) => {
    const other = b[name];
    return other !== undefined && compareQuantities(parseQuantity(a[name] ?? "0"), parseQuantity(other)) === 0;
  };
  return names.length === Object.keys(b).length && names.every(same);
}

/** Both the pod's and the class's wishes hold; they must not contradict each other. */
function place(spec: PodSpec, { nodeSelector = {}, tolerations = [] }: Scheduling, request: AdmissionRequest): void {
  const own = spec.nodeSelector ?? {};
  for (const [key, value] of Object.entries(nodeSelector)) {
    if (own[key] === undefined || own[key] === value) continue;
    const why = `runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own[key]}`;
    throw forbidden(request, `conflict: ${why}`);
  }
  if (Object.keys(nodeSelector).length > 0) spec.nodeSelector = { ...own, ...nodeSelector };
  const missing = tolerations.filter((each) => !(spec.tolerations ?? []).some((mine) => deepEqual(mine, each)));
  if (missing.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...missing.map((each) => ({ ...each }))];
}
