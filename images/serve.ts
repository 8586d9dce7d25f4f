/**
 * A registry to pull from, over images of the store: manifests, blobs, tags; nothing can be pushed. The hub serves its
 * agent's image with it. TLS and who may come are the caller's.
 * Source: OCI distribution-spec ("Pull", "Content Discovery", "Error Codes")
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { parseDigest } from "./digest.ts";
import { nameOf, parseReference } from "./registry/reference.ts";
import type { ImageStore, StoredImage } from "./store/store.ts";

/** What is served. */
export interface ServeOptions {
  readonly store: ImageStore;
  /** Repository as clients name it → repository in the store, `localhost/atoll/agent`. Nothing else can be seen. */
  readonly repositories: Readonly<Record<string, string>>;
}

/** Answers one request; never rejects. */
export type ServeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

interface Target {
  readonly name: string;
  readonly what: "manifests" | "blobs" | "tags";
  readonly rest: string;
}

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const notFound = (code: string, message: string): Refusal => ({ status: 404, code, message });
const longestUrl = 2048;
const mostTags = 1_000;

/** A handler for everything below `/v2/`. */
export function registryHandler(options: ServeOptions): ServeHandler {
  return async (request, response) => {
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    try {
      const refusal = await route(options, request, response);
      if (refusal !== undefined) refuse(response, refusal);
    } catch {
      // A client that went away, or a disk that failed: there is nobody left or nothing safe to tell.
      if (response.headersSent) response.destroy();
      else refuse(response, { status: 500, code: "UNKNOWN", message: "the image store failed" });
    }
  };
}

function refuse(response: ServerResponse, { status, code, message }: Refusal): void {
  const body = JSON.stringify({ errors: [{ code, message }] });
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

async function route(options: ServeOptions, request: IncomingMessage, response: ServerResponse) {
  const { method, url = "" } = request;
  if (method !== "GET" && method !== "HEAD") {
    return { status: 405, code: "UNSUPPORTED", message: "this registry is read-only" };
  }
  const path = url.length > longestUrl ? "" : (url.split("?", 1)[0] ?? "");
  if (path === "/v2" || path === "/v2/") return sendJson(request, response, {});
  const target = parseTarget(path);
  if (target === undefined) return notFound("NAME_UNKNOWN", "no such repository");
  const { repositories } = options;
  const repository = Object.hasOwn(repositories, target.name) ? repositories[target.name] : undefined;
  if (repository === undefined) return notFound("NAME_UNKNOWN", "no such repository");
  const images = await imagesOf(options.store, repository);
  const exchange = { store: options.store, request, response };
  if (target.what === "manifests") return sendManifest(exchange, images, { repository, reference: target.rest });
  if (target.what === "blobs") return sendBlob(exchange, images, target.rest);
  const tags = tagsOf(images, repository).slice(0, mostTags);
  return sendJson(request, response, { name: target.name, tags });
}

function parseTarget(path: string): Target | undefined {
  const match = /^\/v2\/([a-z0-9._/-]+)\/(?:(manifests|blobs)\/([A-Za-z0-9_.:+-]+)|tags\/list)$/.exec(path);
  if (match === null) return undefined;
  return { name: match[1] ?? "", what: (match[2] ?? "tags") as Target["what"], rest: match[3] ?? "" };
}

async function imagesOf(store: ImageStore, repository: string): Promise<StoredImage[]> {
  const images = await store.list();
  return images.filter(({ names }) => names.some((name) => nameOf(parseReference(name)) === repository));
}

function tagsOf(images: readonly StoredImage[], repository: string): string[] {
  const references = images.flatMap(({ names }) => names.map(parseReference));
  const mine = references.filter((reference) => nameOf(reference) === repository);
  return mine.flatMap(({ tag }) => tag ?? []).sort();
}

interface Exchange {
  readonly store: ImageStore;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function sendManifest(
  { store, request, response }: Exchange,
  images: readonly StoredImage[],
  { repository, reference }: { repository: string; reference: string },
): Promise<Refusal | undefined> {
  const digest = parseDigest(reference);
  const wanted = `${repository}:${reference}`;
  const image = images.find((one) =>
    digest === undefined ? one.names.includes(wanted) : one.manifest.digest === digest,
  );
  if (image === undefined) return notFound("MANIFEST_UNKNOWN", "no such manifest");
  const bytes = await store.blobs.read(image.manifest.digest, store.limits.manifestBytes);
  response.writeHead(200, {
    "content-type": image.manifest.mediaType,
    "content-length": bytes.length,
    "docker-content-digest": image.manifest.digest,
    etag: `"${image.manifest.digest}"`,
  });
  response.end(request.method === "HEAD" ? undefined : bytes);
  return undefined;
}

async function sendBlob(
  { store, request, response }: Exchange,
  images: readonly StoredImage[],
  wanted: string,
): Promise<Refusal | undefined> {
  const digest = parseDigest(wanted);
  const belongs = images.some(
    (image) => image.configDigest === digest || image.layers.some((layer) => layer.digest === digest),
  );
  const size = digest !== undefined && belongs ? await store.blobs.size(digest) : undefined;
  if (digest === undefined || size === undefined) return notFound("BLOB_UNKNOWN", "no such blob");
  const range = rangeOf(request.headers.range, size);
  if (range === undefined) {
    response.setHeader("content-range", `bytes */${size}`);
    return { status: 416, code: "RANGE_INVALID", message: "no such range" };
  }
  const { start, end } = range;
  const part = start > 0 || end < size - 1;
  response.writeHead(part ? 206 : 200, {
    "content-type": "application/octet-stream",
    "content-length": end - start + 1,
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    etag: `"${digest}"`,
    ...(part ? { "content-range": `bytes ${start}-${end}/${size}` } : {}),
  });
  if (request.method === "HEAD" || size === 0) response.end();
  else await pipeBlob(store.blobs.path(digest), range, response);
  return undefined;
}

/** The whole when nothing or nothing understood is asked for; undefined when it lies outside. */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header ?? "");
  if (match === null) return { start: 0, end: size - 1 };
  const start = Number(match[1]);
  const end = match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  return start >= size || end < start ? undefined : { start, end };
}

async function pipeBlob(path: string, range: { start: number; end: number }, response: ServerResponse): Promise<void> {
  // Open before anything can remove it: a blob collected meanwhile is still sent whole.
  const file = await open(path, "r");
  await pipeline(file.createReadStream(range), response);
}

function sendJson(request: IncomingMessage, response: ServerResponse, value: unknown): undefined {
  const body = JSON.stringify(value);
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(request.method === "HEAD" ? undefined : body);
}
