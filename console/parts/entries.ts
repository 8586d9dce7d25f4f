/** Where the navigation and the palette lead. */
import { type Area, placed } from "../model/resources.ts";
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
    { title: "Attach a cluster", href: paths.attach(), needs: "FleetCluster" },
    { title: "Who can", href: paths.access(), needs: "AccessPolicy" },
  ],
};

/** What the navigation offers in an area: pages of its own, then kinds that are served. */
export function useEntries(area: Area): readonly Entry[] {
  const { serves } = useConsole();
  const kinds = placed.filter((each) => each.area === area && serves(each));
  const own = ownPages[area].filter(({ needs }) => needs === undefined || kinds.some(({ kind }) => kind === needs));
  return [...own, ...kinds.map((each) => ({ title: each.title, href: paths.list(each) }))];
}
