/** What the API server serves, as it says itself: kinds that are not there have no place, those without a place have pages. */
import { type Resource, resourceOf, resourceOfKind, slugOf } from "./resources.ts";
import { spokenKind } from "./words.ts";

/** A kind that is served. */
export interface Served extends Resource {
  /** What people call several of them. */
  readonly title: string;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
}

/** Kinds by their slugs, in the versions that the server prefers. */
export type ServedKinds = ReadonlyMap<string, Served>;

/** Source: k8s.io/api/apidiscovery/v2 */
interface Discovery {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly { readonly version: string; readonly resources?: readonly DiscoveredResource[] }[];
  }[];
}

interface DiscoveredResource {
  readonly resource: string;
  readonly responseKind?: { readonly kind?: string };
  readonly scope?: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
}

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/** Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#aggregated-discovery */
export async function served(ask: (path: string, call: { accept: string }) => Promise<unknown>): Promise<ServedKinds> {
  const answers = await Promise.all(["/api", "/apis"].map((path) => ask(path, { accept: aggregated })));
  const groups = answers.flatMap((answer) => (answer as Discovery).items ?? []);
  const all = groups.flatMap(({ metadata, versions = [] }) =>
    versions.flatMap(({ version, resources = [] }) =>
      resources.map((each) => servedKind(metadata?.name ?? "", version, each)),
    ),
  );
  // The version that comes first is preferred.
  return new Map(all.toReversed().map((kind) => [slugOf(kind), kind]));
}

function servedKind(group: string, version: string, given: DiscoveredResource): Served {
  const { resource: plural, responseKind, scope, verbs = [], shortNames = [] } = given;
  const kind = responseKind?.kind ?? plural;
  return {
    group,
    version,
    kind,
    plural,
    title: spokenKind(kind, plural),
    namespaced: scope === "Namespaced",
    verbs,
    shortNames,
  };
}

/** Whether its objects can be shown: those of some kinds are only asked about, as reviews, or measured anew each time. */
export const isListed = ({ verbs }: Served): boolean => verbs.includes("list") && verbs.includes("watch");

/** Groups of Kubernetes itself; those without a dot are, too. Source: k8s.io/kubernetes/pkg/controlplane/instance.go */
const upstream = new Set(
  [
    ...["admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization", "certificates"],
    ...["coordination", "discovery", "events", "flowcontrol.apiserver", "internal.apiserver", "metrics", "networking"],
    ...["node", "rbac.authorization", "resource", "scheduling", "storage", "storagemigration"],
  ].map((name) => `${name}.k8s.io`),
);

/** Whether somebody added the kind to the cluster. */
export const isCustom = ({ group }: Resource): boolean =>
  group.includes(".") && !upstream.has(group) && !group.endsWith(".atoll.dev");

/** What is served now. What is still the same stays the same value, so that nothing is read anew for it. */
export function renewed(before: ServedKinds, now: ServedKinds): ServedKinds {
  let isSame = before.size === now.size;
  const kinds = new Map<string, Served>();
  for (const [slug, kind] of now) {
    const known = before.get(slug);
    const isKnown = JSON.stringify(known) === JSON.stringify(kind);
    isSame &&= isKnown;
    kinds.set(slug, isKnown && known !== undefined ? known : kind);
  }
  return isSame ? before : kinds;
}

/** A kind, and what people call several of them. */
export type Titled = Resource & { readonly title: string };

/** The kinds of the server: those that have a place, and all others. */
export interface Kinds {
  readonly kinds: ServedKinds;
  /** Whether the server serves a kind. */
  serves(resource: Resource): boolean;
  /** The kind of a name in URLs; undefined: there is none. */
  titledOf(slug: string): Titled | undefined;
  /** The kind that an object says it is; one that has a place where it does not say of which group. */
  ofObject(kind: string, apiVersion?: string): Resource | undefined;
}

/** What is known of kinds, by what is served. */
export const kindsOf = (kinds: ServedKinds): Kinds => ({
  kinds,
  serves: (resource) => kinds.has(slugOf(resource)),
  titledOf: (slug) => resourceOf(slug) ?? kinds.get(slug),
  ofObject(kind, apiVersion) {
    const placed = resourceOfKind(kind);
    if (apiVersion === undefined) return placed;
    const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
    if (placed?.group === group) return placed;
    return [...kinds.values()].find((each) => each.kind === kind && each.group === group);
  },
});
