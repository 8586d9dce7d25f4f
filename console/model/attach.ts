/** Attaching a cluster: it is told to the hub, and whoever runs its agent gets what the agent needs. */
import { type Expected, expectCluster, makeToken } from "@atoll/fleet/gateway/offer";
import { publishedGateway } from "@atoll/fleet/gateway/published";
import { systemClock } from "@atoll/machinery/clock";
import { hubClient } from "./hub.ts";

/** What is wanted. */
interface Wish extends Expected {
  /** Whether people may reach its API through the hub. */
  readonly reachable: boolean;
}

/**
 * Tells the hub of the cluster, unless it knows.
 * @returns commands for a shell that reaches the cluster and the hub; the token in them is good once, for ten minutes
 * @throws {StatusError} as the hub refuses; {Error} its controllers do not answer
 */
export async function attach({ reachable, ...expected }: Wish): Promise<string> {
  const client = hubClient();
  const home = await expectCluster(client, expected, systemClock);
  const [gateway, token] = [await publishedGateway(client), await makeToken(client, home, systemClock)];
  return commandsFor(expected.name, { ...gateway, token, reachable });
}

interface Given {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
  readonly reachable: boolean;
}

/** Lines to paste. Names of clusters are DNS labels: there is nothing to quote. */
function commandsFor(name: string, { url, ca, token, reachable }: Given): string {
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
