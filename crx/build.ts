/** Compiles the guest's init and the host's shim: static programs, kept in the cache by the digest of their sources. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { digestOf, exists, shortDigest, writeWhole } from "./cache.ts";
import { protocolHeader } from "./channel/header.ts";
import { run } from "./run.ts";

/** A compiled program. `digest` is that of its sources, header and options. */
export interface Program {
  readonly path: string;
  readonly digest: string;
}

/** How to compile. `test` adds sanitizers and is not static. */
export type Flavour = "release" | "test";

const here = dirname(fileURLToPath(import.meta.url));

const warnings = [
  ..."-Wall -Wextra -Werror -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes".split(" "),
  // A path that does not fit is cut and then not found, which is what shall happen.
  "-Wno-format-truncation",
];
const hardening = ["-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-fno-strict-aliasing"];
/** musl has no kernel headers of its own; the host's come after everything else. */
const kernelHeaders = ["-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"];

const compilers: Record<Flavour, { readonly command: string; readonly options: readonly string[] }> = {
  release: { command: "musl-gcc", options: ["-static", "-O2", "-s", ...hardening, ...kernelHeaders] },
  test: { command: "gcc", options: ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"] },
};

/**
 * Compiles a program, or finds it in the cache.
 * @param name a folder of C files beside this module; `hostile` is for tests
 * @throws {ProgramFailed} the compiler's errors
 */
export async function buildProgram(
  name: "init" | "shim" | "hostile",
  options: { cache: string; flavour?: Flavour },
): Promise<Program> {
  const { command, options: flags } = compilers[options.flavour ?? "release"];
  const folder = join(here, name);
  const files = (await readdir(folder)).filter((each) => /\.[ch]$/.test(each)).sort();
  const texts = await Promise.all(files.map((each) => readFile(join(folder, each))));
  const header = protocolHeader();
  const args = ["-std=gnu11", "-D_GNU_SOURCE", ...warnings, ...flags];
  const digest = digestOf(header, command, ...args, ...files, ...texts);
  const target = join(options.cache, "programs", `${name}-${shortDigest(digest)}`);
  if (await exists(target)) return { path: target, digest };
  await mkdir(dirname(target), { recursive: true });
  const draft = await mkdtemp(join(dirname(target), ".draft-"));
  try {
    await writeWhole(join(draft, "protocol.h"), header);
    const sources = files.filter((each) => each.endsWith(".c")).map((each) => join(folder, each));
    const build = `-DCRX_BUILD="${shortDigest(digest)}"`;
    await run(command, [...args, build, `-I${draft}`, "-o", join(draft, name), ...sources]);
    await chmod(join(draft, name), 0o755);
    await rename(join(draft, name), target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return { path: target, digest };
}
