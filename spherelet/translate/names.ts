/**
 * A Pod's host name, and the files in which names are looked up.
 * Sources: k8s.io/kubernetes/pkg/kubelet (kubelet_pods.go GeneratePodHostNameAndDomain, managedHostsFileContent; network/dns/dns.go)
 */
import type { Pod } from "@atoll/client/builtin";

const longestHostname = 63;
const longestSearches = 32;
const mostNameservers = 3;

/** What the node knows about names. */
export interface NameFacts {
  /** The Pod's address; "" while there is none. */
  readonly podIP: string;
  readonly clusterDomain: string;
  /** Name servers of the cluster; none where there are none. */
  readonly clusterDns: readonly string[];
  /** The host's resolv.conf. */
  readonly hostResolv: string;
}

/** Short name and, for a Pod with a subdomain, the domain. */
function hostnameOf({ metadata, spec }: Pod, clusterDomain: string): { hostname: string; domain: string } {
  const given = spec.hostnameOverride ?? spec.hostname ?? "";
  const hostname = given === "" ? cutName(metadata.name ?? "") : given;
  const { subdomain = "" } = spec;
  if (subdomain === "" || spec.hostnameOverride !== undefined) return { hostname, domain: "" };
  return { hostname, domain: `${subdomain}.${metadata.namespace}.svc.${clusterDomain}` };
}

const cutName = (name: string): string => name.slice(0, longestHostname).replace(/[-.]+$/, "");

/** The name that programs in the Pod are told. */
export function ownName(pod: Pod, clusterDomain: string): string {
  const { hostname, domain } = hostnameOf(pod, clusterDomain);
  return pod.spec.setHostnameAsFQDN === true && domain !== "" ? `${hostname}.${domain}` : hostname;
}

/** /etc/hosts. */
export function hostsFile(pod: Pod, { podIP, clusterDomain }: NameFacts): string {
  const { hostname, domain } = hostnameOf(pod, clusterDomain);
  const names = domain === "" ? hostname : `${hostname}.${domain}\t${hostname}`;
  const aliases = (pod.spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join("\t")}\n`);
  const lines = [
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
    ...(podIP === "" ? [] : [`${podIP}\t${names}`]),
    "",
  ].join("\n");
  return aliases.length === 0 ? lines : `${lines}\n# Entries added by HostAliases.\n${aliases.join("")}`;
}

interface Resolver {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** /etc/resolv.conf. */
export function resolvFile(pod: Pod, facts: NameFacts): string {
  const { nameservers, searches, options } = withConfig(pod, basisOf(pod, facts));
  const lines = [
    ...nameservers.slice(0, mostNameservers).map((address) => `nameserver ${address}`),
    ...(searches.length === 0 ? [] : [`search ${searches.slice(0, longestSearches).join(" ")}`]),
    ...(options.length === 0 ? [] : [`options ${options.join(" ")}`]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function basisOf({ metadata, spec }: Pod, { clusterDns, clusterDomain, hostResolv }: NameFacts): Resolver {
  const host = parseResolv(hostResolv);
  const policy = spec.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { nameservers: [], searches: [], options: [] };
  if (policy === "Default" || clusterDns.length === 0) return host;
  const own = [`${metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
  return { nameservers: clusterDns, searches: unique([...own, ...host.searches]), options: ["ndots:5"] };
}

function withConfig({ spec }: Pod, basis: Resolver): Resolver {
  const { nameservers = [], searches = [], options = [] } = spec.dnsConfig ?? {};
  const spelled = new Map(basis.options.map((option) => [option.split(":")[0] ?? "", option]));
  for (const { name = "", value } of options) spelled.set(name, value === undefined ? name : `${name}:${value}`);
  return {
    nameservers: unique([...basis.nameservers, ...nameservers]),
    searches: unique([...basis.searches, ...searches]),
    options: [...spelled.values()],
  };
}

function parseResolv(text: string): Resolver {
  const words = text.split("\n").map((line) => line.trim().split(/\s+/));
  return {
    nameservers: words.flatMap(([word, address]) => (word === "nameserver" && address !== undefined ? [address] : [])),
    searches: words.findLast(([word]) => word === "search")?.slice(1) ?? [],
    options: words.findLast(([word]) => word === "options")?.slice(1) ?? [],
  };
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];
