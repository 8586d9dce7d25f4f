/**
 * Debian base images, made here from the host's own mirrors, so that `FROM debian:bookworm` needs no public registry.
 * Source: mmdebstrap(1); what Docker Hub's debian images leave out of the -slim ones (debuerreotype's slim excludes)
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createZstdCompress } from "node:zlib";
import { type Digest, digestOf } from "../digest.ts";
import { ImageBuildFailed } from "../errors.ts";
import { hostPlatform } from "../pull.ts";
import { ociConfig, ociLayer, ociManifest } from "../registry/manifest.ts";
import { formatReference, nameOf, type Reference } from "../registry/reference.ts";
import { temporaryName } from "../store/files.ts";
import type { ImageStore, StoredImage } from "../store/store.ts";
import { run, type RunOptions } from "./run.ts";

/** A Debian base that can be made here. */
export interface DebianBase {
  readonly suite: string;
  /** Without documentation and translations. */
  readonly slim: boolean;
}

/** Where Debian comes from on this host. */
export interface DebianMirrors {
  readonly main: string;
  /** Undefined when the host uses none; then the image has none either. */
  readonly security: string | undefined;
}

const debian = "docker.io/library/debian";
const aliases: Record<string, string> = {
  latest: "stable",
  "11": "bullseye",
  "12": "bookworm",
  "13": "trixie",
  "14": "forky",
};
const suites = new Set(["bullseye", "bookworm", "trixie", "forky", "sid", "stable", "testing", "oldstable"]);
const withoutUpdates = new Set(["sid"]);
const publicMirror = "http://deb.debian.org/debian";

const slimRules = [
  "path-exclude=/usr/share/doc/*",
  "path-include=/usr/share/doc/*/copyright",
  "path-exclude=/usr/share/man/*",
  "path-exclude=/usr/share/info/*",
  "path-exclude=/usr/share/locale/*",
  "path-exclude=/usr/share/groff/*",
  "path-exclude=/usr/share/lintian/*",
  "path-exclude=/usr/share/linda/*",
];

/** The Debian a reference means; undefined when it means something else. */
export function debianBaseOf(reference: Reference): DebianBase | undefined {
  if (nameOf(reference) !== debian || reference.digest !== undefined) return undefined;
  const [, stem = "", slim] = /^([a-z0-9]+)(-slim)?$/.exec(reference.tag ?? "") ?? [];
  const suite = Object.hasOwn(aliases, stem) ? (aliases[stem] ?? stem) : stem;
  return suites.has(suite) ? { suite, slim: slim !== undefined } : undefined;
}

/** Debian's mirrors among apt's sources; Debian's own when there are none, as on Ubuntu. */
export async function debianMirrors(options: RunOptions = {}): Promise<DebianMirrors> {
  const { signal } = options;
  const format = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";
  const targets = await run("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], { signal });
  const found = targets.split("\n").map((line) => {
    const [origin = "", label = "", uri = ""] = line.split("|");
    return { origin, label, uri: uri.replace(/\/+$/, "") };
  });
  const ours = found.filter(({ origin, uri }) => origin === "Debian" || (origin.startsWith("$(") && isDebianLike(uri)));
  const main = ours.find(({ label, uri }) => label === "Debian" || uri.endsWith("/debian"));
  const security = ours.find(({ label, uri }) => label === "Debian-Security" || uri.endsWith("/debian-security"));
  return { main: main?.uri ?? publicMirror, security: security?.uri };
}

// Before `apt-get update` apt knows only addresses.
function isDebianLike(uri: string): boolean {
  return uri.endsWith("/debian") || uri.endsWith("/debian-security");
}

function sourceLines({ suite }: DebianBase, { main, security }: DebianMirrors): string[] {
  const base = `deb ${main} ${suite} main`;
  if (withoutUpdates.has(suite)) return [base];
  const updates = `deb ${main} ${suite}-updates main`;
  return security === undefined ? [base, updates] : [base, updates, `deb ${security} ${suite}-security main`];
}

/** apt's proxies, which mmdebstrap does not take over from the host by itself. */
async function proxyOptions(signal: AbortSignal | undefined): Promise<string[]> {
  const format = '%f "%v";%n';
  const dump = await run("apt-config", ["dump", "--format", format, "Acquire::http::Proxy", "Acquire::https::Proxy"], {
    signal,
  });
  return dump
    .split("\n")
    .filter((line) => /^Acquire::https?::Proxy "[^"]+";$/.test(line))
    .map((line) => `--aptopt=${line}`);
}

/**
 * Makes a base and adds it to the store under the reference's name. Takes as long as installing some 90 packages does.
 * Needs root.
 * @throws {ImageBuildFailed}
 */
export async function makeDebianBase(
  store: ImageStore,
  reference: Reference,
  options: RunOptions = {},
): Promise<StoredImage> {
  const base = debianBaseOf(reference);
  if (base === undefined) throw new ImageBuildFailed(`${formatReference(reference)}: not a Debian release known here`);
  const mirrors = await debianMirrors(options);
  // What lies there under no process's name, whoever opens the store next takes for left behind.
  const room = temporaryName(store.workDir);
  const tar = `${room}.tar`;
  try {
    await mkdir(room, { mode: 0o700 });
    const rules = base.slim ? slimRules.map((rule) => `--dpkgopt=${rule}`) : [];
    const proxies = await proxyOptions(options.signal);
    const common = ["--mode=root", "--variant=minbase", "--format=tar", "--quiet", ...rules, ...proxies];
    const args = [...common, base.suite, tar, ...sourceLines(base, mirrors)];
    await run("mmdebstrap", args, { ...options, env: { TMPDIR: room } });
    return await admitTar(store, tar, { name: formatReference(reference), signal: options.signal });
  } finally {
    await rm(tar, { force: true });
    await rm(room, { recursive: true, force: true });
  }
}

/**
 * Unpacks packages and what they depend on into a folder, none of them set up: for images of a few programs. Needs root.
 * @param folder where they come to lie as below "/"
 * @throws {ImageBuildFailed}
 */
export async function unpackDebian(
  suite: string,
  { packages, folder }: { readonly packages: readonly string[]; readonly folder: string },
  options: RunOptions = {},
): Promise<void> {
  const lines = sourceLines({ suite, slim: true }, await debianMirrors(options));
  const args = ["--mode=root", "--variant=extract", "--format=directory", "--quiet", `--include=${packages.join(",")}`];
  const proxies = await proxyOptions(options.signal);
  await run("mmdebstrap", [...args, ...proxies, suite, folder, ...lines], options);
}

/** Adds an image of one layer. */
async function admitTar(
  store: ImageStore,
  tar: string,
  { name, signal }: { name: string; signal: AbortSignal | undefined },
): Promise<StoredImage> {
  const layer = await compress(store, tar);
  const { os, architecture } = hostPlatform();
  const config = Buffer.from(
    JSON.stringify({
      os,
      architecture,
      config: { Cmd: ["bash"], Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] },
      rootfs: { type: "layers", diff_ids: [layer.diffId] },
      // buildah wants a line of history for every layer below the ones it adds.
      history: [{ created_by: "mmdebstrap" }],
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      config: { mediaType: ociConfig, digest: await store.blobs.put(config), size: config.length },
      layers: [{ mediaType: `${ociLayer}+zstd`, digest: layer.digest, size: layer.size }],
    }),
  );
  const described = { digest: digestOf(manifest), bytes: manifest, mediaType: ociManifest };
  return store.admit({ manifest: described, origin: "built", names: [name] }, signal);
}

/** A tar file as a compressed blob of the store. */
async function compress(store: ImageStore, tar: string): Promise<{ digest: Digest; diffId: Digest; size: number }> {
  const packed = `${tar}.zst`;
  const plain = createHash("sha256");
  const sum = createHash("sha256");
  const handle = await open(packed, "wx", 0o600);
  try {
    let size = 0;
    await pipeline(
      createReadStream(tar, { highWaterMark: 1 << 20 }),
      async function* hashPlain(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          plain.update(chunk);
          yield chunk;
        }
      },
      createZstdCompress(),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          sum.update(chunk);
          size += chunk.length;
          await handle.writeFile(chunk);
        }
      },
    );
    const digest = `sha256:${sum.digest("hex")}` as Digest;
    await store.blobs.adopt(digest, packed);
    return { digest, diffId: `sha256:${plain.digest("hex")}` as Digest, size };
  } finally {
    await handle.close();
    await rm(packed, { force: true });
  }
}
