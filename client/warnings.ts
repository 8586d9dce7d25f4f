/** Warnings of an answer: what a server says beside it, for people. Source: RFC 7234, 5.5 */

const one = /\d{3} \S+ "((?:[^"\\]|\\.)*)"/g;

/** @param header all of an answer's, with commas between */
export function readWarnings(header: string | undefined): readonly string[] {
  return [...(header ?? "").matchAll(one)].map(([, text = ""]) => text.replace(/\\(.)/g, "$1"));
}
