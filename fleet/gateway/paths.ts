/** What an agent may ask of the hub through the gateway: what is in its cluster's namespace, and nothing else. Pure. */

/**
 * @param path of the request, without the query, as sent
 * @returns whether it is below the namespace, in one of the two forms that the API has
 */
export function isWithin(path: string, namespace: string): boolean {
  // Nothing that decodes to another path than it shows.
  if (/%|\/\.|\/\/|\\/.test(path)) return false;
  const [, root, ...rest] = path.split("/");
  const below = root === "api" ? rest.slice(1) : rest.slice(2);
  return (root === "api" || root === "apis") && below[0] === "namespaces" && below[1] === namespace && below.length > 2;
}
