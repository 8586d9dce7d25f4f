/**
 * URLs as Go reads them: stricter about ports and hosts than browsers, and nothing is resolved or rewritten.
 * Source: Go's net/url (ParseRequestURI, Parse, EscapedPath, ParseQuery)
 */

/** The parts of a URL. */
export interface GoUrl {
  readonly scheme: string;
  /** What follows the scheme when it is no path, as in `mailto:a@b`. */
  readonly opaque: string;
  readonly userinfo: string;
  /** With the port. */
  readonly host: string;
  readonly escapedPath: string;
  readonly rawQuery: string;
  readonly fragment: string;
}

/** Text that is no URL; the message is Go's. */
export class UrlError extends Error {}

const fail = (message: string): never => {
  throw new UrlError(message);
};

interface Split {
  scheme: string;
  rest: string;
}

function splitScheme(text: string): Split {
  const found = /^[a-zA-Z][a-zA-Z0-9+.-]*(?=:)/.exec(text);
  if (found !== null) return { scheme: found[0].toLowerCase(), rest: text.slice(found[0].length + 1) };
  if (text.startsWith(":")) fail("missing protocol scheme");
  return { scheme: "", rest: text };
}

function checkEscapes(text: string): void {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text);
  if (bad !== null) fail(`invalid URL escape "${bad[0]}"`);
}

/** Bytes of percent-escaped text, as a string of UTF-8. */
function unescape(text: string): string {
  checkEscapes(text);
  const bytes: number[] = [];
  for (const [part] of text.matchAll(/%[0-9a-fA-F]{2}|[^%]+/g)) {
    if (part.startsWith("%")) bytes.push(Number.parseInt(part.slice(1), 16));
    else bytes.push(...new TextEncoder().encode(part));
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

const escapePath = (path: string): string =>
  [...new TextEncoder().encode(path)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      if (/[A-Za-z0-9\-_.~$&+,/:;=@]/.test(char)) return char;
      return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");

function pathOf(text: string): string {
  const path = unescape(text);
  return /^[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]%]*$/.test(text) ? text : escapePath(path);
}

function checkPort(text: string, host: string): void {
  if (text !== "" && !/^:\d*$/.test(text)) fail(`invalid port "${text}" after host`);
  if (text !== "" && host.includes(":") && !host.startsWith("[")) fail(`invalid port ":${host}${text}" after host`);
}

function checkHost(text: string): string {
  if (text.startsWith("[")) {
    const end = text.lastIndexOf("]");
    if (end < 0) fail("missing ']' in host");
    checkPort(text.slice(end + 1), text);
    return text;
  }
  const colon = text.lastIndexOf(":");
  if (colon >= 0) checkPort(text.slice(colon), text.slice(0, colon));
  const bad = Array.from(text).find((char) => isControl(char) || " #/?@\\^`{|}".includes(char));
  if (bad !== undefined) fail(`invalid character "${bad}" in host name`);
  // Only bytes beyond ASCII may be escaped in a host.
  const escaped = /%[0-7][0-9a-fA-F]/.exec(text);
  if (escaped !== null) fail(`invalid URL escape "${escaped[0]}"`);
  return unescape(text);
}

function splitAuthority(rest: string): { userinfo: string; host: string; path: string } {
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const at = authority.lastIndexOf("@");
  const userinfo = at < 0 ? "" : authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(userinfo)) fail("net/url: invalid userinfo");
  checkEscapes(userinfo);
  return { userinfo, host: checkHost(authority.slice(at + 1)), path: slash < 0 ? "" : rest.slice(slash) };
}

/** Control characters, space and delete: no URL has them, but for the space. */
const isControl = (char: string): boolean => char < " " || char === "\u007f";

/** Refuses what follows a scheme, or stands without one, and is no path. */
function checkRelative(rest: string, request: boolean): void {
  if (request) fail("invalid URI for request");
  if (/^[^/]*:/.test(rest)) fail("first path segment in URL cannot contain colon");
}

/** Parses text; `request` insists on an absolute URL or path, as a request line has it, and knows no fragment. */
function parse(text: string, request: boolean): GoUrl {
  if (Array.from(text).some(isControl)) fail("net/url: invalid control character in URL");
  if (text === "" && request) fail("empty url");
  const { scheme, rest: afterScheme } = splitScheme(text);
  const mark = afterScheme.indexOf("?");
  const rest = mark < 0 ? afterScheme : afterScheme.slice(0, mark);
  const rawQuery = mark < 0 ? "" : afterScheme.slice(mark + 1);
  const base = { scheme, rawQuery, opaque: "", userinfo: "", host: "", fragment: "" };
  if (text === "*") return { ...base, escapedPath: "*" };
  if (!rest.startsWith("/")) {
    if (scheme !== "") return { ...base, opaque: rest, escapedPath: "" };
    checkRelative(rest, request);
  }
  const hasAuthority = rest.startsWith("//") && (scheme !== "" || (!request && !rest.startsWith("///")));
  if (!hasAuthority) return { ...base, escapedPath: pathOf(rest) };
  const { userinfo, host, path } = splitAuthority(rest.slice(2));
  return { ...base, userinfo, host, escapedPath: pathOf(path) };
}

/** A URL as validation rules take it: absolute, or an absolute path. @throws {UrlError} */
export function parseUrl(text: string): GoUrl {
  try {
    parse(text, true);
    const hash = text.indexOf("#");
    if (hash < 0) return parse(text, false);
    const fragment = text.slice(hash + 1);
    checkEscapes(fragment);
    return { ...parse(text.slice(0, hash), false), fragment };
  } catch (fault) {
    if (fault instanceof UrlError) throw new UrlError(`parse ${JSON.stringify(text)}: ${fault.message}`);
    throw fault;
  }
}

/** Host without port and brackets. */
export function hostnameOf(url: GoUrl): string {
  const bracketed = /^\[(.*)\](?::\d*)?$/.exec(url.host);
  return bracketed?.[1] ?? url.host.replace(/:\d*$/, "");
}

/** Port, "" when there is none. */
export const portOf = (url: GoUrl): string => /:(\d*)$/.exec(url.host.replace(/^\[.*\]/, ""))?.[1] ?? "";

/** Query parameters in order; pairs that are broken are left out. */
export function queryOf(url: GoUrl): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const pair of url.rawQuery.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const [key = "", ...rest] = pair.split("=");
    try {
      const name = unescape(key.replaceAll("+", " "));
      const value = unescape(rest.join("=").replaceAll("+", " "));
      found.set(name, [...(found.get(name) ?? []), value]);
    } catch (fault) {
      if (!(fault instanceof UrlError)) throw fault;
    }
  }
  return found;
}
