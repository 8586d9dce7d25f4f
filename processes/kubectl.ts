/** `atoll kubectl …`: the kubectl that comes with the install, on the data directory's admin kubeconfig. */
import { runClient } from "./clients.ts";
import { exitCode } from "./flags.ts";
import { clientKubeconfig } from "./kubeconfig.ts";

/** @param args kubectl's own; `--data DIR` first names another data directory */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const { kubeconfig, rest } = clientKubeconfig(args);
    return await runClient("kubectl", rest, kubeconfig);
  });
}
