/**
 * `atoll why`: explains from live state. Two arguments ask whether one pod reaches another; one asks which policies of
 * Mission Control decide on an object.
 */
import { whyConnection } from "./why/connection.ts";
import { whyDecisions } from "./why/decisions.ts";
import type { WhyOptions } from "./why/options.ts";
import { exitCode, UsageError } from "./flags.ts";
import { hubFlags } from "./hub.ts";
import { adminKubeconfig } from "./kubeconfig.ts";

/** @param args what is asked, and flags */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const command = hubFlags(
      "atoll why",
      "POD-A POD-B:PORT: what lets one pod reach another, or refuses it. KIND/NAME --cluster C: which policies decide on an object.",
    )
      .argument(
        "<what>",
        "a pod, as web or shop/web; or an address outside; or an object, as Pod/web or deployments/web",
      )
      .argument("[pod:port]", "the pod that is to be reached, and its port or the port's name")
      .option("--cluster <name>", "of an object: the cluster it is on")
      .option("-n, --namespace <namespace>", "of what is named without one", "default")
      .option("--org <namespace>", "the organization", "default")
      .option("--udp", "the connection is UDP")
      .parse(args, { from: "user" });
    const [what = "", reached] = command.args;
    const { data, ...options } = command.opts<WhyOptions & { data?: string }>();
    const kubeconfig = adminKubeconfig(data);
    if (reached !== undefined) {
      const { allowed, text } = await whyConnection(kubeconfig, { from: what, reached }, options);
      process.stdout.write(text);
      return allowed ? 0 : 1;
    }
    if (options.cluster === undefined)
      throw new UsageError("of an object: --cluster CLUSTER; of a connection: ./atoll why POD-A POD-B:PORT");
    process.stdout.write(await whyDecisions(kubeconfig, what, { ...options, cluster: options.cluster }));
    return 0;
  });
}
