/** `atoll crx build-kernel`: the small kernel, in place of Debian's. */
import { resolve } from "node:path";
import { buildSmallKernel } from "@atoll/crx/kernel/small";
import { packagesFor } from "@atoll/crx/packages";
import { systemClock } from "@atoll/machinery/clock";
import { defaultData } from "./datadir.ts";
import { exitCode, flags, UsageError } from "./flags.ts";
import { installPackages, missingOf } from "./hostpackages.ts";
import { cacheFor } from "./machinehost.ts";

/** @param args a subcommand and its own */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const command = flags("atoll crx", "Micro-VMs on this host.");
    command.action(() => {
      throw new UsageError(command.helpInformation());
    });
    command
      .command("build-kernel")
      .description(
        "builds the small guest kernel from Debian's source (5 to 15 minutes); machines started later use it",
      )
      .option("--data <dir>", "the data directory of up", defaultData())
      .action(async ({ data }: { data: string }) => await buildKernel(resolve(data)));
    await command.parseAsync(args, { from: "user" });
    return 0;
  });
}

async function buildKernel(data: string): Promise<void> {
  const missing = await missingOf(packagesFor("build", "build-kernel"));
  if (missing.length > 0) {
    process.stdout.write(`Debian packages to install: ${missing.join(" ")}\n`);
    await installPackages(missing);
  }
  const beganMs = systemClock.monotonicMs();
  const kernel = await buildSmallKernel(await cacheFor(data), (step) => process.stdout.write(`  ${step}\n`));
  const minutes = ((systemClock.monotonicMs() - beganMs) / 60_000).toFixed(1);
  process.stdout.write(`${kernel.release} in ${minutes} minutes, ${kernel.vmlinuxDigest}\n`);
}
