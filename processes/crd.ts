/** `atoll crd`: prints the CustomResourceDefinitions of Atoll's own kinds and what guards them, for installing on another Kubernetes. */
import { definitionOf } from "@atoll/api/own/definition";
import { formatYaml } from "@atoll/machinery/yaml/format";
import { exitCode, flags } from "./flags.ts";
import { guards, kinds } from "./kinds.ts";

/** @param args none */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    flags("atoll crd", "Prints the CRDs of Atoll's own kinds: ./atoll crd | kubectl apply --server-side -f -").parse(
      args,
      {
        from: "user",
      },
    );
    process.stdout.write(
      [...kinds.map(definitionOf), ...guards].map((object) => `---\n${formatYaml(object)}`).join(""),
    );
    return 0;
  });
}
