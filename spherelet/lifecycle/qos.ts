/**
 * A Pod's quality of service.
 * Source: k8s.io/component-helpers/node/util/qos; k8s.io/kubernetes/pkg/apis/core/v1/helper/qos
 */
import type { PodSpec } from "@atoll/api/builtin/core/v1.types";
import { compareQuantities, parseQuantity, quantityOf } from "@atoll/machinery/quantity";

const counted = ["cpu", "memory"] as const;
const nothing = quantityOf(0);

/** The class that follows from requests and limits of processor and memory. */
export function qosOf(spec: PodSpec): "Guaranteed" | "Burstable" | "BestEffort" {
  const asked =
    spec.resources === undefined
      ? [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ resources }) => resources ?? {})
      : [spec.resources];
  const isSet = (amount: string | undefined): amount is string =>
    amount !== undefined && compareQuantities(parseQuantity(amount), nothing) > 0;
  const isAny = asked.some(({ requests, limits }) =>
    counted.some((name) => isSet(requests?.[name]) || isSet(limits?.[name])),
  );
  if (!isAny) return "BestEffort";
  const isWhole = asked.every(({ requests, limits }) =>
    counted.every((name) => {
      const limit = limits?.[name];
      if (!isSet(limit)) return false;
      const request = requests?.[name] ?? limit;
      return compareQuantities(parseQuantity(request), parseQuantity(limit)) === 0;
    }),
  );
  return isWhole ? "Guaranteed" : "Burstable";
}
