/** Where the navigation and the palette lead. */
import { type Area, placed, placedKind } from "../model/resources.ts";
import { isCustom, isListed, type Kinds, type Served } from "../model/served.ts";
import { paths } from "../paths.ts";
import { useConsole } from "./context.ts";

/** A page that can be gone to. */
export interface Entry {
  readonly title: string;
  readonly href: string;
}

/** Pages beside those of the kinds; `needs`: the kind without which there is nothing to show. */
const ownPages: Readonly<Record<Area, readonly (Entry & { readonly needs?: string })[]>> = {
  workloads: [{ title: "Topology", href: paths.topology(), needs: "Service" }],
  infrastructure: [
    { title: "Capacity", href: paths.hosts() },
    { title: "Guests", href: paths.machines(), needs: "HostVM" },
    { title: "Images", href: paths.images() },
    { title: "Storage", href: paths.datastores() },
    { title: "Networks", href: paths.networks(), needs: "HostNetwork" },
    { title: "Tasks and events", href: paths.tasks() },
  ],
  fleet: [
    { title: "Groups and policies", href: paths.groups(), needs: "ClusterGroup" },
    { title: "Inventory", href: paths.inventory(), needs: "ClusterInventory" },
    { title: "Attach a cluster", href: paths.attach(), needs: "FleetCluster" },
    { title: "Who can", href: paths.access(), needs: "AccessPolicy" },
  ],
};

/** What the navigation offers in an area: pages of its own, then kinds that are served. */
export function useEntries(area: Area): readonly Entry[] {
  const { kinds, serves } = useConsole();
  const placedHere = placed.filter((each) => each.area === area && serves(each));
  const isThere = (needed: string) => [...kinds.values()].some(({ kind }) => kind === needed);
  const own = ownPages[area].filter(({ needs }) => needs === undefined || isThere(needs));
  return [...own, ...placedHere.map((each) => ({ title: each.title, href: paths.list(each) }))];
}

/** More of them are found on the page of all kinds. */
const mostCustom = 20;

/** Kinds that somebody added to the cluster; those of the same name say whose they are. */
export function useCustomEntries(): readonly Entry[] {
  const { kinds } = useConsole();
  const found = customOf(kinds);
  return found.map((each) => {
    const isAlone = found.every(({ title, group }) => title !== each.title || group === each.group);
    return { title: isAlone ? each.title : `${each.title} (${each.group})`, href: paths.list(each) };
  });
}

const customOf = (kinds: Kinds["kinds"]): readonly Served[] =>
  [...kinds.values()]
    .filter((kind) => isCustom(kind) && isListed(kind))
    .toSorted((a, b) => a.title.localeCompare(b.title) || a.group.localeCompare(b.group));

/** As the navigation has them: the first of them, and where all kinds are. */
export function useApiEntries(): readonly Entry[] {
  return [{ title: "All kinds", href: paths.kinds() }, ...useCustomEntries().slice(0, mostCustom)];
}

/** Kinds without a place that come with Kubernetes and Atoll: the palette leads to them. */
export function useFurtherEntries(): readonly Entry[] {
  const { kinds } = useConsole();
  return [...kinds.values()]
    .filter((kind) => placedKind(kind) === "" && !isCustom(kind) && isListed(kind))
    .map((each) => ({ title: each.title, href: paths.list(each) }));
}
