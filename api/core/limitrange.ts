/** LimitRange. Source: k8s.io/kubernetes/pkg/apis/core/v1/defaults.go (SetDefaults_LimitRangeItem) */
import type { LimitRange } from "../builtin/core/v1.types.ts";
import type { Strategy } from "../kind.ts";

type Amounts = Record<string, string>;

export const limitRange: Strategy<LimitRange> = {
  /** What is said of a container's limits says the rest: the most is the default, the default is the request. */
  setDefaults({ spec }) {
    for (const item of spec.limits ?? []) {
      if (item.type !== "Container") continue;
      const limits: Amounts = { ...item.max, ...item.default };
      const requests: Amounts = { ...item.min, ...limits, ...item.defaultRequest };
      if (Object.keys(limits).length > 0) item.default = limits;
      if (Object.keys(requests).length > 0) item.defaultRequest = requests;
    }
  },
};
