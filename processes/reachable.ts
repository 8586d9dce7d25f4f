/** The flag `--reachable [by]` of attaching and of the agent. */
import { type ReachableBy, reachableBy, readReachableBy } from "@atoll/api/fleet/reachable";
import { UsageError } from "./flags.ts";

/** What it does. */
export const reachableHelp =
  "people reach the cluster's API through the hub (atoll kubeconfig NAME): at the hub's word who they are (hub, the default), or by their own token, which the cluster checks itself (own-token)";

/** @returns undefined: not reachable @throws {UsageError} none of the ways */
export function reachableFlag(value: string | boolean | undefined): ReachableBy | undefined {
  if (value === undefined) return undefined;
  const by = readReachableBy(value);
  if (by === undefined) throw new UsageError(`--reachable=${String(value)}: there are ${reachableBy.join(" and ")}`);
  return by;
}
