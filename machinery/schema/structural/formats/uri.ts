/**
 * Absolute URIs and absolute paths, as a request line may hold them.
 * Source: Go net/url (ParseRequestURI)
 */
import { isIPv6 } from "./address.ts";

// Control characters of ASCII.
const control = /[^\P{Cc}\u0080-\u009f]/u;
const brokenEscape = /%(?![0-9a-fA-F]{2})/;
const userinfo = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
// Bytes a host may hold as they are; escapes may stand for bytes beyond ASCII, and for the percent sign.
const hostText = /^(?:[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"\u0080-\uffff]|%[89a-fA-F][0-9a-fA-F]|%25)*$/;
const zoneText = /^(?:[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"\u0080-\uffff]|%[0-9a-fA-F]{2})*$/;
const port = /^(:\d*)?$/;

/** Whether Go's net/url.ParseRequestURI takes the text. */
export function isRequestUri(text: string): boolean {
  if (text === "" || control.test(text)) return false;
  if (text === "*") return true;
  const scheme = schemeOf(text);
  if (scheme === undefined) return false;
  const afterScheme = scheme === "" ? text : text.slice(scheme.length + 1);
  const question = afterScheme.indexOf("?");
  const rest = question < 0 ? afterScheme : afterScheme.slice(0, question);
  if (!rest.startsWith("/")) return scheme !== "";
  if (scheme === "" || !rest.startsWith("//")) return !brokenEscape.test(rest);
  const slash = rest.indexOf("/", 2);
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
  const path = slash < 0 ? "" : rest.slice(slash);
  return isAuthority(authority, scheme.toLowerCase()) && !brokenEscape.test(path);
}

/** What stands before the first colon if it can be a scheme, "" if it cannot; undefined when the colon comes first. */
function schemeOf(text: string): string | undefined {
  if (text.startsWith(":")) return undefined;
  return /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(text)?.[1] ?? "";
}

function isAuthority(authority: string, scheme: string): boolean {
  const at = authority.lastIndexOf("@");
  if (at >= 0) {
    const user = authority.slice(0, at);
    if (!userinfo.test(user) || brokenEscape.test(user)) return false;
  }
  return isHost(authority.slice(at + 1), scheme);
}

function isHost(host: string, scheme: string): boolean {
  const open = host.lastIndexOf("[");
  if (open > 0) return false;
  if (open === 0) return isBracketed(host);
  const first = host.indexOf(":");
  const strict = scheme === "http" || scheme === "https";
  const colon = strict ? first : host.lastIndexOf(":");
  if (colon >= 0 && !port.test(host.slice(colon))) return false;
  return hostText.test(host);
}

function isBracketed(host: string): boolean {
  const close = host.lastIndexOf("]");
  if (close < 0 || !port.test(host.slice(close + 1))) return false;
  const name = host.slice(1, close);
  const zone = name.indexOf("%25");
  if (zone < 0) return isIPv6(name, "strict");
  return isIPv6(name.slice(0, zone), "strict") && name.length > zone + 3 && zoneText.test(name.slice(zone + 3));
}
