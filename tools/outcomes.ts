/** A reporter for Node's test runner: what is to be told at the end, a JSON value a line. */
import type { TestEvent } from "node:test/reporters";

/** A file in which a test failed, or why a test was skipped. */
export type Outcome = { readonly failed: string } | { readonly skipped: string };

/** Yields one `Outcome` for each test that did not simply pass. */
export default async function* outcomes(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const outcome = outcomeOf(event);
    if (outcome !== undefined) yield `${JSON.stringify(outcome)}\n`;
  }
}

function outcomeOf({ type, data }: TestEvent): Outcome | undefined {
  if (type === "test:fail") return data.file === undefined ? undefined : { failed: data.file };
  if (type !== "test:pass" || data.skip === undefined || data.skip === false) return undefined;
  return { skipped: data.skip === true ? "for no reason given" : data.skip };
}
