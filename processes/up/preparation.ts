/** What pods need of a host before the first of them runs, shown as steps. */
import type { Verdict } from "@atoll/crx/host";
import { installPackages, missingPackages } from "../hostpackages.ts";
import { machineHostOf, verdictFor } from "../machinehost.ts";
import { step } from "./steps.ts";

/** Programs, as Debian packages. */
export async function preparePackages(): Promise<void> {
  await bringPackages(await missingPackages());
}

/** @throws {Error} apt-get could not */
export async function bringPackages(missing: readonly string[]): Promise<void> {
  if (missing.length === 0) return;
  process.stdout.write(`  Debian packages to install: ${missing.join(" ")}\n`);
  await step("installing them", async () => await installPackages(missing));
}

/** The guest's kernel, and the word on how guests are executed. */
export async function prepareGuests(data: string): Promise<void> {
  const verdict = await verdictFor(data);
  process.stdout.write(`${describeVerdict(verdict)}\n`);
  await step("guest kernel, init and shim", async () => await machineHostOf(data, verdict));
}

/** What QEMU itself said is long, and in the conditions of the Node. */
function describeVerdict({ accelerator, reason: whole }: Verdict): string {
  const [reason] = whole.split(" (");
  return accelerator === "kvm"
    ? `Machines run under KVM, at the processor's own speed: ${reason}.`
    : `Machines are emulated (TCG): ${reason}. Everything works; programs in pods run about 8 times slower.`;
}
