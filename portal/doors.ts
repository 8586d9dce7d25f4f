/** The ways in and out: one-time links, the identity provider, signing out. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Client } from "@atoll/client/client";
import type { Clock } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import type { Log } from "@atoll/runtime/log";
import { answerJson, readBody, redirect, refuse } from "./answer.ts";
import { sessionIdOf, setSession, setState, stateOf } from "./guard.ts";
import { LinkSpent, openLink } from "./links.ts";
import { callbackPath, type OidcOptions, OpenIdConnect, SignInFailed } from "./oidc.ts";
import { type Identity, identityOf, type Person, type Sessions } from "./sessions.ts";

/** What the ways are made of. */
export interface DoorsOptions {
  /** The console itself, which may open links and nothing else. */
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** Where people sign in; undefined: by one-time links alone. */
  readonly oidc?: OidcOptions | undefined;
}

/** Answers at one path. */
export interface Way {
  /** A browser goes there by itself, so that it bears nothing of ours. */
  readonly isVisit?: boolean;
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** All of them. */
export class Doors {
  /** By path. */
  readonly waysIn: Readonly<Record<string, Way>>;
  readonly #options: DoorsOptions;
  readonly #sessions: Sessions;

  constructor(options: DoorsOptions, sessions: Sessions) {
    this.#options = options;
    this.#sessions = sessions;
    const { oidc, clock } = options;
    this.waysIn = {
      "/auth/link": { answer: (request, response) => this.#byLink(request, response) },
      "/auth/ways": { answer: async (_, response) => answerJson(response, 200, { oidc: oidc !== undefined }) },
      "/auth/sign-out": { answer: async (request, response) => this.#signOut(request, response) },
      ...(oidc === undefined ? {} : this.#byProvider(new OpenIdConnect(oidc, clock))),
    };
  }

  async #byLink(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const link = linkIn((await readBody(request)).toString());
    try {
      const credential = await openLink(this.#options.client, link);
      answerJson(response, 200, await this.#letIn(identityOf(credential), response));
    } catch (error) {
      if (error instanceof LinkSpent) return refuse(response, 401, "Unauthorized", error.message);
      if (!isUnknown(error)) throw error;
      refuse(response, 401, "Unauthorized", "The API server does not know who made this link.");
    }
  }

  #byProvider(provider: OpenIdConnect): Readonly<Record<string, Way>> {
    return {
      "/auth/oidc": {
        isVisit: true,
        answer: (_, response) =>
          this.#orBack(response, async () => {
            const { location, state } = await provider.depart();
            setState(response, state);
            redirect(response, location);
          }),
      },
      [callbackPath]: {
        isVisit: true,
        answer: (request, response) =>
          this.#orBack(response, async () => {
            const { search } = new URL(request.url ?? "", "https://console");
            setState(response, undefined);
            await this.#letIn(await provider.arrive(search, stateOf(request) ?? ""), response);
            redirect(response, "/");
          }),
      },
    };
  }

  /** Or to the page that says why nobody is signed in. */
  async #orBack(response: ServerResponse, attempt: () => Promise<void>): Promise<void> {
    try {
      await attempt();
    } catch (error) {
      if (!isUnknown(error) && !(error instanceof SignInFailed)) throw error;
      this.#options.log.warn("cannot sign in", { error });
      redirect(response, `/sign-in?failed=${error instanceof SignInFailed ? error.why : "unknown"}`);
    }
  }

  /** @throws {StatusError} Unauthorized: the API server does not know them */
  async #letIn(identity: Identity, response: ServerResponse): Promise<Person> {
    const { id, person } = await this.#sessions.begin(identity);
    this.#options.log.info("signed in", { user: person.name });
    setSession(response, id);
    return person;
  }

  #signOut(request: IncomingMessage, response: ServerResponse): void {
    const id = sessionIdOf(request);
    if (id !== undefined) this.#sessions.end(id);
    setSession(response, undefined);
    answerJson(response, 200, {});
  }
}

/** The link that a body holds; "", which opens nothing, when it holds none. */
function linkIn(body: string): string {
  try {
    const { link } = JSON.parse(body) as { link?: unknown };
    return typeof link === "string" ? link : "";
  } catch {
    return "";
  }
}

const isUnknown = (error: unknown): boolean => error instanceof StatusError && error.reason === "Unauthorized";
