/** Reading a request's body, within a limit of bytes and time. */
import type { IncomingMessage } from "node:http";
import { gunzip } from "node:zlib";
import { promisify } from "node:util";
import { StatusError } from "@atoll/machinery/status";

/** Source: kube-apiserver takes 3 MiB (DefaultMaxRequestSizeBytes). */
export const bodyMaxBytes = 3 * 1024 * 1024;

const inflate = promisify(gunzip);

/**
 * The whole body; gzip is undone within the same limit.
 * @throws {StatusError} RequestEntityTooLarge; BadRequest when the client breaks off or the encoding is not known
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > bodyMaxBytes) throw tooLarge();
  const raw = await collect(request);
  const encoding = request.headers["content-encoding"];
  if (encoding === undefined || encoding === "identity") return raw;
  if (encoding !== "gzip")
    throw new StatusError("UnsupportedMediaType", `unknown content encoding ${JSON.stringify(encoding)}`);
  try {
    return await inflate(raw, { maxOutputLength: bodyMaxBytes });
  } catch (cause) {
    if ((cause as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw new StatusError("BadRequest", "the body is not valid gzip", { cause });
  }
}

function collect(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > bodyMaxBytes) {
        request.removeAllListeners("data");
        request.resume();
        reject(tooLarge());
      } else chunks.push(chunk);
    });
    request.on("end", () => {
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    });
    request.on("error", (cause) => reject(new StatusError("BadRequest", "the request broke off", { cause })));
    request.on("close", () => {
      if (!request.readableEnded) reject(new StatusError("BadRequest", "the request broke off"));
    });
  });
}

function tooLarge(): StatusError {
  return new StatusError("RequestEntityTooLarge", `Request entity too large: limit is ${bodyMaxBytes}`);
}
