/** Network addresses in API fields. Source: k8s.io/apimachinery/pkg/util/validation/ip.go, pkg/apis/core/validation */
import { isCIDR, isIP, isIPv6 } from "@atoll/machinery/schema/structural/formats/address";
import type { Place } from "./podspec/place.ts";

/** An address of either family, leading zeros taken. Source: IsValidIPForLegacyField */
export function checkAddress(text: string, at: Place): boolean {
  if (isIP(text, "sloppy")) return true;
  at.invalid("", text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
  return false;
}

/** An address with a prefix length. Source: IsValidCIDRForLegacyField */
export function checkCidr(text: string, at: Place): boolean {
  if (isCIDR(text, "sloppy")) return true;
  at.invalid("", text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
  return false;
}

/** IPv4 or IPv6, of an address that is valid. */
export function familyOf(address: string): "IPv4" | "IPv6" {
  return isIPv6(address, "sloppy") ? "IPv6" : "IPv4";
}

/** Where services may send traffic: not to the node itself, nor to everybody. Source: ValidateEndpointIP */
export function checkEndpointAddress(address: string, at: Place): void {
  const [why] = reserved.find(([, pattern]) => pattern.test(address)) ?? [];
  if (why !== undefined) at.invalid("", address, why);
}

const reserved: readonly (readonly [string, RegExp])[] = [
  ["may not be unspecified (0.0.0.0 or ::)", /^(0+\.0+\.0+\.0+|[0:]+)$/],
  ["may not be in the loopback range (127.0.0.0/8, ::1/128)", /^(0*127\.|[0:]*:0*1$)/],
  ["may not be in the link-local range (169.254.0.0/16, fe80::/10)", /^(0*169\.0*254\.|fe[89ab][0-9a-f]:)/i],
  ["may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)", /^(0*224\.0+\.0+\.|ff.2:)/i],
];
