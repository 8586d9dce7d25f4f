/**
 * A pod's priority comes from its class; one class at most is everybody's default.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/priority
 */
import type { Pod } from "@atoll/api/builtin/core/v1.types";
import type { PriorityClass } from "@atoll/api/builtin/scheduling.k8s.io/v1.types";
import { StatusError } from "@atoll/machinery/status";
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";

/** The plugin; it reads priority classes. */
export function priorities(catalogue: Catalogue): AdmissionPlugin {
  return {
    name: "Priority",
    handles: ({ kind, operation, subresource }) =>
      subresource === "" &&
      ((kind.plural === "pods" && kind.group === "" && (operation === "CREATE" || operation === "UPDATE")) ||
        (kind.plural === "priorityclasses" && (operation === "CREATE" || operation === "UPDATE"))),
    mutate: async (request) => {
      if (request.kind.plural === "pods") await setPriority(catalogue, request);
    },
    validate: async (request) => {
      if (request.kind.plural === "priorityclasses") await refuseSecondDefault(catalogue, request);
    },
  };
}

async function setPriority(catalogue: Catalogue, request: AdmissionRequest): Promise<void> {
  const { spec } = request.object as unknown as Pod;
  if (request.operation === "UPDATE") {
    // What the class gave at first stays, for clients that send the object without it.
    const old = (request.old as unknown as Pod).spec;
    if (spec.priority === undefined && old.priority !== undefined) spec.priority = old.priority;
    if (spec.preemptionPolicy === undefined && old.preemptionPolicy !== undefined) {
      spec.preemptionPolicy = old.preemptionPolicy;
    }
    return;
  }
  const { name, value, preemptionPolicy } = await classOf(catalogue, request, spec.priorityClassName ?? "");
  if (spec.priority !== undefined && spec.priority !== value) {
    throw forbidden(
      request,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  }
  spec.priority = value;
  if (name !== "") spec.priorityClassName = name;
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    throw forbidden(
      request,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
    );
  }
  spec.preemptionPolicy = preemptionPolicy;
}

interface Class {
  readonly name: string;
  readonly value: number;
  readonly preemptionPolicy: string;
}

async function classOf(catalogue: Catalogue, request: AdmissionRequest, wanted: string): Promise<Class> {
  const classes = await all(catalogue);
  const found = wanted === "" ? lowestDefault(classes) : classes.find(({ metadata }) => metadata.name === wanted);
  if (found === undefined && wanted !== "") throw forbidden(request, `no PriorityClass with name ${wanted} was found`);
  return {
    name: found?.metadata.name ?? "",
    value: found?.value ?? 0,
    preemptionPolicy: found?.preemptionPolicy ?? "PreemptLowerPriority",
  };
}

/** Should there be several after all, the one that gives least. */
function lowestDefault(classes: readonly PriorityClass[]): PriorityClass | undefined {
  return classes
    .filter(({ globalDefault }) => globalDefault === true)
    .reduce<PriorityClass | undefined>(
      (low, each) => (low === undefined || each.value < low.value ? each : low),
      undefined,
    );
}

async function all(catalogue: Catalogue): Promise<PriorityClass[]> {
  const resource = catalogue.resource("scheduling.k8s.io", "priorityclasses");
  if (resource === undefined) return [];
  await resource.cache.loaded();
  return resource.cache
    .range(resource.prefix(""))
    .map((entry) => resource.cache.object(entry) as unknown as PriorityClass);
}

async function refuseSecondDefault(catalogue: Catalogue, request: AdmissionRequest): Promise<void> {
  const { globalDefault, metadata } = request.object as unknown as PriorityClass;
  if (globalDefault !== true) return;
  const other = (await all(catalogue)).find(
    (each) => each.globalDefault === true && each.metadata.name !== metadata.name,
  );
  if (other === undefined) return;
  const name = metadata.name ?? "";
  const why = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`;
  throw new StatusError("Forbidden", `priorityclasses.scheduling.k8s.io ${JSON.stringify(name)} is forbidden: ${why}`, {
    details: { name, group: "scheduling.k8s.io", kind: "priorityclasses" },
  });
}

function forbidden({ name }: AdmissionRequest, why: string): StatusError {
  return new StatusError("Forbidden", `pods ${JSON.stringify(name)} is forbidden: ${why}`, {
    details: { name, kind: "pods" },
  });
}
