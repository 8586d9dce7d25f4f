/**
 * Flow schemas and priority levels: those that may not be missing, and those a new server starts with.
 * Source: k8s.io/kubernetes/pkg/registry/flowcontrol/{rest,ensurer}
 */
import type { FlowSchema } from "@atoll/api/builtin/flowcontrol.apiserver.k8s.io/v1.types";
import {
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  type Named,
  suggestedFlowSchemas,
  suggestedPriorityLevels,
} from "@atoll/api/flowcontrol.apiserver.k8s.io/bootstrap";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { statusOf } from "../fairness/dangling.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { isPlanted, plant } from "./plant.ts";

const group = "flowcontrol.apiserver.k8s.io";
/** Says that the server may bring the object up to date. */
const automatic = { "apf.kubernetes.io/autoupdate-spec": "true" };

/** Makes those that are missing. */
export async function ensureFlowControl(catalogue: Catalogue, clock: Clock): Promise<void> {
  const levels = [...mandatoryPriorityLevels, ...suggestedPriorityLevels];
  const schemas = [...mandatoryFlowSchemas, ...suggestedFlowSchemas];
  await ensure(catalogue, clock, { plural: "prioritylevelconfigurations", given: levels });
  const names = new Set(levels.map(({ name }) => name));
  const status = ({ spec }: Named<object>) => statusOf({ spec: spec as FlowSchema["spec"] }, names, clock.nowMs());
  await ensure(catalogue, clock, { plural: "flowschemas", given: schemas, status });
}

interface Missing {
  readonly plural: string;
  readonly given: readonly Named<object>[];
  readonly status?: (made: Named<object>) => object;
}

async function ensure(
  catalogue: Catalogue,
  clock: Clock,
  { plural, given, status = () => ({}) }: Missing,
): Promise<void> {
  const resource = catalogue.resource(group, plural);
  if (resource === undefined) return;
  await resource.cache.current();
  const missing = given.filter(({ name }) => !isPlanted(resource, "", name));
  for (const each of missing) {
    const { name, spec } = each;
    const object: ApiObject = {
      kind: resource.stored.kind,
      apiVersion: `${group}/v1`,
      metadata: {
        name,
        generation: 1,
        annotations: { ...automatic },
      },
      spec,
      status: status(each),
    };
    await plant(resource, object, formatTime(clock.nowMs()));
  }
}
