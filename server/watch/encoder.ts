/**
 * Watch events as bytes. An event that goes out as the object's own JSON is made once and the same buffer is handed
 * to every watcher; other forms (tables, metadata, other versions) are made per watcher.
 */
import type { Kind } from "@atoll/api/kind";
import { stringifyJson } from "@atoll/machinery/json/json";
import { type ApiObject, formatApiVersion } from "@atoll/machinery/object";
import { formatYaml } from "@atoll/machinery/yaml/format";
import type { Entry } from "@atoll/storage/store";
import type { Wanted } from "../http/negotiate.ts";
import type { Resource } from "../registry/resource.ts";
import type { EventType } from "./events.ts";
import { fromStored, isServedAsStored } from "../registry/versions.ts";
import { partialOf, type TableRequest, tableOf } from "../table/table.ts";

export interface EncoderOptions {
  readonly kind: Kind;
  readonly resource: Resource;
  readonly wanted: Wanted;
  readonly table?: TableRequest;
}

/** Annotation of the bookmark that ends the initial objects. Source: metav1.InitialEventsAnnotationKey */
const initialEventsEnd = "k8s.io/initial-events-end";

export class EventEncoder {
  readonly #options: EncoderOptions;
  /** Events go out as the stored bytes. */
  readonly shared: boolean;
  readonly #plain: boolean;
  #columnsTold = false;

  constructor(options: EncoderOptions) {
    this.#options = options;
    const { wanted, kind } = options;
    this.#plain = wanted.as === "object" && wanted.format === "json";
    this.shared = this.#plain && kind.storedAs === undefined;
  }

  /** Source: watch responses are framed JSON, `application/json` without parameters. */
  get contentType(): string {
    return this.#options.wanted.format === "yaml" ? "application/yaml" : "application/json";
  }

  /** An event of an entry's object. A deleted object is told with the revision of its deletion. */
  event(type: EventType, entry: Entry): Buffer | Promise<Buffer> {
    const { resource, kind } = this.#options;
    if (this.#plain && isServedAsStored(kind, resource, entry)) return resource.events.bytes(type, entry);
    const object = fromStored(kind, resource.cache.object(entry));
    return object instanceof Promise
      ? object.then((converted) => this.#encode(type, converted))
      : this.#encode(type, object);
  }

  bookmark(revision: number, initialEnd: boolean): Buffer {
    const { kind } = this.#options;
    const metadata = {
      resourceVersion: String(revision),
      ...(initialEnd ? { annotations: { [initialEventsEnd]: "true" } } : {}),
    };
    const apiVersion = formatApiVersion(kind.group, kind.version);
    return this.#encode("BOOKMARK", { kind: kind.kind, apiVersion, metadata });
  }

  error(status: unknown): Buffer {
    return this.#line({ type: "ERROR", object: status });
  }

  #encode(type: EventType, object: ApiObject): Buffer {
    return this.#line({ type, object: this.#shape(type, object) });
  }

  #shape(type: EventType, object: ApiObject): unknown {
    const { wanted, table } = this.#options;
    if (table !== undefined) {
      const columns = !this.#columnsTold;
      this.#columnsTold = true;
      const metadata = { resourceVersion: object.metadata.resourceVersion };
      return tableOf(type === "BOOKMARK" ? [] : [object], table, { metadata, columns });
    }
    return wanted.as === "PartialObjectMetadata" ? partialOf(object, this.#options.kind, wanted.metaVersion) : object;
  }

  #line(event: unknown): Buffer {
    if (this.#options.wanted.format === "yaml") return Buffer.from(`---\n${formatYaml(event)}`);
    return Buffer.from(`${stringifyJson(event)}\n`);
  }
}
