/**
 * The formats of strings that schemas of custom kinds may ask for.
 * Source: k8s.io/kube-openapi/pkg/validation/strfmt, k8s.io/apiextensions-apiserver/pkg/apiserver/validation/formats.go
 */
import { isCIDR, isIP, isMAC } from "./address.ts";
import { isEmail } from "./email.ts";
import { isCreditCard, isISBN10, isISBN13 } from "./numbers.ts";
import { isDate, isDateTime, isDuration } from "./time.ts";
import { isRequestUri } from "./uri.ts";

/** Says whether a text has a format. Linear in its length. */
export type FormatCheck = (text: string) => boolean;

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const uuid3 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const uuid4 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i;
const uuid5 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i;
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;
const shade = "(?:0|[1-9][0-9]?|1[0-9][0-9]?|2[0-4][0-9]|25[0-5])";
const gap = "[\\t\\n\\f\\r ]*";
const rgb = new RegExp(`^rgb\\(${gap}${shade}${gap},${gap}${shade}${gap},${gap}${shade}${gap}\\)$`);
// A name without dots may hold symbols; one with dots ends in letters.
const hostname =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$/u;
const shortName = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

const utf8 = new TextEncoder();

function bytesIn(text: string): number {
  return utf8.encode(text).length;
}

function isHostname(text: string): boolean {
  // Length first: the pattern is then tried on short texts only.
  if (text.length > 255 || bytesIn(text) > 255) return false;
  return text.split(".").every((part) => bytesIn(part) <= 63) && hostname.test(text);
}

function isLongName(text: string): boolean {
  return text.length <= 253 && text.split(".").every((part) => shortName.test(part));
}

function matches(pattern: RegExp): FormatCheck {
  return (text) => pattern.test(text);
}

/** Names are kept without hyphens: `date-time` and `datetime` are one format. */
const checks: ReadonlyMap<string, FormatCheck> = new Map<string, FormatCheck>([
  ["bsonobjectid", matches(/^[0-9a-fA-F]{24}$/)],
  ["uri", isRequestUri],
  ["email", isEmail],
  ["hostname", isHostname],
  ["ipv4", (text) => isIP(text, "sloppy") && text.includes(".")],
  ["ipv6", (text) => isIP(text, "strict") && text.includes(":")],
  ["cidr", (text) => isCIDR(text, "sloppy")],
  ["mac", isMAC],
  ["uuid", matches(uuid)],
  ["uuid3", matches(uuid3)],
  ["uuid4", matches(uuid4)],
  ["uuid5", matches(uuid5)],
  ["isbn", (text) => isISBN10(text) || isISBN13(text)],
  ["isbn10", isISBN10],
  ["isbn13", isISBN13],
  ["creditcard", isCreditCard],
  ["ssn", (text) => text.length === 11 && /^[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}$/.test(text)],
  ["hexcolor", matches(/^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
  ["rgbcolor", matches(rgb)],
  ["byte", (text) => text.length % 4 === 0 && base64.test(text)],
  ["password", () => true],
  ["date", isDate],
  ["duration", isDuration],
  ["datetime", isDateTime],
  // Recognized, but nothing upstream checks it.
  ["quantity", () => true],
  ["k8sshortname", (text) => text.length <= 63 && shortName.test(text)],
  ["k8slongname", isLongName],
]);

/** The check for a format of strings; undefined when the format is not known and so means nothing. */
export function formatCheck(format: string): FormatCheck | undefined {
  return checks.get(format.replaceAll("-", ""));
}

const numeric: Readonly<Record<string, readonly string[]>> = {
  integer: ["int32", "int64"],
  number: ["float", "double"],
};

/** Whether a format means something for values of a type ("" when the schema has none). */
export function isKnownFormat(format: string, type: string): boolean {
  if (type === "" || type === "string") return checks.has(format.replaceAll("-", ""));
  return numeric[type]?.includes(format) ?? false;
}
