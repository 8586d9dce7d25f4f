/**
 * Network addresses as text.
 * Source: Go net (ParseIP, ParseMAC), net/netip (ParseAddr); k8s.io/utils/net (ParseIPSloppy, ParseCIDRSloppy), which
 * takes leading zeros in numbers as Go did before 1.17
 */

/** Whether numbers with leading zeros are taken. */
export type Leading = "strict" | "sloppy";

const octet = { strict: /^(0|[1-9]\d{0,2})$/, sloppy: /^\d+$/ } as const;
const group = { strict: /^[0-9a-fA-F]{1,4}$/, sloppy: /^0*[0-9a-fA-F]{1,4}$/ } as const;

/** Four numbers up to 255 with dots between. */
function isIPv4(text: string, leading: Leading): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => octet[leading].test(part) && Number(part) <= 255);
}

/** RFC 4291 text: eight groups, `::` for at least one of zeros, the last two perhaps as IPv4. No zone. */
export function isIPv6(text: string, leading: Leading): boolean {
  const gap = text.indexOf("::");
  if (gap < 0) return groupsIn(text, leading) === 8;
  const before = gap === 0 ? 0 : groupsIn(text.slice(0, gap), leading, false);
  const rest = text.slice(gap + 2);
  const after = rest === "" ? 0 : groupsIn(rest, leading);
  return before !== undefined && after !== undefined && before + after < 8;
}

/** How many groups a list of them has; undefined when it is none. */
function groupsIn(text: string, leading: Leading, mayEndInIPv4 = true): number | undefined {
  const groups = text.split(":");
  const last = groups[groups.length - 1] ?? "";
  const v4 = mayEndInIPv4 && last.includes(".");
  if (v4 && !isIPv4(last, leading)) return undefined;
  const hex = v4 ? groups.slice(0, -1) : groups;
  if (!hex.every((part) => group[leading].test(part))) return undefined;
  return v4 ? groups.length + 1 : groups.length;
}

/** An address of either family, told apart by what comes first: a dot or a colon. */
export function isIP(text: string, leading: Leading): boolean {
  const mark = /[.:]/.exec(text)?.[0];
  if (mark === undefined) return false;
  return mark === "." ? isIPv4(text, leading) : isIPv6(text, leading);
}

/** An address with a prefix length. */
export function isCIDR(text: string, leading: Leading): boolean {
  const slash = text.indexOf("/");
  if (slash < 0) return false;
  const address = text.slice(0, slash);
  const length = text.slice(slash + 1);
  if (!/^\d+$/.test(length)) return false;
  if (isIPv4(address, leading)) return Number(length) <= 32;
  return isIPv6(address, leading) && Number(length) <= 128;
}

const macBytes = new Set([6, 8, 20]);
const macForms: readonly { readonly form: RegExp; readonly bytes: (length: number) => number }[] = [
  { form: /^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2})+$/, bytes: (length) => (length + 1) / 3 },
  { form: /^[0-9a-fA-F]{2}(-[0-9a-fA-F]{2})+$/, bytes: (length) => (length + 1) / 3 },
  { form: /^[0-9a-fA-F]{4}(\.[0-9a-fA-F]{4})+$/, bytes: (length) => (2 * (length + 1)) / 5 },
  { form: /^[0-9a-fA-F]+$/, bytes: (length) => length / 2 },
];

/** EUI-48, EUI-64 or 20 bytes of InfiniBand, with colons, hyphens, dots or nothing between. */
export function isMAC(text: string): boolean {
  if (text.length > 64) return false;
  return macForms.some(({ form, bytes }) => macBytes.has(bytes(text.length)) && form.test(text));
}
