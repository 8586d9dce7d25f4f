/**
 * What a Pod asks a node for, and what a node gives: cpu in thousandths of a core, everything else in its own unit.
 * Source: k8s.io/component-helpers/resource/helpers.go (PodRequests)
 */
import type { Container, PodSpec } from "@atoll/api/builtin/core/v1.types";
import { parseQuantity, scaledValue } from "@atoll/machinery/quantity";

/** Amounts by resource; what is not in it is 0. */
export type Amounts = ReadonlyMap<string, number>;

/** Amounts of a list of quantities, as in `status.allocatable`. @throws {QuantityError} one is none */
export function amountsOf(list: Readonly<Record<string, string | number>> | undefined | null): Amounts {
  const amounts = new Map<string, number>();
  for (const name in list) {
    amounts.set(name, Number(scaledValue(parseQuantity(String(list[name])), name === "cpu" ? -3 : 0)));
  }
  return amounts;
}

/** Both together. */
function plus(one: Amounts, other: Amounts): Amounts {
  const sum = new Map(one);
  for (const [name, amount] of other) sum.set(name, (sum.get(name) ?? 0) + amount);
  return sum;
}

function larger(one: Amounts, other: Amounts): Amounts {
  const most = new Map(one);
  for (const [name, amount] of other) most.set(name, Math.max(most.get(name) ?? 0, amount));
  return most;
}

type Asked = (container: Container) => Amounts;

const requested: Asked = ({ resources }) => amountsOf(resources?.requests as Record<string, string>);

/** What a container counts for in a score that says nothing of what it needs. Source: util/pod_resources.go */
const assumed: Amounts = new Map([
  ["cpu", 100],
  ["memory", 200 * 1024 * 1024],
]);
const supposed: Asked = (container) => new Map([...assumed, ...requested(container)]);

/**
 * What a Pod needs at its worst moment: init containers run one after another beside the sidecars started before them,
 * then all containers run beside all sidecars. Requests of the Pod itself replace those; overhead comes on top.
 */
export function podRequests(spec: PodSpec): Amounts {
  return worstMoment(spec, requested);
}

/** The same for scores, in which a container that asks for no cpu or memory still takes some. */
export function weightOf(spec: PodSpec): Amounts {
  return worstMoment(spec, supposed);
}

function worstMoment({ containers, initContainers, overhead, resources }: PodSpec, asked: Asked): Amounts {
  let sidecars: Amounts = new Map();
  let starting: Amounts = new Map();
  for (const container of initContainers ?? []) {
    const needs = plus(sidecars, asked(container));
    starting = larger(starting, needs);
    if (container.restartPolicy === "Always") sidecars = needs;
  }
  const running = (containers ?? []).map(asked).reduce(plus, sidecars);
  const whole = amountsOf(resources?.requests as Record<string, string>);
  return plus(new Map([...larger(running, starting), ...whole]), amountsOf(overhead as Record<string, string>));
}
