/** A word of the API with its tone, by colour and by shape, so that neither has to be seen alone. */
import { type Tone, toneOf } from "@atoll/portal/view/tones";

const shapes: Readonly<Record<Tone, string>> = {
  good: "M8 3a5 5 0 1 1 0 10a5 5 0 1 1 0-10",
  busy: "M8 3a5 5 0 1 1 0 10a5 5 0 1 1 0-10M8 5.2a2.8 2.8 0 1 0 0 5.6a2.8 2.8 0 1 0 0-5.6",
  warn: "M8 2.5 14 13H2z",
  bad: "M8 2 14 8 8 14 2 8z",
  plain: "M5 7h6v2H5z",
};

/** @param word as the API spells it */
export function Status({ word, tone = toneOf(word) }: { word: string; tone?: Tone }) {
  return (
    <span className={`status status-${tone}`}>
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
        <path d={shapes[tone]} fillRule="evenodd" />
      </svg>
      {word}
    </span>
  );
}
