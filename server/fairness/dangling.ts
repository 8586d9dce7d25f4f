/**
 * The condition Dangling of FlowSchemas: whether the priority level that they name is there.
 * Source: k8s.io/apiserver/pkg/util/flowcontrol/apf_controller.go (syncFlowSchemaStatuses)
 */
import type { FlowSchema, FlowSchemaCondition } from "@atoll/api/builtin/flowcontrol.apiserver.k8s.io/v1.types";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import { clone } from "../registry/versions.ts";
import type { Resource } from "../registry/resource.ts";

const type = "Dangling";

/** The status of a schema, as it is when nothing else is told of it. */
export function statusOf(schema: Pick<FlowSchema, "spec">, levels: ReadonlySet<string>, nowMs: number): object {
  return { conditions: [{ ...conditionOf(schema, levels), lastTransitionTime: formatTime(nowMs) }] };
}

/** Writes the condition where it is missing or wrong. @param levels names of those that are there */
export async function tellDangling(
  resource: Resource,
  { schemas, levels, clock }: { schemas: readonly FlowSchema[]; levels: ReadonlySet<string>; clock: Clock },
): Promise<void> {
  for (const { metadata, spec } of schemas.filter((each) => !isTold(each, levels))) {
    await resource
      .update({ namespace: "", name: metadata.name ?? "" }, ({ object }) => {
        const now = clone(object) as ApiObject & FlowSchema;
        // Somebody else was quicker, or the schema is about another level by now, of which the next look will tell.
        const isCurrent = now.spec.priorityLevelConfiguration.name === spec.priorityLevelConfiguration.name;
        if (!isCurrent || isTold(now, levels)) return "unchanged";
        const others = conditionsOf(now).filter((each) => each.type !== type);
        const told = { ...conditionOf(now, levels), lastTransitionTime: formatTime(clock.nowMs()) };
        return { object: { ...now, status: { ...now.status, conditions: [...others, told] } } as ApiObject };
      })
      .catch((error: unknown) => {
        if (!(error instanceof StatusError && error.reason === "NotFound")) throw error;
      });
  }
}

function isTold(schema: FlowSchema, levels: ReadonlySet<string>): boolean {
  const wanted = conditionOf(schema, levels);
  const told = conditionsOf(schema).find((each) => each.type === type);
  return told?.status === wanted.status && told.message === wanted.message;
}

function conditionsOf({ status }: Partial<FlowSchema>): readonly FlowSchemaCondition[] {
  return status?.conditions ?? [];
}

function conditionOf({ spec }: Pick<FlowSchema, "spec">, levels: ReadonlySet<string>) {
  const { name } = spec.priorityLevelConfiguration;
  const isThere = levels.has(name);
  return {
    type,
    status: isThere ? "False" : "True",
    reason: isThere ? "Found" : "NotFound",
    message: `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(name)} ${
      isThere ? "and it exists" : "but there is no such object"
    }`,
  };
}
