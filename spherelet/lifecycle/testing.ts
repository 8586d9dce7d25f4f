/** Pods and machines in memory, for tests of what is pure. */
import type { Container } from "@atoll/api/builtin/core/v1.types";
import type { Draft } from "@atoll/api/draft";
import type { Pod } from "@atoll/client/builtin";

/** A Pod of some containers, with everything else as given. */
export function podOf(spec: Draft<Pod["spec"]>, more: Draft<Pod> = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "shop", uid: "0a1b2c3d-0000-4000-8000-000000000001", generation: 1 },
    status: {},
    ...more,
    spec: { restartPolicy: "Always", ...spec },
  } as Pod;
}

/** A container of a name. */
export function container(name: string, more: Draft<Container> = {}): Container {
  return { name, image: "registry.test/image:1", resources: {}, ...more } as Container;
}
