/** A registry that lies where it is told to, and what tests of pulling from it share. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { digestOf } from "../digest.ts";
import { ImagePuller } from "../pull.ts";
import { ociManifest, type Platform } from "../registry/manifest.ts";
import { ImageStore } from "../store/store.ts";
import { TestClock } from "./clock.ts";
import { blobsOf, type TestImage, testImage } from "./image.ts";

const scratch = mkdtempSync(join(tmpdir(), "lying-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** What test images are for. */
export const platform: Platform = { os: "linux", architecture: "amd64" };

/** A document or blob as it is served. */
export interface Blob {
  readonly bytes: Buffer;
  readonly type: string;
}

/** Answers in place of the registry; false leaves the answer to it. */
export type Twist = (request: IncomingMessage, response: ServerResponse, blob: Blob) => boolean;

/** A registry that lies where it is told to. Good manners otherwise, ranges too. */
export class LyingRegistry {
  readonly requests: string[] = [];
  readonly manifests = new Map<string, Blob>();
  blobs = new Map<string, Blob>();
  twist: Twist | undefined;
  down = false;
  readonly #server: Server;
  host = "";

  constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    this.host = typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "";
    return this;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  offer(tag: string, image: TestImage): void {
    const manifest = { bytes: image.manifest, type: ociManifest };
    this.manifests.set(tag, manifest).set(image.digest, manifest);
    for (const bytes of blobsOf(image)) this.blobs.set(digestOf(bytes), { bytes, type: "application/octet-stream" });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method} ${request.url} ${request.headers.range ?? ""}`.trim());
    if (this.down) return void request.socket.destroy();
    const [, kind = "", which = ""] = /\/(manifests|blobs)\/([^/?]+)/.exec(request.url ?? "") ?? [];
    const blob = (kind === "manifests" ? this.manifests : this.blobs).get(which);
    if (blob === undefined) return void response.writeHead(404).end();
    if (this.twist?.(request, response, blob) === true) return;
    send(request, response, blob);
  }
}

function send(request: IncomingMessage, response: ServerResponse, { bytes, type }: Blob): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const range = start > 0 ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {};
  const headers = { "content-type": type, "content-length": bytes.length - start, ...range };
  response.writeHead(start > 0 ? 206 : 200, headers).end(bytes.subarray(start));
}

const running: LyingRegistry[] = [];
after(() => {
  for (const registry of running) registry.stop();
});

/** Another one; stopped after the tests. */
export async function lyingRegistry(): Promise<LyingRegistry> {
  const registry = await new LyingRegistry().start();
  running.push(registry);
  return registry;
}

/** Contents that do not compress. */
export const big = randomBytes(300_000).toString("latin1");
/** The lower layer of `image`. */
export const lower = [
  { path: "etc/", type: "5" },
  { path: "etc/x", content: "one" },
];
const upper = [
  { path: "etc/x", content: "two" },
  { path: "big", content: big },
];
/** What the registry offers. */
export const image = testImage([lower, upper], { Cmd: ["/x"] });
/** Digest of its upper layer. */
export const bigLayer = digestOf(image.layers[1] ?? Buffer.alloc(0));

/** Runs a test with a registry that offers `image` as `app:v1`, and a store and puller on a clock of the test's own. */
export async function lying(
  work: (registry: LyingRegistry, store: ImageStore, puller: ImagePuller, clock: TestClock) => Promise<void>,
) {
  const registry = await lyingRegistry();
  const clock = new TestClock();
  const store = await ImageStore.open({ dir: mkdtempSync(join(scratch, "store")), clock });
  const pace = { stallMs: 2_000, leastBytes: 65_536, tries: 3, retryMs: 10 };
  const puller = new ImagePuller({
    store,
    clock,
    pace,
    settings: { insecure: [registry.host] },
    platform,
  });
  registry.offer("v1", image);
  try {
    await work(registry, store, puller, clock);
  } finally {
    puller.close();
  }
}
