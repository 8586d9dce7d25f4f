/**
 * Builds an image from a folder with a Containerfile: Debian's buildah, no daemon, chroot isolation. buildah has storage of
 * its own below the store and never asks a registry: what a build starts from comes out of our store, where it was
 * pulled, imported or, for `debian:SUITE`, made by mmdebstrap.
 *
 * A build runs the Containerfile's commands as root in a chroot on this host: build only what you would run here.
 * Source: buildah-build(1); docs/rfd/0011-images.md
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type Digest, hexOf } from "../digest.ts";
import { ImageBuildFailed } from "../errors.ts";
import { hostPlatform, type ImagePuller } from "../pull.ts";
import { formatReference, parseReference } from "../registry/reference.ts";
import { importArchive } from "../store/archive.ts";
import { locked, privateDirectory, temporaryName } from "../store/files.ts";
import { exportLayout, hasLayers } from "../store/layout.ts";
import type { ImageStore, StoredImage } from "../store/store.ts";
import { debianBaseOf, makeDebianBase } from "./base.ts";
import { basesOf, checkContainerfile } from "./containerfile.ts";
import { StepFollower } from "./steps.ts";
import { run } from "./run.ts";

/** What to build and with what. */
export interface BuildOptions {
  readonly store: ImageStore;
  /** For bases that are not in the store and are no Debian release; without it such a build fails. */
  readonly puller?: ImagePuller;
  /** Path of the Containerfile; `Containerfile` or `Dockerfile` in the folder when left out. */
  readonly file?: string;
  /** Values for ARG. */
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** The stage to end with. */
  readonly target?: string;
  /** Whether layers are packed, as is right for images that travel. */
  readonly compress?: boolean;
  /** Time for the image and all its files, seconds since the epoch: then equal inputs give equal images. */
  readonly timestampS?: number;
  /**
   * Whether each instruction makes a layer that later builds take over: for a day, as packages change, and while the
   * instruction, what it copies and everything before it are the same.
   */
  readonly cache?: boolean;
  /** Output of the tools, as it comes. */
  readonly onOutput?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Builds the folder and adds the image to the store.
 * @param dir the build's context
 * @param ref name for the image
 * @throws {ImageBuildFailed} {ImagePullFailed} {ImageRefused}
 */
export async function buildImage(dir: string, ref: string, options: BuildOptions): Promise<StoredImage> {
  if (process.getuid?.() !== 0) throw new ImageBuildFailed("building an image needs root");
  const name = formatReference(parseReference(ref));
  const file = await containerfileOf(dir, options.file);
  for (const remark of checkContainerfile(file.text)) options.onOutput?.(`${remark}\n`);
  const bases = new Map<string, StoredImage>();
  for (const base of basesOf(file.text, options.buildArgs)) bases.set(base, await baseImage(base, options));
  const { store, signal } = options;
  await privateDirectory(join(store.dir, "build"));
  return locked(join(store.dir, "build/lock"), { clock: store.clock, signal }, async () => {
    const buildah = await Buildah.open(options);
    for (const [base, image] of bases) await buildah.load(image, base);
    return produce(buildah, { dir, file, name }, options);
  });
}

interface Containerfile {
  readonly path: string;
  readonly text: string;
}

interface BuildInput {
  readonly dir: string;
  readonly file: Containerfile;
  readonly name: string;
}

async function produce(buildah: Buildah, input: BuildInput, { store, signal }: BuildOptions): Promise<StoredImage> {
  const archive = `${temporaryName(store.workDir)}.image`;
  let isBuilt = false;
  try {
    await buildah.build(input);
    await buildah.push(input.name, archive);
    await buildah.keep(input);
    isBuilt = true;
    const imported = { platform: hostPlatform(), origin: "built", name: input.name } as const;
    const [image] = await importArchive(store, archive, { ...imported, ...(signal === undefined ? {} : { signal }) });
    if (image === undefined) throw new ImageBuildFailed("the build left no image");
    return image;
  } finally {
    await rm(archive, { force: true });
    await buildah.clean(input.name, isBuilt);
  }
}

async function containerfileOf(dir: string, given: string | undefined): Promise<Containerfile> {
  const candidates = given === undefined ? ["Containerfile", "Dockerfile"].map((name) => join(dir, name)) : [given];
  for (const candidate of candidates) {
    const text = await readFile(candidate, "utf8").catch(() => undefined);
    if (text !== undefined) return { path: resolve(candidate), text };
  }
  throw new ImageBuildFailed(`${candidates.join(", ")}: not found`);
}

async function baseImage(base: string, options: BuildOptions): Promise<StoredImage> {
  const { store, puller, onOutput, signal } = options;
  const reference = parseReference(base);
  const known = await store.find(base);
  if (known !== undefined && (await hasLayers(store, known))) return known;
  if (debianBaseOf(reference) !== undefined) {
    onOutput?.(`making ${formatReference(reference)} from the host's Debian mirrors\n`);
    return makeDebianBase(store, reference, { onOutput, signal });
  }
  if (puller === undefined) throw new ImageBuildFailed(`${base}: not in the image store, and nothing to pull it with`);
  return puller.pull({ image: base, ...(signal === undefined ? {} : { signal }) });
}

interface Showing {
  readonly quiet?: boolean;
  readonly show?: ((text: string) => void) | undefined;
}

/** Layers older than this are made anew: packages of the same name have other versions by then. */
const cacheTerm = "24h";
const cacheName = "localhost/atoll-cache";
/** Builds whose layers are kept. */
const mostCached = 16;

/** buildah on its own storage. */
class Buildah {
  readonly #options: BuildOptions;
  readonly #dir: string;
  #driver: "overlay" | "vfs" = "overlay";

  private constructor(options: BuildOptions) {
    this.#options = options;
    this.#dir = join(options.store.dir, "build");
  }

  /** Chooses a storage driver and clears away what a build that was killed left. */
  static async open(options: BuildOptions): Promise<Buildah> {
    const buildah = new Buildah(options);
    await privateDirectory(join(buildah.#dir, "tmp"));
    // overlay is ten times faster, but does not work on every file system; vfs copies, and works on all.
    const probe = buildah.#run(["info"], { quiet: true });
    if ((await probe.catch(() => undefined)) === undefined) buildah.#driver = "vfs";
    await buildah.#run(["rm", "--all"], { quiet: true });
    return buildah;
  }

  /** Makes an image of the store known under the name the Containerfile uses. */
  async load(image: StoredImage, base: string): Promise<void> {
    const name = formatReference(parseReference(base));
    if ((await this.#idOf(name)) === hexOf(image.configDigest as Digest)) return;
    const layout = temporaryName(this.#options.store.workDir);
    try {
      await mkdir(layout, { mode: 0o700 });
      await exportLayout(this.#options.store, image, layout);
      // buildah makes a name of the path it is given, so that path is a plain word.
      const id = (await this.#run(["pull", "--quiet", `oci:${basename(layout)}`])).trim().split("\n").at(-1) ?? "";
      await this.#run(["tag", id, name]);
      await this.#run(["rmi", `localhost/${basename(layout)}`], { quiet: true });
    } finally {
      await rm(layout, { recursive: true, force: true });
    }
  }

  async build({ dir, file, name }: BuildInput): Promise<void> {
    const { buildArgs = {}, target, timestampS, cache = false, onOutput } = this.#options;
    const args = Object.entries(buildArgs).map(([key, value]) => `--build-arg=${key}=${value}`);
    if (target !== undefined) args.push(`--target=${target}`);
    if (timestampS !== undefined) args.push(`--timestamp=${timestampS}`);
    const fixed = [
      "--isolation=chroot",
      "--pull-never",
      "--format=oci",
      ...(cache ? ["--layers=true", `--cache-ttl=${cacheTerm}`] : ["--layers=false"]),
      "--tag",
      name,
      "--file",
      file.path,
    ];
    const follower = new StepFollower(file.text);
    const show = (text: string) => {
      follower.add(text);
      onOutput?.(text);
    };
    try {
      await this.#run(["bud", ...fixed, ...args, resolve(dir)], { show });
    } catch (error) {
      throw error instanceof ImageBuildFailed ? follower.explained(error) : error;
    }
  }

  /** Keeps the layers of a build for those to come, of so many builds. */
  async keep({ name, file }: BuildInput): Promise<void> {
    if (this.#options.cache !== true) return;
    const key = createHash("sha256").update(`${name}\n${file.path}`).digest("hex").slice(0, 32);
    await this.#run(["tag", name, `${cacheName}:${key}`], { quiet: true });
    // Newest first.
    const listed = await this.#run(["images", "--format", "{{.Name}}:{{.Tag}}"], { quiet: true });
    const kept = listed.split("\n").filter((line) => line.startsWith(`${cacheName}:`));
    if (kept.length > mostCached) await this.#run(["rmi", ...kept.slice(mostCached)], { quiet: true });
  }

  async push(name: string, archive: string): Promise<void> {
    // A docker-archive holds plain layers, an oci-archive packed ones.
    const form = this.#options.compress === true ? "oci-archive" : "docker-archive";
    await this.#run(["push", "--quiet", name, `${form}:${basename(archive)}`]);
  }

  /**
   * Drops the result, which the store has now, and what a failed build left, but for layers to go on from. Bases stay, for
   * the next build.
   */
  async clean(name: string, isBuilt: boolean): Promise<void> {
    const ignored = () => {};
    await this.#run(["rm", "--all"], { quiet: true }).catch(ignored);
    // A name alone goes where others, those of kept layers, are left.
    const isKept = this.#options.cache === true;
    await this.#run(["rmi", ...(isKept ? [] : ["--force"]), name], { quiet: true }).catch(ignored);
    if (!isKept || isBuilt) await this.#run(["rmi", "--prune", "--force"], { quiet: true }).catch(ignored);
  }

  async #idOf(name: string): Promise<string | undefined> {
    const args = ["inspect", "--type", "image", "--format", "{{.FromImageID}}", name];
    return this.#run(args, { quiet: true }).then(
      (text) => text.trim(),
      () => undefined,
    );
  }

  #run(args: readonly string[], { quiet = false, show = this.#options.onOutput }: Showing = {}): Promise<string> {
    const { signal } = this.#options;
    const place = join(this.#dir, this.#driver);
    const storage = ["--root", `${place}/storage`, "--runroot", `${place}/run`, "--storage-driver", this.#driver];
    const env = { TMPDIR: join(this.#dir, "tmp"), BUILDAH_ISOLATION: "chroot" };
    // In a mount namespace of its own, so that nothing stays mounted however it ends.
    const all = ["--mount", "buildah", ...storage, ...args];
    const what = `buildah ${args[0] ?? ""}`;
    const cwd = this.#options.store.workDir;
    return run("unshare", all, { env, cwd, what, onOutput: quiet ? undefined : show, signal });
  }
}
