/** The console's page, built from its sources when they are newer than what was built: a digest says so. */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

const root = join(import.meta.dirname, "..");
const sources = join(root, "console");
const cache = join(root, "node_modules", ".cache", "atoll");
const compressible = /\.(js|css|html|svg)$/;
const folderName = /^console-[0-9a-f]{16}$/;
/** What the build leaves beside the page: the sources that it read. vite.config.ts writes it. */
const sourcesFile = "sources.list";
const compress = promisify(brotliCompress);

/**
 * The folder of the built page; builds it first where it is missing.
 * @throws {Error} it cannot be built; what the builder said is on standard error
 */
export async function consoleBundle(): Promise<string> {
  await mkdir(cache, { recursive: true });
  const current = await findCurrent();
  if (current !== undefined) return current;
  const draft = join(cache, `console.${randomBytes(4).toString("hex")}`);
  try {
    await build(draft);
    await compressAll(draft);
    const folder = folderOf(await digestOf(draft));
    await removeOthers(folder);
    // Two starts at once may both build; either result serves.
    await rename(draft, folder).catch(() => undefined);
    return folder;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

const folderOf = (digest: string): string => join(cache, `console-${digest}`);

const builtFolders = async (): Promise<readonly string[]> =>
  (await readdir(cache)).filter((name) => folderName.test(name)).map((name) => join(cache, name));

/** What was built from sources that are still the same. */
async function findCurrent(): Promise<string | undefined> {
  for (const folder of await builtFolders()) {
    const digest = await digestOf(folder).catch(() => "");
    if (folder === folderOf(digest)) return folder;
  }
  return undefined;
}

/** Of all that a page was made of: the sources that it read, and by the lock file everybody else's. */
async function digestOf(folder: string): Promise<string> {
  const names = JSON.parse(await readFile(join(folder, sourcesFile), "utf8")) as readonly string[];
  const hash = createHash("sha256");
  for (const name of [...names, "package-lock.json"]) {
    hash
      .update(name)
      .update("\0")
      .update(await readFile(join(root, name)));
  }
  return hash.digest("hex").slice(0, 16);
}

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
  const old = (await builtFolders()).filter((path) => path !== folder);
  await Promise.all(old.map(async (path) => await rm(path, { recursive: true, force: true })));
}
