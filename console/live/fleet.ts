/** All of an organization, live. */
import type { Policy } from "@atoll/fleet/compile/compile";
import type { Grown } from "../model/fleet.ts";
import { policyResources } from "../model/fleet.ts";
import type { AnyObject } from "../model/object.ts";
import { known } from "../model/resources.ts";
import { worstOf } from "./several.ts";
import type { Phase, Snapshot } from "./collection.ts";
import { useObjects } from "./use.ts";

const groups = known("clustergroups.fleet.atoll.dev");
const clusters = known("fleetclusters.fleet.atoll.dev");

/** What is known of an organization, and how well: as well as of the worst known of its parts. */
export interface LiveFleet {
  readonly grown: Grown;
  readonly policies: readonly Policy[];
  readonly phase: Phase;
  readonly message: string;
}

/** @param namespace the organization */
export function useFleet(namespace: string): LiveFleet {
  const ofGroups = useObjects(groups, { namespace });
  const ofClusters = useObjects(clusters, { namespace });
  // The kinds are the same as long as the program runs.
  const ofPolicies = policyResources.map((resource) => ({ resource, snapshot: useObjects(resource, { namespace }) }));
  const parts: readonly Snapshot<AnyObject>[] = [ofGroups, ofClusters, ...ofPolicies.map(({ snapshot }) => snapshot)];
  return {
    grown: { organization: namespace, groups: ofGroups.items, clusters: ofClusters.items } as unknown as Grown,
    policies: ofPolicies.flatMap(({ resource, snapshot }) =>
      snapshot.items.map((item) => ({ ...item, kind: resource.kind })),
    ) as unknown as readonly Policy[],
    ...worstOf(parts),
  };
}
