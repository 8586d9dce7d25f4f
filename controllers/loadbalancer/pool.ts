/** Addresses that an administrator sets aside for LoadBalancers. Pure. */
import { AddressInvalid, formatAddress, parseAddress, parseRange, sizeOf } from "@atoll/net/address";

/** From the first to the last address, as numbers. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/** A pool, as its writer ordered it. */
export interface Pool {
  readonly text: string;
  readonly spans: readonly Span[];
}

/** Reads `192.0.2.100-192.0.2.120,198.51.100.0/28,203.0.113.7`. @throws {AddressInvalid} */
export function parsePool(text: string): Pool {
  return { text, spans: text.split(",").map((part) => spanOf(part.trim())) };
}

function spanOf(text: string): Span {
  if (text.includes("/")) {
    const range = parseRange(text);
    return { first: range.first, last: range.first + sizeOf(range) - 1 };
  }
  const [first = "", last = first] = text.split("-");
  const span = { first: parseAddress(first), last: parseAddress(last) };
  if (span.last < span.first) throw new AddressInvalid(`${text} ends before it begins`);
  return span;
}

/** Whether an address is of the pool. */
export function holds({ spans }: Pool, address: string): boolean {
  try {
    const value = parseAddress(address);
    return spans.some(({ first, last }) => first <= value && value <= last);
  } catch (error) {
    if (error instanceof AddressInvalid) return false;
    throw error;
  }
}

/** The first that is not taken; undefined when all are. */
export function firstFree({ spans }: Pool, taken: ReadonlySet<string>): string | undefined {
  for (const { first, last } of spans)
    for (let value = first; value <= last; value++) if (!taken.has(formatAddress(value))) return formatAddress(value);
  return undefined;
}

/** How many addresses it has. */
export const sizeOfPool = ({ spans }: Pool): number =>
  spans.reduce((sum, { first, last }) => sum + last - first + 1, 0);
