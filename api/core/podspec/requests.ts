/**
 * What a pod's containers ask for together.
 * Source: k8s.io/component-helpers/resource (AggregateContainerRequests, AggregateContainerLimits)
 */
import { addQuantities, compareQuantities, parseQuantity, type Quantity } from "@atoll/machinery/quantity";
import type { Container, PodSpec } from "../../builtin/core/v1.types.ts";

type Amounts = Readonly<Record<string, string>> | undefined;

/** What the containers ask for at once: those that stay together, or one init container beside the sidecars before it. */
export function requestsOf(spec: PodSpec): Map<string, Quantity> {
  return together(spec, ({ resources }) => resources.requests);
}

/** The most that the containers have at once of what is counted of each. */
export function together(
  { containers, initContainers = [] }: PodSpec,
  of: (container: Container) => Amounts,
): Map<string, Quantity> {
  const staying = new Map<string, Quantity>();
  for (const container of containers ?? []) add(staying, of(container));
  const sidecars = new Map<string, Quantity>();
  const most = new Map<string, Quantity>();
  for (const container of initContainers) {
    if (container.restartPolicy === "Always") {
      add(staying, of(container));
      add(sidecars, of(container));
      raise(most, sidecars);
    } else {
      const beside = new Map(sidecars);
      add(beside, of(container));
      raise(most, beside);
    }
  }
  raise(staying, most);
  return staying;
}

function add(sum: Map<string, Quantity>, amounts: Amounts): void {
  for (const [name, text] of Object.entries(amounts ?? {})) {
    const amount = parseQuantity(text);
    const before = sum.get(name);
    sum.set(name, before === undefined ? amount : addQuantities(before, amount));
  }
}

function raise(most: Map<string, Quantity>, others: ReadonlyMap<string, Quantity>): void {
  for (const [name, amount] of others) {
    const before = most.get(name);
    if (before === undefined || compareQuantities(amount, before) > 0) most.set(name, amount);
  }
}
