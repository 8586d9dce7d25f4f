/**
 * Conversion by a webhook. Objects that are to be converted in one turn of the event loop, as the items of a list are,
 * go in one request.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go
 */
import { randomUUID } from "node:crypto";
import { deepEqual } from "@atoll/machinery/equal";
import { type ApiObject, formatApiVersion, type ObjectMeta, parseApiVersion } from "@atoll/machinery/object";
import { stringifyJson } from "@atoll/machinery/json/json";
import { StatusError } from "@atoll/machinery/status";
import { clone } from "../registry/versions.ts";
import type { Converter } from "./conversion.ts";

/** Posts a value as JSON and gives the parsed answer. @throws when there is no good answer */
export type Post = (body: unknown) => Promise<unknown>;

interface Waiting {
  readonly object: ApiObject;
  readonly resolve: (object: ApiObject) => void;
  readonly reject: (error: unknown) => void;
}

const reviewGroup = "apiextensions.k8s.io";
const spoken: ReadonlySet<string> = new Set(["v1", "v1beta1"]);

export class WebhookConverter implements Converter {
  readonly #post: Post;
  readonly #reviewVersion: string | undefined;
  /** By the version wanted. */
  #waiting = new Map<string, Waiting[]>();

  /** @param reviewVersions of ConversionReview that the webhook understands, the best first */
  constructor(post: Post, reviewVersions: readonly string[]) {
    this.#post = post;
    this.#reviewVersion = reviewVersions.find((version) => spoken.has(version));
  }

  convert(object: ApiObject, apiVersion: string): ApiObject | Promise<ApiObject> {
    if (object.apiVersion === apiVersion) return object;
    return new Promise<ApiObject>((resolve, reject) => {
      const together = this.#waiting.get(apiVersion) ?? [];
      if (this.#waiting.size === 0) queueMicrotask(() => this.#flush());
      if (together.length === 0) this.#waiting.set(apiVersion, together);
      together.push({ object, resolve, reject });
    });
  }

  #flush(): void {
    const batches = this.#waiting;
    this.#waiting = new Map();
    for (const [apiVersion, batch] of batches) void this.#answer(batch, apiVersion);
  }

  async #answer(batch: readonly Waiting[], apiVersion: string): Promise<void> {
    try {
      const objects = batch.map(({ object }) => object);
      const converted = await this.#ask(objects, apiVersion);
      for (const [i, { object, resolve, reject }] of batch.entries()) {
        settle(() => checked(object, converted[i], { apiVersion, index: i }), resolve, reject);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async #ask(objects: readonly ApiObject[], apiVersion: string): Promise<readonly unknown[]> {
    const version = this.#reviewVersion;
    const failed = `conversion webhook for ${named(objects[0])} failed`;
    if (version === undefined) throw internal("no supported conversion review versions");
    const uid = randomUUID();
    const review = {
      kind: "ConversionReview",
      apiVersion: formatApiVersion(reviewGroup, version),
      request: { uid, desiredAPIVersion: apiVersion, objects },
    };
    let answer: unknown;
    try {
      answer = await this.#post(review);
    } catch (cause) {
      throw internal(`${failed}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
    }
    const converted = convertedOf(answer, { version, uid, failed });
    if (converted.length === objects.length) return converted;
    const counts = `returned ${converted.length} objects, expected ${objects.length}`;
    throw internal(`conversion webhook for ${named(objects[0])} ${counts}`);
  }
}

function settle<T>(make: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): void {
  try {
    resolve(make());
  } catch (error) {
    reject(error);
  }
}

function internal(message: string, cause?: unknown): StatusError {
  return new StatusError("InternalError", message, { cause });
}

/** As Go prints a GroupVersionKind. */
function named(object: ApiObject | undefined): string {
  return `${object?.apiVersion ?? ""}, Kind=${object?.kind ?? ""}`;
}

interface Review {
  readonly kind?: unknown;
  readonly apiVersion?: unknown;
  readonly response?: {
    readonly uid?: unknown;
    readonly result?: { readonly status?: unknown; readonly message?: unknown };
    readonly convertedObjects?: readonly unknown[] | null;
  };
}

/** v1beta1 says neither what it is nor what it answers to. */
function convertedOf(
  answer: unknown,
  { version, uid, failed }: { version: string; uid: string; failed: string },
): readonly unknown[] {
  const { kind, apiVersion, response } = (answer ?? {}) as Review;
  const wanted = formatApiVersion(reviewGroup, version);
  if (version === "v1" && (kind !== "ConversionReview" || apiVersion !== wanted)) {
    const got = stringifyJson({ apiVersion, kind });
    throw internal(`${failed}: expected webhook response of ${wanted}, Kind=ConversionReview, got ${got}`);
  }
  if (typeof response !== "object" || response === null) throw internal(`${failed}: no response provided`);
  if (version === "v1" && response.uid !== uid) {
    throw internal(`${failed}: expected response.uid="${uid}", got ${JSON.stringify(response.uid ?? "")}`);
  }
  requireSuccess(response.result ?? {}, failed);
  return Array.isArray(response.convertedObjects) ? response.convertedObjects : [];
}

function requireSuccess({ status, message }: { status?: unknown; message?: unknown }, failed: string): void {
  if (status === "Success") return;
  const told = typeof status === "string" ? status : "";
  const why = typeof message === "string" && message !== "" ? message : undefined;
  throw internal(`${failed}: ${why ?? `response.result.status was '${told}', not 'Success'`}`);
}

interface Expected {
  readonly apiVersion: string;
  readonly index: number;
}

/** A webhook may change everything but what an object is, and of its metadata labels and annotations alone. */
function checked(original: ApiObject, converted: unknown, { apiVersion, index }: Expected): ApiObject {
  const wrong = wrongWith(original, converted, apiVersion);
  if (wrong !== undefined) {
    throw internal(
      `conversion webhook for ${named(original)} returned invalid converted object at index ${index}: ${wrong}`,
    );
  }
  const object = converted as ApiObject;
  const bad = badMetadata(object.metadata);
  if (bad !== undefined) {
    throw internal(
      `conversion webhook for ${named(original)} returned invalid metadata in object at index ${index}: ${bad}`,
    );
  }
  const { labels, annotations } = object.metadata;
  const metadata: ObjectMeta = clone(original.metadata);
  delete metadata.labels;
  delete metadata.annotations;
  object.metadata = {
    ...metadata,
    ...(labels === undefined || labels === null ? {} : { labels }),
    ...(annotations === undefined || annotations === null ? {} : { annotations }),
  };
  return object;
}

function wrongWith(original: ApiObject, converted: unknown, apiVersion: string): string | undefined {
  if (typeof converted !== "object" || converted === null || Array.isArray(converted)) return "it is no object";
  const { kind, apiVersion: given, metadata } = converted as Partial<ApiObject>;
  if (given !== apiVersion || parseApiVersion(given).version === "") {
    return `invalid groupVersion (expected ${apiVersion}, received ${String(given)})`;
  }
  if (kind !== original.kind) return `invalid kind (expected ${original.kind}, received ${String(kind)})`;
  for (const field of ["name", "namespace", "uid"] as const) {
    const [was, is] = [original.metadata[field] ?? "", metadata?.[field] ?? ""];
    const word = field === "uid" ? "UID" : field;
    if (!deepEqual(was, is)) return `must have the same ${word}: ${was} != ${String(is)}`;
  }
  return undefined;
}

function badMetadata(metadata: unknown): string | undefined {
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    return "missing metadata in converted object";
  }
  for (const field of ["labels", "annotations"] as const) {
    const values = (metadata as ObjectMeta)[field] ?? {};
    const isMap = typeof values === "object" && !Array.isArray(values);
    if (!isMap || Object.values(values).some((value) => typeof value !== "string")) {
      return `${field} in converted object must be a map of strings`;
    }
  }
  return undefined;
}
