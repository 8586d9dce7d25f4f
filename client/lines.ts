/**
 * Bodies as text: whole, or line by line as a watch sends them.
 */

/** The whole body as text. */
export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  for await (const chunk of body) parts.push(decoder.decode(chunk, { stream: true }));
  parts.push(decoder.decode());
  return parts.length === 1 ? (parts[0] ?? "") : parts.join("");
}

/**
 * The lines of a body: each array holds the lines that one chunk completed, never none. A last line without its
 * newline was cut off and is not given.
 */
export async function* readLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder();
  // Pieces of a line still under way: joined once, so that a long line costs its length and not its square.
  let pieces: string[] = [];
  for await (const chunk of body) {
    const lines = decoder.decode(chunk, { stream: true }).split("\n");
    const rest = lines.pop() ?? "";
    if (lines.length > 0) {
      pieces.push(lines[0] ?? "");
      lines[0] = pieces.join("");
      pieces = [];
    }
    if (rest !== "") pieces.push(rest);
    const whole = lines.filter((line) => line !== "");
    if (whole.length > 0) yield whole;
  }
}
