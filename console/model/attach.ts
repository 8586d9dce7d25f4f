/**
 * Attaching a cluster: it is told to the hub, and gets its agent, as a manifest that is applied there, or run by hand. One
 * token is good for either, once.
 */
import { attachObjects } from "@atoll/fleet/attach/manifest";
import { type Expected, expectCluster, makeToken } from "@atoll/fleet/gateway/offer";
import { isLoopback, type PublishedGateway, publishedGateway } from "@atoll/fleet/gateway/published";
import { systemClock } from "@atoll/machinery/clock";
import { stringify } from "yaml";
import { send } from "./call.ts";
import { hubClient } from "./hub.ts";

/** What is wanted. */
interface Wish extends Expected {
  /** Whether people may reach its API through the hub. */
  readonly reachable: boolean;
}

/** A cluster that the hub waits for. */
export interface Awaited {
  readonly name: string;
  readonly gateway: PublishedGateway;
  readonly token: string;
  readonly reachable: boolean;
}

/**
 * Tells the hub of the cluster, unless it knows.
 * @throws {StatusError} as the hub refuses; {Error} its controllers do not answer
 */
export async function attach({ reachable, ...expected }: Wish): Promise<Awaited> {
  const client = hubClient();
  const home = await expectCluster(client, expected, systemClock);
  const [gateway, token] = [await publishedGateway(client), await makeToken(client, home, systemClock)];
  return { name: expected.name, gateway, token, reachable };
}

/** Whether no other host reaches the gateway. */
export const isOutOfReach = ({ gateway }: Awaited): boolean => isLoopback(gateway);

/** Where the nodes pull the agent's image. */
export const registryOf = ({ gateway }: Awaited): string => new URL(gateway.url).host;

/**
 * One command that attaches the cluster wherever kubectl reaches it. The image may have to be made first: that takes minutes.
 * @throws {CallFailed} the gateway has no image
 */
export async function manifestOf(awaited: Awaited, signal: AbortSignal): Promise<string> {
  const answer = await send("/gateway/agent-image", { signal });
  const { image } = (await answer.json()) as { image: string };
  const { gateway, token, reachable } = awaited;
  const objects = await attachObjects({ gateway, token, image, reachable: reachable ? "hub" : undefined });
  const documents = objects.map((object) => `---\n${stringify(object, { lineWidth: 0 })}`).join("");
  return `kubectl apply -f - <<'END'\n${documents}END\n`;
}

/** Lines to paste where both the cluster and the hub can be reached. Names of clusters are DNS labels: there is nothing to quote. */
export function byHand({ name, gateway: { url, ca }, token, reachable }: Awaited): string {
  return [
    `cat > ${name}-gateway.crt <<'END'`,
    ca.trim(),
    "END",
    `(umask 077; echo ${token} > ${name}-token)`,
    `./atoll fleet-agent --gateway ${url} --gateway-ca ${name}-gateway.crt --token-file ${name}-token${reachable ? " --reachable" : ""} \\`,
    '  --kubeconfig "${KUBECONFIG:-$HOME/.kube/config}"',
    "",
  ].join("\n");
}
