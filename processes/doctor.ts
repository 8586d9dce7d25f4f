/** `atoll doctor`: examines the host. */
import { resolve } from "node:path";
import { probeAccelerator } from "@atoll/crx/accelerator";
import { describeFindings } from "@atoll/cli/finding";
import { examine } from "@atoll/cli/doctor";
import { systemClock } from "@atoll/machinery/clock";
import { defaultData } from "./datadir.ts";
import { exitCode, flags } from "./flags.ts";
import { installCommand, missingPackages } from "./hostpackages.ts";
import { cacheFor, probeHome } from "./machinehost.ts";
import { readRecord, runs } from "./up/running.ts";
import { planned } from "./up/settings.ts";

/** @param args `--data DIR`, `-o json`. @returns 1 when pods could not run here */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const command = flags(
      "atoll doctor",
      "Examines the host: one line each, with the mend. Exits with 1 when pods could not run.",
    );
    command.option("--data <dir>", "the data directory that up has or will have", defaultData());
    command.option("-o, --output <format>", "json, for programs");
    command.parse(args, { from: "user" });
    const { data: given, output } = command.opts<{ data: string; output?: string }>();
    const data = resolve(given);
    const record = await readRecord(data);
    const { apiPort, kubeletPort } = await planned(data);
    const missing = await missingPackages();
    const findings = await examine({
      data,
      missing,
      installCommand: installCommand(missing).join(" "),
      probe: async () =>
        await probeAccelerator({ cache: await cacheFor(data), home: probeHome(data), clock: systemClock, again: true }),
      ports: { API: { address: "127.0.0.1", port: apiPort }, "node's API": { address: "0.0.0.0", port: kubeletPort } },
      isUp: record !== undefined && (await runs(record.up)),
    });
    process.stdout.write(
      output === "json" ? `${JSON.stringify(findings, undefined, 2)}\n` : describeFindings(findings),
    );
    return findings.some(({ state }) => state === "bad") ? 1 : 0;
  });
}
