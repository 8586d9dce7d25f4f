import type { Stage } from "../exchange.ts";
export function openapi(_c: unknown): Stage {
  return () => undefined;
}
