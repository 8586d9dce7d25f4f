/** What an examination of the host found. */

/** One line: what was looked at, how it is, and what to do about it. */
export interface Finding {
  readonly what: string;
  /** `warn`: it works, but worse than it could. */
  readonly state: "ok" | "warn" | "bad";
  readonly says: string;
  /** What a person can do; none when it is well. */
  readonly mend?: string | undefined;
}

const marks = { ok: "ok  ", warn: "warn", bad: "BAD " } as const;

/** A line each, for people. */
export function describeFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  const lines = findings.map(({ what, state, says, mend }) => {
    const advice = mend === undefined ? "" : `; ${mend}`;
    return `${marks[state]}  ${what.padEnd(width)}  ${says}${advice}\n`;
  });
  return lines.join("");
}
