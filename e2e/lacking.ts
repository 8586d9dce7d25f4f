/** What this host lacks for tests that start machines. */
import { missingForTests } from "@atoll/processes/hostpackages";

/** @returns why such a test is to be skipped; false when nothing is lacking, as `skip` of a test takes it */
export async function lacking(): Promise<string | false> {
  if (process.getuid?.() !== 0) return "needs root";
  const packages = await missingForTests();
  return packages.length > 0 && `needs ${packages.join(" ")}: sudo ./atoll test installs them`;
}
