/** Entries and objects in the form the client asked for. */
import type { ApiObject } from "@atoll/machinery/object";
import { stringifyJson } from "@atoll/machinery/json/json";
import { StatusError } from "@atoll/machinery/status";
import { formatYaml } from "@atoll/machinery/yaml/format";
import type { Entry } from "@atoll/storage/store";
import type { Call } from "../call.ts";
import type { Wanted } from "../http/negotiate.ts";
import { fromStored, servedBytes } from "../registry/versions.ts";
import { jsonType, type Reply } from "../reply.ts";
import { type IncludeObject, partialOf, type TableRequest, tableOf } from "../table/table.ts";

/** An entry as an answer. The bytes of the store are served as they are whenever that is what was asked for. */
export function answerEntry(
  call: Call,
  wanted: Wanted,
  { code, entry }: { code: number; entry: Entry },
): Reply | Promise<Reply> {
  const { kind, resource } = call.served;
  if (resource === undefined) throw new TypeError(`${kind.plural} are not stored`);
  if (wanted.as === "object" && wanted.format === "json" && !wanted.pretty) {
    const body = servedBytes({ kind, resource }, entry);
    return body instanceof Promise
      ? body.then((bytes) => ({ code, contentType: jsonType, body: bytes }))
      : { code, contentType: jsonType, body };
  }
  return answerConverted(call, wanted, { code, object: fromStored(kind, resource.cache.object(entry)) });
}

async function answerConverted(
  call: Call,
  wanted: Wanted,
  { code, object }: { code: number; object: ApiObject | Promise<ApiObject> },
): Promise<Reply> {
  return answerObject(call, wanted, { code, object: await object });
}

/** A parsed object as an answer. */
export function answerObject(call: Call, wanted: Wanted, { code, object }: { code: number; object: ApiObject }): Reply {
  return answerValue(wanted, code, shape(call, wanted, object));
}

function shape(call: Call, wanted: Wanted, object: ApiObject): unknown {
  switch (wanted.as) {
    case "Table": {
      const metadata = { resourceVersion: object.metadata.resourceVersion };
      return tableOf([object], tableRequest(call, wanted), { metadata, columns: true });
    }
    case "PartialObjectMetadata":
      return partialOf(object, call.served.kind, wanted.metaVersion);
    default:
      return object;
  }
}

/** A value in the wanted format. */
export function answerValue(wanted: Wanted, code: number, value: unknown): Reply {
  if (wanted.format === "yaml") {
    return { code, contentType: "application/yaml", body: Buffer.from(formatYaml(value)) };
  }
  const text = stringifyJson(value, wanted.pretty ? 2 : undefined);
  return { code, contentType: jsonType, body: Buffer.from(text) };
}

const includes: ReadonlySet<string> = new Set(["None", "Metadata", "Object"]);

/** @throws {StatusError} BadRequest for a bad includeObject */
export function tableRequest(call: Call, wanted: Wanted): TableRequest {
  const include = call.info.query.get("includeObject") || "Metadata";
  if (!includes.has(include)) {
    throw new StatusError(
      "BadRequest",
      `invalid includeObject ${JSON.stringify(include)}: must be None, Metadata or Object`,
    );
  }
  return {
    kind: call.served.kind,
    metaVersion: wanted.metaVersion,
    include: include as IncludeObject,
    nowMs: call.services.clock.nowMs(),
  };
}
