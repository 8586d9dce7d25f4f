/** The page's files, read once and kept: they are few and small. */
import { readdir, readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".png": "image/png",
  ".json": "application/json",
};
const compressed = ".br";

interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly brotli: Buffer | undefined;
  /** Its name says what is in it. */
  readonly isHashed: boolean;
}

/** The files of a folder. */
export class Assets {
  readonly #files: ReadonlyMap<string, Asset>;

  private constructor(files: ReadonlyMap<string, Asset>) {
    this.#files = files;
  }

  /** Reads a built page. @throws {Error} there is none */
  static async open(folder: string): Promise<Assets> {
    const names = (await readdir(folder, { recursive: true })).filter((name) => extname(name) in types);
    const files = await Promise.all(
      names.map(async (name): Promise<[string, Asset]> => {
        const plain = await readFile(join(folder, name));
        const brotli = await readFile(join(folder, name + compressed)).catch(() => undefined);
        const isHashed = name.startsWith("assets/");
        return [`/${name}`, { type: types[extname(name)] ?? "", plain, brotli, isHashed }];
      }),
    );
    return new Assets(new Map(files));
  }

  /** Answers with a file, or for a path of the page's own with the page. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const asset =
      this.#files.get(path) ?? (extname(path) === "" || !path.startsWith("/assets/") ? this.#page : undefined);
    if (asset === undefined) {
      response.writeHead(404).end();
      return;
    }
    const { type, plain, brotli, isHashed } = asset;
    const takesBrotli = brotli !== undefined && /\bbr\b/.test(String(request.headers["accept-encoding"]));
    response.writeHead(200, {
      "content-type": type,
      "cache-control": isHashed ? "public, max-age=31536000, immutable" : "no-cache",
      vary: "accept-encoding",
      ...(takesBrotli ? { "content-encoding": "br" } : {}),
    });
    response.end(takesBrotli ? brotli : plain);
  }

  get #page(): Asset | undefined {
    return this.#files.get("/index.html");
  }
}
