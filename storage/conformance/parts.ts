/** What the parts of the conformance suite share. */
import type { TestContext } from "node:test";
import type { Page, Store } from "../store.ts";

/** An empty store to test, and what else its kind can do. */
export interface Opened {
  readonly store: Store;
  /** Closes the store and opens the same data again, for kinds that keep data. */
  reopen?(): Promise<Store>;
  /** Opens the same data a second time, for kinds that several servers share. */
  peer?(): Promise<Store>;
  /** Closes whatever is open and removes the data. */
  dispose(): Promise<void>;
}

/** Declares one test on a store of its own. */
export type Declare = (subject: string, body: (opened: Opened, t: TestContext) => Promise<void>) => void;

/** Bytes of a text. */
export function bytes(text: string): Buffer {
  return Buffer.from(text);
}

/** Keys and values of a page, as text. */
export function texts(page: Page): string[] {
  return page.entries.map(({ key, value }) => `${key}=${value.toString()}`);
}
