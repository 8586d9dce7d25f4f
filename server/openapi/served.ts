/**
 * OpenAPI documents as they are served: made when first asked for, kept until the kinds served change. The file of
 * descriptions is read then, too: a server that is never asked pays nothing.
 */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Kind } from "@atoll/api/kind";
import { loadDescriptions, type Descriptions } from "./descriptions.ts";
import { encodeOpenApi2 } from "./protobuf.ts";
import { documentHash, kindsByPath, openApiIndex, openApiV2, openApiV3, type OpenApiSource } from "./documents.ts";

/** Where the kinds come from. The generation rises whenever they change. */
export interface KindsServed {
  readonly generation: number;
  kinds(): readonly Kind[];
  /** Where other servers' documents are, by their names as `apis/apps/v1`. */
  elsewhere(): Readonly<Record<string, string>>;
}

/** A document, ready to be sent, and the hash of its content. */
export interface ServedDocument {
  readonly hash: string;
  readonly body: Buffer;
}

/** What was made of one generation of the kinds. */
interface Made {
  readonly source: OpenApiSource;
  readonly documents: Map<string, Promise<ServedDocument>>;
}

/** Documents of the kinds that are served now. */
export class ServedOpenApi {
  readonly #served: KindsServed;
  readonly #release: string;
  #descriptions: Promise<Descriptions> | undefined;
  #made: Promise<Made> | undefined;
  #generation = -1;

  /** @param release of this server, as `v1.36.0+atoll-0.1.0` */
  constructor(served: KindsServed, release: string) {
    this.#served = served;
    this.#release = release;
  }

  /** /openapi/v3 */
  async index(): Promise<ServedDocument> {
    const made = await this.#current();
    return this.#kept(made, "", async () => hashed(openApiIndex(made.source, this.#served.elsewhere())));
  }

  /** A document below it, as `apis/apps/v1`; undefined when nothing of that name is served. */
  async v3(path: string): Promise<ServedDocument | undefined> {
    const made = await this.#current();
    const kinds = kindsByPath(made.source.kinds).get(path);
    if (kinds === undefined) return undefined;
    return this.#kept(made, path, async () => {
      const body = Buffer.from(JSON.stringify(openApiV3(kinds, made.source)));
      return { hash: documentHash(kinds, made.source), body };
    });
  }

  /** /openapi/v2 */
  async v2(form: "json" | "protobuf"): Promise<ServedDocument> {
    const made = await this.#current();
    return this.#kept(made, `v2 ${form}`, async () => {
      const document = await openApiV2(made.source, setImmediate);
      return form === "json" ? hashed(document) : named(encodeOpenApi2(document));
    });
  }

  #kept(made: Made, key: string, make: () => Promise<ServedDocument>): Promise<ServedDocument> {
    const known = made.documents.get(key);
    if (known !== undefined) return known;
    const document = make();
    made.documents.set(key, document);
    return document;
  }

  #current(): Promise<Made> {
    const { generation } = this.#served;
    if (this.#made === undefined || this.#generation !== generation) {
      this.#generation = generation;
      this.#made = this.#begin();
    }
    return this.#made;
  }

  async #begin(): Promise<Made> {
    this.#descriptions ??= loadDescriptions();
    const descriptions = await this.#descriptions;
    const source = { kinds: this.#served.kinds(), descriptions, release: this.#release };
    return { source, documents: new Map() };
  }
}

function hashed(document: unknown): ServedDocument {
  return named(Buffer.from(JSON.stringify(document)));
}

function named(body: Buffer): ServedDocument {
  return { hash: createHash("sha512").update(body).digest("hex").toUpperCase(), body };
}
