/** The console's page, built from its sources when they are newer than what was built: a digest says so. */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

const root = join(import.meta.dirname, "..");
const sources = join(root, "console");
const cache = join(root, "node_modules", ".cache", "atoll");
const built = /\.(tsx?|css|html|json|svg)$/;
const compressible = /\.(js|css|html|svg)$/;
const compress = promisify(brotliCompress);

/**
 * The folder of the built page; builds it first where it is missing.
 * @throws {Error} it cannot be built; what the builder said is on standard error
 */
export async function consoleBundle(): Promise<string> {
  const folder = join(cache, `console-${await digest()}`);
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${randomBytes(4).toString("hex")}`;
  try {
    await build(draft);
    await compressAll(draft);
    await removeOthers(folder);
    // Two starts at once may both build; either result serves.
    await rename(draft, folder).catch(() => undefined);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return folder;
}

/** Of all that the page is made of: its own sources, and by the lock file everybody else's. */
async function digest(): Promise<string> {
  const hash = createHash("sha256");
  const names = (await readdir(sources, { recursive: true })).filter((name) => built.test(name) && !isElse(name));
  for (const name of names.toSorted())
    hash
      .update(name)
      .update("\0")
      .update(await readFile(join(sources, name)));
  hash.update(await readFile(join(root, "package-lock.json")));
  return hash.digest("hex").slice(0, 16);
}

const isElse = (name: string): boolean => name.includes("node_modules") || name.endsWith(".test.ts");

async function build(folder: string): Promise<void> {
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  const args = [vite, "build", "--logLevel", "warn", "--outDir", folder, "--emptyOutDir"];
  const child = spawn(process.execPath, args, { cwd: sources, stdio: ["ignore", 2, 2] });
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("exit", done);
  });
  if (code !== 0) throw new Error("the console could not be built; see above");
}

async function compressAll(folder: string): Promise<void> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => compressible.test(name));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
  await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      await writeFile(`${path}.br`, await compress(await readFile(path), { params }));
    }),
  );
}

/** What earlier sources were built to. A console that serves has read all of it. */
async function removeOthers(folder: string): Promise<void> {
  const names = (await readdir(cache)).filter((name) => /^console-[0-9a-f]{16}$/.test(name));
  const old = names.map((name) => join(cache, name)).filter((path) => path !== folder);
  await Promise.all(old.map(async (path) => await rm(path, { recursive: true, force: true })));
}
