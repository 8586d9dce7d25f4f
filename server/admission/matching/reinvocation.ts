/**
 * What a mutating plugin keeps between the first run and the second: whom of those it ran may run again, and whom must.
 * Source: k8s.io/apiserver/pkg/admission/plugin/{webhook,policy}/mutating/reinvocationcontext.go
 */
import type { AdmissionRequest } from "../admission.ts";

export interface Kept {
  /** Those that may run again, and were run. */
  readonly ran: Set<string>;
  /** Those of them that are to. */
  readonly due: Set<string>;
  /** The object as the plugin left it. */
  last: unknown;
}

/** What a plugin has kept of a request; nothing at first. */
export function keptOf({ reinvocation }: AdmissionRequest, plugin: string): Kept {
  const known = reinvocation.kept.get(plugin);
  if (known !== undefined) return known as Kept;
  const kept: Kept = { ran: new Set(), due: new Set(), last: undefined };
  reinvocation.kept.set(plugin, kept);
  return kept;
}

/** The object changed: all that were run before, and may, are to run again. */
export function requireAgain({ ran, due }: Kept): void {
  for (const key of ran) due.add(key);
  ran.clear();
}
