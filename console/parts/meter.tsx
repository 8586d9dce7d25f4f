/** How much of something is promised and used. */
import type { Share } from "../model/infrastructure.ts";

const tight = 0.75;
const full = 0.92;

interface MeterProps {
  readonly name: string;
  readonly share: Share;
  /** What is said of what is not measured. */
  readonly word?: string;
  spell(amount: number): string;
}

/** The bar shows what is used where that is measured, else what is promised. */
export function Meter({ name, share: { of, promised, used }, word = " promised", spell }: MeterProps) {
  const shown = used ?? promised;
  const part = of === 0 ? 0 : Math.min(1, shown / of);
  return (
    <div className="meter">
      <div className="meter-line">
        <span>{name}</span>
        <span className="count">
          {used === undefined ? "" : `${spell(used)} used, `}
          {spell(promised)}
          {word} of {spell(of)}
        </span>
      </div>
      <div
        className="meter-bar"
        role="meter"
        aria-label={`${name}, ${used === undefined ? "promised" : "used"}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(100 * part)}
      >
        <span className={mood(part)} style={{ width: `${100 * part}%` }} />
      </div>
    </div>
  );
}

function mood(part: number): string {
  if (part >= full) return "is-full";
  return part >= tight ? "is-tight" : "";
}
