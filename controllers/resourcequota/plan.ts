/**
 * What a quota's status should say, next to what it says. Pure.
 *
 * Admission adds to `used` before an object is stored, so a plain count of what is there comes out too low while
 * anything is on its way, and would let too much pass. So nothing is counted afresh once a quota has been counted:
 *
 *   credit   an object known to count is gone, or counts less: exactly that is taken off, at once
 *   drift    used differs from the count for longer than any request takes: what was different all that time is righted
 */
import type { ResourceQuota } from "@atoll/api/builtin/core/v1.types";
import {
  add,
  type Amounts,
  excess,
  formatAmounts,
  less,
  only,
  parseAmounts,
  smaller,
} from "@atoll/api/core/quota/amounts";
import { quantityOf } from "@atoll/machinery/quantity";

/** Longer than a request may take from admission to the store. */
export const driftMs = 65_000;

/** What is remembered of a quota between two looks at it. */
export interface Ledger {
  /** What each object counted, by uid. */
  readonly counted: ReadonlyMap<string, Amounts>;
  readonly drift?: Drift | undefined;
}

interface Drift {
  readonly sinceMs: number;
  /** More used than is there. */
  readonly over: Amounts;
  /** More there than used. */
  readonly under: Amounts;
}

/** What to do: a status to write, if any, and what to remember once it is written. */
export interface Plan {
  readonly status: ResourceQuota["status"] | undefined;
  readonly ledger: Ledger;
}

/**
 * @param quota as stored now
 * @param present what each object that the quota is about counts, by uid
 * @param ledger of the last look; undefined at the first
 */
export function plan(
  quota: ResourceQuota,
  present: ReadonlyMap<string, Amounts>,
  ledger: Ledger | undefined,
  nowMs: number,
): Plan {
  const hard = parseAmounts(quota.spec.hard);
  const sum = sumOf(hard.keys(), present.values());
  const known = only(parseAmounts(quota.status.used), hard.keys());
  const used = less(known, only(creditOf(present, ledger), hard.keys()));
  const drift = driftOf(only(used, sum.keys()), only(sum, used.keys()), ledger?.drift, nowMs);
  const isDue = drift !== undefined && nowMs - drift.sinceMs >= driftMs;
  const righted = isDue ? add(less(used, drift.over), drift.under) : used;
  // What the quota did not limit before starts with what is there.
  const status = { hard: { ...quota.spec.hard }, used: formatAmounts(new Map([...sum, ...righted])) };
  const same = isSame(status.hard, quota.status.hard) && isSame(status.used, quota.status.used);
  return {
    status: same ? undefined : status,
    ledger: { counted: present, drift: isDue ? undefined : drift },
  };
}

function sumOf(names: Iterable<string>, amounts: Iterable<Amounts>): Amounts {
  let sum: Amounts = new Map([...names].map((name) => [name, quantityOf(0)]));
  for (const each of amounts) sum = add(sum, each);
  return sum;
}

function creditOf(present: ReadonlyMap<string, Amounts>, ledger: Ledger | undefined): Amounts {
  let credit: Amounts = new Map();
  for (const [uid, before] of ledger?.counted ?? []) {
    const now = present.get(uid);
    if (now !== before) credit = add(credit, excess(before, now ?? new Map()));
  }
  return credit;
}

/** What differs now and has differed since; the count starts anew when nothing of it is left. */
function driftOf(used: Amounts, sum: Amounts, before: Drift | undefined, nowMs: number): Drift | undefined {
  const over = excess(used, sum);
  const under = excess(sum, used);
  if (over.size + under.size === 0) return undefined;
  if (before === undefined) return { sinceMs: nowMs, over, under };
  const still = { sinceMs: before.sinceMs, over: smaller(before.over, over), under: smaller(before.under, under) };
  return still.over.size + still.under.size > 0 ? still : { sinceMs: nowMs, over, under };
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>> = {}): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
