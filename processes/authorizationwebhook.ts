/** The way to an authorization webhook, by the kubeconfig that says where it is and who this server is to it. */
import { systemClock } from "@atoll/machinery/clock";
import { parseJson } from "@atoll/machinery/json/json";
import { type Kubeconfig, openKubeconfig } from "@atoll/runtime/kubeconfig";
import { TransportFailed } from "@atoll/client/transport";
import { type ReviewClient, WebhookUnavailable } from "@atoll/server/authorize/webhook/authorizer";

const largestAnswer = 1024 * 1024;
const maxDepth = 100;
/** Answers after which asking again may help. Source: k8s.io/apiserver/pkg/util/webhook (DefaultShouldRetry) */
const passing: ReadonlySet<number> = new Set([429, 500]);

/** Opens the kubeconfig when the webhook is first asked; one that cannot be opened is tried again at the next question. */
export function connectWebhook(path: string): ReviewClient {
  let opened: Promise<Kubeconfig> | undefined;
  return {
    async ask(review, timeoutMs) {
      opened ??= openKubeconfig({ path, clock: systemClock });
      const kubeconfig = await opened.catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      return await post(kubeconfig, review, timeoutMs);
    },
    close() {
      opened?.then(
        ({ transport }) => transport.close(),
        () => undefined,
      );
    },
  };
}

async function post({ transport, context }: Kubeconfig, review: object, timeoutMs: number): Promise<unknown> {
  const { pathname, search, href } = new URL(context.server);
  const signal = AbortSignal.timeout(timeoutMs);
  // The transport puts the URL's path in front, without a slash at its end.
  const path = `${pathname.endsWith("/") ? "/" : ""}${search}`;
  const headers = { "content-type": "application/json", accept: "application/json" };
  try {
    const answer = await transport.request({ method: "POST", path, headers, body: JSON.stringify(review), signal });
    const body = await whole(answer.body);
    if (passing.has(answer.status)) throw new WebhookUnavailable(`${href} answers ${answer.status}`);
    if (answer.status < 200 || answer.status > 299) throw new Error(`${href} answers ${answer.status}`);
    return parseJson(body, { maxDepth }).value;
  } catch (cause) {
    if (signal.aborted) throw new Error(`${href}: no answer within ${timeoutMs} ms`, { cause });
    if (cause instanceof TransportFailed) throw new WebhookUnavailable(`${href}: ${cause.message}`, { cause });
    throw cause;
  }
}

async function whole(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > largestAnswer) throw new Error(`the answer is larger than ${largestAnswer} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
