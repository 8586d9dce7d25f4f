/** A pod's names and how it looks up others'. Source: pkg/apis/core/validation (validatePodDNSConfig, ValidateHostAliases) */
import { dns1123LabelErrors, dns1123SubdomainErrors } from "@atoll/machinery/names";
import { isIP } from "@atoll/machinery/schema/structural/formats/address";
import type { HostAlias, PodDNSConfig, PodSpec } from "../../builtin/core/v1.types.ts";
import type { Place } from "./place.ts";

const policies = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
const serversMax = 3;
const searchesMax = 32;
const searchBytesMax = 2048;
const hostnameMax = 64;
const searchLabel = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const searchDomain = new RegExp(`^${searchLabel}(\\.${searchLabel})*$`);
const subdomainMax = 253;

/** What is wrong with an address. */
export function ipErrors(text: string): readonly string[] {
  return isIP(text, "sloppy") ? [] : ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"];
}

/** Host names, DNS policy and configuration, host aliases. */
export function checkNames(spec: PodSpec, at: Place): void {
  at.oneOf("dnsPolicy", spec.dnsPolicy, policies);
  checkDnsConfig(spec, at);
  if (spec.hostname) at.each("hostname", spec.hostname, dns1123LabelErrors(spec.hostname));
  if (spec.subdomain) at.each("subdomain", spec.subdomain, dns1123LabelErrors(spec.subdomain));
  if (spec.hostAliases !== undefined) checkHostAliases(spec.hostAliases, at);
  if (spec.hostnameOverride !== undefined) checkOverride(spec, spec.hostnameOverride, at);
}

function checkOverride(spec: PodSpec, name: string, at: Place): void {
  const field = "hostnameOverride";
  if (name.length > hostnameMax) at.tooLong(field, hostnameMax);
  at.each(field, name, dns1123SubdomainErrors(name));
  if (spec.setHostnameAsFQDN === true) at.forbidden(field, "may not be specified when setHostnameAsFQDN is true");
  if (spec.hostNetwork === true) at.forbidden(field, "may not be specified when hostNetwork is true");
}

function checkDnsConfig({ dnsPolicy, dnsConfig }: PodSpec, at: Place): void {
  if (dnsPolicy === "None" && dnsConfig === undefined) {
    return at.required("dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None");
  }
  if (dnsConfig === undefined) return;
  const here = at.child("dnsConfig");
  const { nameservers = [], options = [] } = dnsConfig;
  if (dnsPolicy === "None" && nameservers.length === 0) {
    return here.required("nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None");
  }
  if (nameservers.length > serversMax) {
    here.invalid("nameservers", nameservers, `must not have more than ${serversMax} nameservers`);
  }
  for (const [i, server] of nameservers.entries()) here.item("nameservers", i).each("", server, ipErrors(server));
  checkSearches(dnsConfig, here);
  for (const [i, { name }] of options.entries()) if (!name) here.item("options", i).required("", "must not be empty");
}

function checkSearches({ searches = [] }: PodDNSConfig, at: Place): void {
  if (searches.length > searchesMax) {
    at.invalid("searches", searches, `must not have more than ${searchesMax} search paths`);
  }
  if (searches.join(" ").length > searchBytesMax) {
    const detail = `must not have more than ${searchBytesMax} characters (including spaces) in the search list`;
    at.invalid("searches", searches, detail);
  }
  for (const [i, search] of searches.entries()) {
    const name = search.endsWith(".") ? search.slice(0, -1) : search;
    if (search === "." || (name.length <= subdomainMax && searchDomain.test(name))) continue;
    const messages = dns1123SubdomainErrors(name);
    at.item("searches", i).each("", search, messages);
  }
}

function checkHostAliases(aliases: readonly HostAlias[], at: Place): void {
  for (const [i, { ip, hostnames = [] }] of aliases.entries()) {
    const here = at.item("hostAliases", i);
    here.each("ip", ip, ipErrors(ip));
    for (const [j, name] of hostnames.entries()) here.item("hostnames", j).each("", name, dns1123SubdomainErrors(name));
  }
}
