/**
 * What a whole pod needs: its containers together, or what the pod says for itself, and the overhead of its runtime.
 * Source: k8s.io/component-helpers/resource (PodRequests, PodLimits)
 */
import { addQuantities, compareQuantities, parseQuantity, type Quantity } from "@atoll/machinery/quantity";
import type { Container, ContainerStatus, Pod, PodSpec } from "../builtin/core/v1.types.ts";
import { together } from "./podspec/requests.ts";

type Amounts = Readonly<Record<string, string>>;

/** Requests and limits by resource. */
export interface PodNeeds {
  readonly requests: ReadonlyMap<string, Quantity>;
  readonly limits: ReadonlyMap<string, Quantity>;
}

/** As the spec has it, or, being resized, as much as the pod still has and will have. */
export function podNeeds({ spec, status }: Pick<Pod, "spec"> & { readonly status?: Pod["status"] }): PodNeeds {
  const held = new Map(
    [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map((each) => [each.name, each]),
  );
  const infeasible = (status?.conditions ?? []).some(
    ({ type, reason }) => type === "PodResizePending" && reason === "Infeasible",
  );
  const most = (container: Container, given: Amounts | undefined, had: (status: ContainerStatus) => Amounts[]) => {
    const known = held.get(container.name);
    if (known?.resources === undefined) return given;
    return largest([...(infeasible ? [] : [given ?? {}]), ...had(known)]);
  };
  const requests = together(spec, (container) =>
    most(container, container.resources?.requests, ({ resources, allocatedResources = {} }) => [
      resources?.requests ?? {},
      allocatedResources,
    ]),
  );
  const limits = together(spec, (container) =>
    most(container, container.resources?.limits, ({ resources }) => [resources?.limits ?? {}]),
  );
  return { requests: withOwn(requests, spec, "requests"), limits: withOwn(limits, spec, "limits") };
}

function largest(lists: readonly Amounts[]): Amounts {
  const result: Record<string, string> = {};
  for (const [name, amount] of lists.flatMap((list) => Object.entries(list))) {
    const before = result[name];
    const larger = before === undefined || compareQuantities(parseQuantity(amount), parseQuantity(before)) > 0;
    if (larger) result[name] = amount;
  }
  return result;
}

function withOwn(sum: Map<string, Quantity>, spec: PodSpec, field: "requests" | "limits"): Map<string, Quantity> {
  for (const [name, amount] of Object.entries(spec.resources?.[field] ?? {})) {
    if (name === "cpu" || name === "memory" || name.startsWith("hugepages-")) sum.set(name, parseQuantity(amount));
  }
  for (const [name, text] of Object.entries(spec.overhead ?? {})) {
    const amount = parseQuantity(text);
    const before = sum.get(name);
    if (before !== undefined && before.value !== 0n) sum.set(name, addQuantities(before, amount));
    else if (field === "requests") sum.set(name, amount);
  }
  return sum;
}
