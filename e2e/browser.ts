/** Debian's Chromium, as tests drive it. */
import { existsSync } from "node:fs";
import { installPackages, missingOf } from "@atoll/processes/hostpackages";
import { type Browser, chromium } from "playwright-core";

const program = "/usr/bin/chromium";

/** Quiet: nothing but what the pages ask for goes over the network. `--no-sandbox`, for tests run as root. */
const options = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Why there is no browser and cannot be; undefined when there is one, or root can bring it. */
export const noBrowser = (): string | undefined =>
  existsSync(program) || process.getuid?.() === 0 ? undefined : "Chromium is missing: apt-get install chromium";

/**
 * Starts Chromium; installs it first where it is missing.
 * @param how.program runs it, if not itself: a script that hands its arguments on
 * @param how.args more flags
 */
export async function openBrowser(
  how: { readonly program?: string; readonly args?: readonly string[] } = {},
): Promise<Browser> {
  if (!existsSync(program)) await installPackages(await missingOf(["chromium"]));
  return await chromium.launch({ executablePath: how.program ?? program, args: [...options, ...(how.args ?? [])] });
}
