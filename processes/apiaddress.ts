/** Where pods reach the API. */
import { addressAt, parseRange } from "@atoll/net/address";

/** The address of `kubernetes.default.svc`, for the server's certificate; none of a range that is not IPv4. */
export function apiAddress(serviceCidr: string): readonly string[] {
  const [range = ""] = serviceCidr.split(",");
  return range.includes(":") ? [] : [addressAt(parseRange(range), 1)];
}
