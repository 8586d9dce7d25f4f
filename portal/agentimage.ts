/**
 * The name of the fleet agent's image, which the hub's gateway makes and serves. Browsers cannot ask the gateway: it is of
 * another origin, and shows a certificate of the hub's own.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import { readText } from "@atoll/client/lines";
import { answerJson, refuse } from "./answer.ts";
import type { Session } from "./sessions.ts";

/** Where the page asks for it. */
export const agentImagePath = "/gateway/agent-image";

/** Where the gateway says it is. Source: fleet/gateway/published.ts */
const published = "/api/v1/namespaces/atoll-fleet/configmaps/gateway";

/** Where a gateway is, and what proves it, PEM. */
interface Gateway {
  readonly url: string;
  readonly ca: string;
}

/** Answers with `{"image":"HOST:PORT/REPOSITORY@sha256:…"}`, for who may read where the gateway is. */
export async function answerAgentImage(
  request: IncomingMessage,
  response: ServerResponse,
  { transport, ended }: Session,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const signal = AbortSignal.any([gone.signal, ended]);
  const { status, body } = await transport.request({
    method: "GET",
    path: published,
    headers: { accept: request.headers.accept ?? "application/json" },
    signal,
  });
  const told = JSON.parse(await readText(body)) as { data?: Readonly<Record<string, string>>; message?: string };
  const { url = "", "ca.crt": ca = "" } = told.data ?? {};
  if (status !== 200 || url === "")
    return refuse(response, status === 200 ? 404 : status, "Refused", told.message ?? "No gateway has served yet.");
  try {
    answerJson(response, 200, { image: `${new URL(url).host}/${await agentImage({ url, ca }, signal)}` });
  } catch (error) {
    if (signal.aborted) return;
    refuse(response, 502, "ServiceUnavailable", error instanceof Error ? error.message : String(error));
  }
}

/**
 * Asks a gateway for the agent's image, which may have to be made first: that takes minutes.
 * @returns `REPOSITORY@sha256:…`
 * @throws {Error} it does not answer, or has none
 */
export async function agentImage({ url, ca }: Gateway, signal?: AbortSignal): Promise<string> {
  return await new Promise((done, fail) => {
    const options = signal === undefined ? { ca } : { ca, signal };
    const sent = httpsRequest(new URL("/agent-image", url), options, (response) => {
      text(response)
        .then((body) => {
          const image: unknown = response.statusCode === 200 ? JSON.parse(body).image : undefined;
          if (typeof image === "string") done(image);
          else
            fail(
              new Error(
                `the gateway at ${url} has no image of the agent (status ${response.statusCode}); its log says why`,
              ),
            );
        })
        .catch(fail);
    });
    sent.on("error", (cause) => fail(new Error(`the gateway at ${url} does not answer: ${cause.message}`, { cause })));
    sent.end();
  });
}
