/** Kinds come and go while somebody looks: the server is asked again what it serves when a definition says so. */
import { systemClock } from "@atoll/machinery/clock";
import { useEffect, useRef } from "react";
import { useTable } from "../live/use.ts";
import { useConsole } from "./context.ts";

const definitions = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};
const most = 2_000;
/** A definition is served a moment after it was made, unless something is wrong with it; what is gone goes as soon. */
const triesMs = [0, 500, 1_000, 2_000, 4_000, 8_000];

/** Shows nothing. Who may not see definitions is told of new kinds when they go there. */
export function Definitions() {
  const { kinds, rediscover } = useConsole();
  const { rows, phase } = useTable(definitions, {}, { to: most });
  // A definition is named as its kind is in URLs.
  const names = rows.map(({ metadata: { name } }) => name);
  const defined = phase === "live" ? names.join() : undefined;
  const isMissing = names.some((name) => !kinds.has(name));
  const before = useRef<string>(undefined);
  useEffect(() => {
    if (defined === undefined) return;
    const isChanged = before.current !== undefined && before.current !== defined;
    before.current = defined;
    if (!isMissing && !isChanged) return;
    const waits = triesMs.map((ms) => systemClock.after(ms, () => void rediscover()));
    return () => {
      if (isMissing) for (const wait of waits) wait.cancel();
    };
    // Asked again when definitions come or go.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [defined, isMissing]);
  return null;
}
