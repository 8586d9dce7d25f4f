/**
 * The gateway's image: Debian's HAProxy, the libraries that it loads, and a shell to mind it. Each host makes it for itself
 * when a pod first wants it, so that no registry is needed.
 */
import { execFile } from "node:child_process";
import { copyFile, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { gatewayFolder, gatewayImage } from "@atoll/api/supervisor/gateway";
import { unpackDebian } from "@atoll/images/build/base";
import { buildImage } from "@atoll/images/build/build";
import type { ImageStore, StoredImage } from "@atoll/images/store/store";
import type { OwnImages } from "@atoll/spherelet/pods/imagery";

const suite = "trixie";
const busybox = "/bin/busybox";

/**
 * A volume's files change all at once, by a link. The proxy then starts new workers, to which it hands its sockets; the old ones
 * end when their requests have. A configuration that it would not take is not given to it.
 * Source: HAProxy management guide 3.0, section 4 (SIGUSR1, SIGUSR2)
 */
const script = `#!/bin/busybox sh
folder=${gatewayFolder}
seen=$(readlink $folder/..data)
haproxy -W -f $folder/haproxy.cfg &
proxy=$!
trap 'kill -USR1 $proxy' TERM INT
while kill -0 $proxy 2>/dev/null; do
  sleep 1 &
  wait $!
  now=$(readlink $folder/..data)
  [ "$now" = "$seen" ] && continue
  seen=$now
  if haproxy -c -q -f $folder/haproxy.cfg; then kill -USR2 $proxy
  else echo "the new configuration is not taken" >&2
  fi
done
wait $proxy
`;

const containerfile = `FROM scratch
COPY root/ /
RUN ["/bin/busybox", "--install", "/bin"]
RUN ["/bin/chmod", "755", "/usr/bin/gateway"]
ENV PATH=/usr/sbin:/usr/bin:/bin
USER 65532:65532
CMD ["/usr/bin/gateway"]
`;

/** The images that a host of ours makes. Whoever asks while one is being made gets the same. */
export function gatewayImages(): OwnImages {
  let making: Promise<StoredImage> | undefined;
  return {
    make(image, store) {
      if (image !== gatewayImage) return undefined;
      making ??= build(store).finally(() => (making = undefined));
      return making;
    },
  };
}

async function build(store: ImageStore): Promise<StoredImage> {
  const folder = await mkdtemp(join(tmpdir(), "atoll-gateway-"));
  try {
    const [debian, root] = [join(folder, "debian"), join(folder, "root")];
    await unpackDebian(suite, { packages: ["haproxy"], folder: debian });
    await copyProgram("usr/sbin/haproxy", { from: debian, to: root });
    for (const each of ["bin", "usr/bin", "tmp"]) await mkdir(join(root, each), { recursive: true });
    await copyFile(busybox, join(root, "bin/busybox"));
    await writeFile(join(root, "usr/bin/gateway"), script, { mode: 0o755 });
    await writeFile(join(folder, "Containerfile"), containerfile);
    await writeFile(join(folder, ".containerignore"), "debian\n");
    return await buildImage(folder, gatewayImage, { store });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A program with all that its loader finds for it. */
async function copyProgram(
  program: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  const [libraries, loader] = await loaderOf(from);
  const args = ["--library-path", join(from, libraries), "--list", join(from, program)];
  const { stdout } = await promisify(execFile)(join(from, libraries, loader), args);
  const found = [...stdout.matchAll(/=> (\S+) \(/g)].flatMap(([, path = ""]) => (path.startsWith(from) ? [path] : []));
  for (const folder of [dirname(program), libraries]) await mkdir(join(to, folder), { recursive: true });
  await copyFile(join(from, program), join(to, program));
  for (const path of [...found, join(from, libraries, loader)])
    await copyFile(path, join(to, libraries, basename(path)));
  // The program names its loader by a path that leads there by links.
  for (const [link, target] of [
    ["lib", "usr/lib"],
    ["lib64", "usr/lib64"],
  ] as const)
    await symlink(target, join(to, link));
  await cp(join(from, "usr/lib64"), join(to, "usr/lib64"), { recursive: true, verbatimSymlinks: true }).catch(
    () => undefined,
  );
  const direct = join("usr/lib", loader);
  await cp(join(from, direct), join(to, direct), { verbatimSymlinks: true }).catch(() => undefined);
}

/** @returns the folder of the libraries, and the loader in it */
async function loaderOf(root: string): Promise<readonly [string, string]> {
  for (const each of await readdir(join(root, "usr/lib"), { withFileTypes: true })) {
    if (!each.isDirectory() || !each.name.endsWith("-linux-gnu")) continue;
    const libraries = join("usr/lib", each.name);
    const loader = (await readdir(join(root, libraries))).find((name) => name.startsWith("ld-linux"));
    if (loader !== undefined) return [libraries, loader];
  }
  throw new Error(`there is no loader below ${root}`);
}
