/** Whom a request wants to be, by its headers. Source: k8s.io/api/authentication/v1 (Impersonate-*) */
import type { IncomingMessage } from "node:http";
import { StatusError } from "@atoll/machinery/status";

/** All impersonation headers begin with it. */
export const prefix = "impersonate-";
const extraPrefix = "impersonate-extra-";

/** An identity as the headers give it. */
export interface Wanted {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

/** What the headers ask for; undefined when for nobody. @throws {StatusError} BadRequest */
export function wantedOf({ rawHeaders }: IncomingMessage): Wanted | undefined {
  if (!rawHeaders.some(isAbout)) return undefined;
  const given = headersOf(rawHeaders);
  if (given.size === 0) return undefined;
  const [name = ""] = given.get("impersonate-user") ?? [];
  const [uid = ""] = given.get("impersonate-uid") ?? [];
  const groups = given.get("impersonate-group") ?? [];
  const extra = new Map<string, string[]>();
  for (const [header, values] of given) {
    if (!header.startsWith(extraPrefix)) continue;
    for (const value of values) add(extra, unescaped(header.slice(extraPrefix.length)), value);
  }
  if (name !== "") return { name, uid, groups, extra };
  const what = JSON.stringify({ uid, groups, extra: Object.fromEntries(extra) });
  throw new StatusError("BadRequest", `requested ${what} without impersonating a user name`);
}

/** Whether a text may be a header's name that concerns us: hardly any request has one. */
function isAbout(text: string): boolean {
  return text.length > prefix.length && (text.startsWith("I") || text.startsWith("i"));
}

/** Headers as they came: Node joins repeated ones, and a group's name may hold a comma. */
function headersOf(raw: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]?.toLowerCase() ?? "";
    if (name.startsWith(prefix)) add(found, name, raw[i + 1] ?? "");
  }
  return found;
}

function add(to: Map<string, string[]>, key: string, value: string): void {
  const known = to.get(key);
  if (known === undefined) to.set(key, [value]);
  else known.push(value);
}

/** Keys may hold characters that headers may not; one that cannot be read stays as it is. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
