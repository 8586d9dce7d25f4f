/** The API server through the portal, as the packages that reckon with whole organizations want it: a client over fetch. */
import { Client } from "@atoll/client/client";
import { type Transport, TransportFailed } from "@atoll/client/transport";
import { systemClock } from "@atoll/machinery/clock";
import { ownHeader } from "./call.ts";

const transport: Transport = {
  async request({ method, path, headers, body, signal }) {
    const sent = body === undefined ? {} : { body: body as BodyInit };
    const answer = await fetch(`/hub${path}`, {
      method,
      headers: { ...headers, ...ownHeader },
      signal: signal ?? null,
      ...sent,
    }).catch((cause: unknown) => {
      throw new TransportFailed("The console does not answer. Is it still running?", { cause, uncertain: true });
    });
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: piecesOf(answer) };
  },
  close() {},
};

async function* piecesOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  for (;;) {
    const { done = true, value } = (await reader?.read()) ?? {};
    if (done || value === undefined) return;
    yield value;
  }
}

/** A client with the rights of who is signed in. */
export const hubClient = (): Client =>
  new Client({ transport, clock: systemClock, userAgent: "atoll-console", attempts: 2 });
