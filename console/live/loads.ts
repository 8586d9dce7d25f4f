/** What hosts use, measured: the metrics API has no watch, so it is asked again. */
import { systemClock } from "@atoll/machinery/clock";
import { useEffect, useState } from "react";
import { ask, CallFailed } from "../model/call.ts";
import type { Load } from "../model/infrastructure.ts";
import { useConsole } from "../parts/context.ts";

const againMs = 15_000;
const metrics = {
  group: "metrics.k8s.io",
  version: "v1beta1",
  kind: "NodeMetrics",
  plural: "nodes",
  namespaced: false,
};

/** By host; empty while nothing was measured, or where nothing measures. */
export function useLoads(): ReadonlyMap<string, Load> {
  const { serves } = useConsole();
  const isMeasured = serves(metrics);
  const [loads, setLoads] = useState<ReadonlyMap<string, Load>>(new Map());
  useEffect(() => {
    if (!isMeasured) return;
    const stop = new AbortController();
    const follow = async () => {
      while (!stop.signal.aborted) {
        const found = await read(stop.signal);
        if (found !== undefined) setLoads(found);
        await systemClock.sleep(againMs, stop.signal);
      }
    };
    follow().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    return () => stop.abort();
  }, [isMeasured]);
  return loads;
}

/** undefined: what was measured before stays, with its age. */
async function read(signal: AbortSignal): Promise<ReadonlyMap<string, Load> | undefined> {
  try {
    const { items } = await ask<{ items: readonly Load[] }>("/apis/metrics.k8s.io/v1beta1/nodes", { signal });
    return new Map(items.map((load) => [load.metadata.name, load]));
  } catch (error) {
    if (error instanceof CallFailed) return undefined;
    throw error;
  }
}
