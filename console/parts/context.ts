/** What all pages share: who is signed in, what the server serves, and the live connection. */
import { createContext, useContext } from "react";
import type { LiveConnection } from "../live/connection.ts";
import type { Kinds } from "../model/served.ts";

/** Who is signed in. */
export interface Person {
  readonly name: string;
  readonly groups: readonly string[];
}

/** The console of a person who is signed in. */
export interface ConsoleContext extends Kinds {
  readonly person: Person;
  readonly live: LiveConnection;
  /** Asks the server again what it serves; what is known stays where it does not answer. */
  rediscover(): Promise<void>;
  signOut(): Promise<void>;
}

/** Provided by main.tsx. */
export const Context = createContext<ConsoleContext | undefined>(undefined);

/** @throws {Error} outside of a console */
export function useConsole(): ConsoleContext {
  const context = useContext(Context);
  if (context === undefined) throw new Error("nobody is signed in");
  return context;
}
