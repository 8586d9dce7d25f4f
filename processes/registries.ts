/** How this host reaches image registries: `registries.json` in the data directory, for who needs other than the usual. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { RegistrySettings } from "@atoll/images/registry/transport";

/** The file as it is written. */
interface RegistriesFile {
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
  readonly insecure?: readonly string[];
  /** PEM files by host. */
  readonly authorities?: Readonly<Record<string, string>>;
}

const known = ["mirrors", "insecure", "authorities"];

/**
 * `{"mirrors": {"docker.io": ["https://mirror:5000"]}, "insecure": ["localhost:5000"], "authorities": {"reg.corp": "ca.pem"}}`.
 * Proxies are taken from the environment.
 * @throws {Error} the file, or one that it names, cannot be read; or it has something that is not known
 */
export async function registriesOf(data: string): Promise<RegistrySettings> {
  const path = join(data, "registries.json");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "{}";
    throw error;
  });
  const { mirrors = {}, insecure = [], authorities = {}, ...rest } = parse(path, text);
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new Error(`${path}: ${unknown} is none of ${known.join(", ")}`);
  const pems = Object.entries(authorities).map(
    async ([host, file]) => [host, await readFile(resolve(data, file), "utf8")] as const,
  );
  return { mirrors, insecure, authorities: Object.fromEntries(await Promise.all(pems)), proxyEnvironment: process.env };
}

function parse(path: string, text: string): RegistriesFile {
  try {
    return JSON.parse(text) as RegistriesFile;
  } catch (cause) {
    throw new Error(`${path} is no JSON`, { cause });
  }
}
