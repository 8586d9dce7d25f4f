/** A reporter for Node's test runner: the files in which a test failed, one a line. */
import type { TestEvent } from "node:test/reporters";

/** Yields each file once. */
export default async function* failures(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const seen = new Set<string>();
  for await (const { type, data } of source) {
    const file = type === "test:fail" ? (data as { file?: string }).file : undefined;
    if (file === undefined || seen.has(file)) continue;
    seen.add(file);
    yield `${file}\n`;
  }
}
