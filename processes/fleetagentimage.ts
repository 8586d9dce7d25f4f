/**
 * The fleet agent's image, made at first need and kept: Debian's base, this Node, and the agent packed into one file. Its
 * tag is the digest of what goes into it, so that another Atoll or another Node makes another.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { buildImage } from "@atoll/images/build/build";
import { registryHandler } from "@atoll/images/serve";
import { ImageStore } from "@atoll/images/store/store";
import type { Clock } from "@atoll/machinery/clock";

const repository = "atoll/fleet-agent";
const inStore = `localhost/${repository}`;
const failureKeptMs = 60_000;
const rolldown = join(import.meta.dirname, "..", "node_modules", "rolldown", "bin", "cli.mjs");
const containerfile = [
  "FROM debian:trixie-slim",
  "COPY node /usr/bin/node",
  "COPY agent /opt/atoll",
  "USER 65532:65532",
  'ENTRYPOINT ["/usr/bin/node", "--max-semi-space-size=2", "--max-old-space-size=192", "/opt/atoll/fleetagentpod.js"]',
  "",
].join("\n");

/** The image of one gateway. */
export class FleetAgentImage {
  readonly #options: { readonly dir: string; readonly clock: Clock };
  #made: Promise<string> | undefined;
  #store: Promise<ImageStore> | undefined;

  /** @param options.dir folder of an image store of its own: nothing else may collect it */
  constructor(options: { readonly dir: string; readonly clock: Clock }) {
    this.#options = options;
  }

  /**
   * Makes the image unless it is there. Whoever asks meanwhile gets the same; a failure is remembered for a minute.
   * @returns `atoll/fleet-agent@sha256:…`
   * @throws {ImageBuildFailed} and what else stops a build
   */
  reference(): Promise<string> {
    if (this.#made === undefined) {
      this.#made = this.#make();
      this.#made.catch(() => this.#options.clock.after(failureKeptMs, () => (this.#made = undefined)));
    }
    return this.#made;
  }

  /** Answers what is below `/v2/`. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const handler = registryHandler({ store: await this.#open(), repositories: { [repository]: inStore } });
    await handler(request, response);
  }

  #open(): Promise<ImageStore> {
    this.#store ??= ImageStore.open(this.#options);
    return this.#store;
  }

  async #make(): Promise<string> {
    const store = await this.#open();
    const folder = await mkdtemp(join(tmpdir(), "atoll-fleet-agent-"));
    try {
      await writeFile(join(folder, "Containerfile"), containerfile);
      const entry = join(import.meta.dirname, "fleetagentpod.ts");
      const packing = [rolldown, entry, "--platform", "node", "--format", "esm", "--dir", join(folder, "agent")];
      await promisify(execFile)(process.execPath, packing, { cwd: join(import.meta.dirname, "..") });
      await writeFile(join(folder, "agent", "package.json"), '{"type":"module"}\n');
      const tag = `${inStore}:${await digestOf(folder)}`;
      const known = await store.find(tag);
      if (known !== undefined) return `${repository}@${known.manifest.digest}`;
      await copyFile(process.execPath, join(folder, "node"));
      const { manifest } = await buildImage(folder, tag, { store, compress: true });
      return `${repository}@${manifest.digest}`;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** Of what the image is made of; names of other pieces stand in the first. */
async function digestOf(folder: string): Promise<string> {
  const hash = createHash("sha256").update(containerfile);
  hash.update(await readFile(join(folder, "agent", "fleetagentpod.js")));
  await pipeline(createReadStream(process.execPath), hash, { end: false });
  return hash.digest("hex").slice(0, 16);
}
