/**
 * Who asks, as this server tells others that trust its front-proxy certificate.
 * Source: k8s.io/client-go/transport/round_trippers.go (SetAuthProxyHeaders)
 */
import type { OutgoingHttpHeaders } from "node:http";
import { StatusError } from "@atoll/machinery/status";
import type { User } from "../call.ts";

// What may stand in a header's name as it is. Source: RFC 9110 5.6.2 (token), without the percent sign
const plain = /[^!#$&'*+\-.^_`|~0-9A-Za-z]/g;

/**
 * The headers; they go over a connection that shows the front-proxy certificate.
 * @throws {StatusError} Forbidden for what cannot stand in a header
 */
export function identityHeaders({ name, uid, groups, extra }: User): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { "x-remote-user": bytes(name), "x-remote-group": groups.map(bytes) };
  if (uid !== "") headers["x-remote-uid"] = bytes(uid);
  for (const [key, values] of Object.entries(extra)) {
    headers[`x-remote-extra-${escapeKey(key)}`] = values.map(bytes);
  }
  return headers;
}

/** Headers are bytes; what is not ASCII goes as UTF-8, and what would end a header goes nowhere. */
function bytes(text: string): string {
  // oxlint-disable-next-line no-control-regex -- RFC 9110 5.5: these may not stand in a header
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text)) {
    throw new StatusError("Forbidden", "the user's name, groups or extra cannot be told to the aggregated server");
  }
  return Buffer.from(text).toString("latin1");
}

function escapeKey(key: string): string {
  return key.replace(plain, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}
