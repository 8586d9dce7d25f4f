/** Finds keys that an object gives twice, in text that has parsed. */
import { endOfString } from "./scan.ts";

/** Upstream stops collecting here. */
const most = 100;

/** A container being read: its path, and the keys seen when it is an object, or the index when it is a list. */
interface Frame {
  readonly path: string;
  readonly keys: Set<string> | undefined;
  index: number;
  /** Path of the value that comes next. */
  next: string;
}

function keyPath(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

/** `"a" :` gives true: the string that ends at `end` is a key. */
function isKey(text: string, end: number): boolean {
  let at = end + 1;
  while (/\s/.test(text[at] ?? "")) at++;
  return text[at] === ":";
}

function opened(frame: Frame | undefined, list: boolean): Frame {
  const path = frame === undefined ? "" : frame.next;
  return { path, keys: list ? undefined : new Set(), index: 0, next: list ? `${path}[0]` : path };
}

/** Takes note of a key; true when the object has it already. */
function repeats(frame: Frame, key: string): boolean {
  frame.next = keyPath(frame.path, key);
  const known = frame.keys?.has(key) === true;
  frame.keys?.add(key);
  return known;
}

/** What a character outside strings does to the containers that are open. */
function step(frames: Frame[], char: string | undefined): void {
  const frame = frames.at(-1);
  if (char === "{" || char === "[") frames.push(opened(frame, char === "["));
  else if (char === "}" || char === "]") frames.pop();
  else if (char === "," && frame !== undefined && frame.keys === undefined) {
    frame.index++;
    frame.next = `${frame.path}[${frame.index}]`;
  }
}

/**
 * `duplicate field "spec.template.x"` for each, in the order of the text, at most 100.
 * Source: sigs.k8s.io/json (DisallowDuplicateFields)
 */
export function duplicateFields(text: string): readonly string[] {
  const found = new Set<string>();
  const frames: Frame[] = [];
  for (let at = 0; at < text.length && found.size < most; at++) {
    if (text[at] !== '"') {
      step(frames, text[at]);
      continue;
    }
    const end = endOfString(text, at);
    const frame = frames.at(-1);
    const key =
      frame?.keys !== undefined && isKey(text, end) ? (JSON.parse(text.slice(at, end + 1)) as string) : undefined;
    if (frame !== undefined && key !== undefined && repeats(frame, key)) {
      found.add(`duplicate field ${JSON.stringify(frame.next)}`);
    }
    at = end;
  }
  return [...found];
}
