/**
 * Where a proxied backend says to go next, as a place behind the proxy.
 * Source: k8s.io/apimachinery/pkg/util/proxy/transport.go (rewriteURL)
 */

/**
 * Paths of the backend's own host lie below the proxy's path; other hosts and relative paths are left alone.
 * @param proxy path of the proxy, without a slash at its end
 * @param hosts what the backend may call itself: its address, and the host the client asked
 */
export function relocated(location: string, proxy: string, hosts: readonly string[]): string {
  const [, host, rest = ""] = /^(?:[a-z][a-z0-9+.-]*:)?(?:\/\/([^/?#]*))?(.*)$/is.exec(location) ?? [];
  const isElsewhere = host !== undefined && !hosts.includes(host);
  if (isElsewhere || !rest.startsWith("/") || (host === undefined && rest !== location)) return location;
  return rest === proxy || rest.startsWith(`${proxy}/`) ? rest : `${proxy}${rest}`;
}
