/** All that an organization wrote, read through a client: what `why`, `plan` and `access` reckon with. */
import { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { FleetNamespace } from "@atoll/api/fleet/v1alpha1/fleetnamespace";
import { PolicyException } from "@atoll/api/fleet/v1alpha1/policyexception";
import type { Client } from "@atoll/client/client";
import type { ApiObject } from "@atoll/machinery/object";
import { type Organization, type Policy, policyKinds } from "../compile/compile.ts";

/** An organization and its clusters. */
export interface Fleet {
  readonly clusters: readonly FleetCluster[];
  readonly organization: Organization;
}

/** Reads an organization. @param namespace the organization */
export async function readFleet(client: Client, namespace: string, nowMs: number): Promise<Fleet> {
  const [clusters, groups, namespaces, exceptions] = await Promise.all([
    client.list(FleetCluster, { namespace }),
    client.list(ClusterGroup, { namespace }),
    client.list(FleetNamespace, { namespace }),
    client.list(PolicyException, { namespace }),
  ]);
  const policies = await Promise.all(policyKinds.map((kind) => client.list(kind, { namespace })));
  return {
    clusters: clusters.items,
    organization: {
      groups: new Map(groups.items.map((group) => [group.metadata.name ?? "", group])),
      policies: policies.flatMap(({ items }) => items),
      namespaces: namespaces.items,
      exceptions: exceptions.items,
      nowMs,
    },
  };
}

/** The fleet with objects in place of those of their kind and name. @returns those that are none of a fleet's as well */
export function replaced(
  { clusters, organization }: Fleet,
  given: readonly ApiObject[],
): { readonly fleet: Fleet; readonly ignored: readonly ApiObject[] } {
  const of = <T extends ApiObject>(kind: string) => given.filter((object) => object.kind === kind) as T[];
  const policyNames = policyKinds.map(({ kind }) => kind);
  const policies = given.filter(({ kind }) => policyNames.includes(kind)) as unknown as Policy[];
  const known = ["FleetCluster", "ClusterGroup", "FleetNamespace", "PolicyException", ...policyNames];
  const groups = over([...organization.groups.values()], of<ClusterGroup>("ClusterGroup"));
  return {
    fleet: {
      clusters: over(clusters, of<FleetCluster>("FleetCluster")),
      organization: {
        ...organization,
        groups: new Map(groups.map((group) => [group.metadata.name ?? "", group])),
        policies: over(organization.policies, policies),
        namespaces: over(organization.namespaces, of<FleetNamespace>("FleetNamespace")),
        exceptions: over(organization.exceptions, of<PolicyException>("PolicyException")),
      },
    },
    ignored: given.filter(({ kind }) => !known.includes(kind)),
  };
}

/** The fleet without objects, found by kind and name. */
export function without({ clusters, organization }: Fleet, gone: readonly ApiObject[]): Fleet {
  const isLeft = ({ kind, metadata }: ApiObject) =>
    !gone.some((one) => one.kind === kind && one.metadata.name === metadata.name);
  const groups = [...organization.groups.values()].filter(isLeft);
  return {
    clusters: clusters.filter(isLeft),
    organization: {
      ...organization,
      groups: new Map(groups.map((group) => [group.metadata.name ?? "", group])),
      policies: organization.policies.filter(isLeft),
      namespaces: organization.namespaces.filter(isLeft),
      exceptions: organization.exceptions.filter(isLeft),
    },
  };
}

function over<T extends ApiObject>(have: readonly T[], given: readonly T[]): readonly T[] {
  const same = (a: T, b: T) => a.kind === b.kind && a.metadata.name === b.metadata.name;
  return [...have.filter((object) => !given.some((one) => same(one, object))), ...given];
}
