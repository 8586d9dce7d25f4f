/** IPv4 addresses and ranges as values. Everything else in net/ passes addresses on as text and never looks inside. */

/** A range: its first address as a number, and its prefix length. */
export interface Range {
  readonly first: number;
  readonly length: number;
}

/** Text that is no address or range. */
export class AddressInvalid extends Error {
  override readonly name = "AddressInvalid";
}

/** @throws {AddressInvalid} */
export function parseAddress(text: string): number {
  const parts = text.split(".");
  const good = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  if (!good) throw new AddressInvalid(`${JSON.stringify(text)} is no IPv4 address`);
  return parts.reduce((value, part) => value * 256 + Number(part), 0);
}

/** Dotted. */
export function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Reads `10.244.0.0/16`. @throws {AddressInvalid} also when bits beyond the length are set */
export function parseRange(text: string): Range {
  const [address = "", length = ""] = text.split("/");
  const range = { first: parseAddress(address), length: Number(length) };
  const good = /^\d{1,2}$/.test(length) && range.length <= 32 && range.first % sizeOf(range) === 0;
  if (!good) throw new AddressInvalid(`${JSON.stringify(text)} is no range like 10.244.0.0/16`);
  return range;
}

/** As `10.244.0.0/16`. */
export const formatRange = ({ first, length }: Range): string => `${formatAddress(first)}/${length}`;

/** How many addresses a range holds. */
export const sizeOf = ({ length }: Range): number => 2 ** (32 - length);

/** Whether two ranges share an address. */
export function overlap(one: Range, other: Range): boolean {
  return one.first < other.first + sizeOf(other) && other.first < one.first + sizeOf(one);
}

/** The address so far into a range. @throws {AddressInvalid} it lies beyond */
export function addressAt(range: Range, offset: number): string {
  if (offset < 0 || offset >= sizeOf(range)) throw new AddressInvalid(`${formatRange(range)} has no address ${offset}`);
  return formatAddress(range.first + offset);
}
