/**
 * In what each built-in kind differs from the others, by `GROUP/KIND`; the core's group is "". A kind that is not
 * here has no rules of its own. Each stands in api/GROUP/KIND.ts, "core" being the folder of the group "".
 */
import type { Strategy } from "./kind.ts";

/** Strategies are made for their own object type; only the kind they are listed for calls them. */
export const strategies: Readonly<Record<string, Strategy>> = {};
