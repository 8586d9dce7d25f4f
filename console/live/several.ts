/** Several watches shown as one picture: as good as the worst of them. */
import type { Phase, Snapshot } from "./collection.ts";

/** How good what is shown of all of them is, and why no better. */
export function worstOf(parts: readonly Pick<Snapshot<unknown>, "phase" | "message">[]): {
  readonly phase: Phase;
  readonly message: string;
} {
  const phase = (["refused", "loading", "stale"] as const).find((each) => parts.some((part) => part.phase === each));
  return { phase: phase ?? "live", message: parts.find((part) => part.phase === phase)?.message ?? "" };
}
