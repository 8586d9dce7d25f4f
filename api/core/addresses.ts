/** Network addresses in API fields. Source: k8s.io/apimachinery/pkg/util/validation/ip.go, pkg/apis/core/validation */
import { maskNetwork, parseNetwork } from "@atoll/machinery/cel/ip-address";
import { isCIDR, isIP, isIPv6 } from "@atoll/machinery/schema/structural/formats/address";
import type { Place } from "./podspec/place.ts";

const none: ReadonlySet<string> = new Set();
const mapped = /^[0:]*:f{4}:\d+\./i;
const leadingZero = /(^|[.:])0+\d+\./;

/**
 * An address of either family. What stands in the object already may be spelled as it always might.
 * @param known addresses of the old object
 * @returns whether it can be read at all
 * Source: IsValidIPForLegacyField
 */
export function checkAddress(text: string, at: Place, known: ReadonlySet<string> = none): boolean {
  if (!isIP(text, "sloppy")) {
    at.invalid("", text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    return false;
  }
  if (known.has(text)) return true;
  if (!isIP(text, "strict")) at.invalid("", text, "must not have leading 0s");
  if (mapped.test(text)) at.invalid("", text, "must not be an IPv4-mapped IPv6 address");
  return true;
}

/** An address with a prefix length, in the same way. Source: IsValidCIDRForLegacyField */
export function checkCidr(text: string, at: Place, known: ReadonlySet<string> = none): boolean {
  if (!isCIDR(text, "sloppy")) {
    at.invalid("", text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
    return false;
  }
  if (known.has(text)) return true;
  if (leadingZero.test(text) || /\/0\d/.test(text))
    at.invalid("", text, "must not have leading 0s in IP or prefix length");
  const network = parseNetwork(text);
  if (network !== undefined && maskNetwork(network).address.value !== network.address.value) {
    at.invalid("", text, "must not have bits set beyond the prefix length");
  }
  if (mapped.test(text)) at.invalid("", text, "must not have an IPv4-mapped IPv6 address");
  return true;
}

/** IPv4 or IPv6, of an address that is valid. */
export function familyOf(address: string): "IPv4" | "IPv6" {
  return isIPv6(address, "sloppy") && !mapped.test(address) ? "IPv6" : "IPv4";
}

/** Where services may send traffic: not to the node itself, nor to everybody. Source: ValidateEndpointIP */
export function checkEndpointAddress(address: string, at: Place): void {
  if (!isIP(address, "sloppy")) {
    at.invalid("", address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    return;
  }
  const [why] = reserved.find(([, pattern]) => pattern.test(address)) ?? [];
  if (why !== undefined) at.invalid("", address, why);
}

const reserved: readonly (readonly [string, RegExp])[] = [
  ["may not be unspecified (0.0.0.0 or ::)", /^(0+\.0+\.0+\.0+|[0:]+)$/],
  ["may not be in the loopback range (127.0.0.0/8, ::1/128)", /^(0*127\.|[0:]*:0*1$)/],
  ["may not be in the link-local range (169.254.0.0/16, fe80::/10)", /^(0*169\.0*254\.|fe[89ab][0-9a-f]:)/i],
  ["may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)", /^(0*224\.0+\.0+\.|ff.2:)/i],
];
