/** Finding by words: all must occur, in any order and case. */

/** The items whose text contains every word. */
export function matching<T>(items: readonly T[], words: string, textOf: (item: T) => string): readonly T[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return items;
  return items.filter((item) => {
    const text = textOf(item).toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}
