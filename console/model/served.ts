/** What the API server serves: kinds that are not there have no place in the navigation. */

interface Discovery {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly { readonly resources?: readonly { readonly resource: string }[] }[];
  }[];
}

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/**
 * Names of all kinds that are served, `deployments.apps`, `pods.`.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#aggregated-discovery
 */
export async function served(
  ask: (path: string, call: { accept: string }) => Promise<unknown>,
): Promise<ReadonlySet<string>> {
  const answers = await Promise.all(["/api", "/apis"].map((path) => ask(path, { accept: aggregated })));
  const groups = answers.flatMap((answer) => (answer as Discovery).items ?? []);
  const names = groups.flatMap(({ metadata, versions = [] }) =>
    versions.flatMap(({ resources = [] }) => resources.map(({ resource }) => `${resource}.${metadata?.name ?? ""}`)),
  );
  return new Set(names);
}
