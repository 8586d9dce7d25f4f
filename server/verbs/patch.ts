/**
 * PATCH in its four types.
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go
 */
import type { Kind } from "@atoll/api/kind";
import { stringifyJson } from "@atoll/machinery/json/json";
import { formatApiVersion, type ApiObject } from "@atoll/machinery/object";
import { applyJsonPatch, unknownMembers } from "@atoll/machinery/patch/json";
import { applyMergePatch } from "@atoll/machinery/patch/merge";
import { applyStrategicMerge } from "@atoll/machinery/patch/strategic";
import type { Schema } from "@atoll/machinery/schema/schema";
import { StatusError } from "@atoll/machinery/status";
import { FieldErrors, Path } from "@atoll/machinery/field";
import type { Call } from "../call.ts";
import { invalid } from "../registry/invalid.ts";
import { negotiate } from "../http/negotiate.ts";
import { ownersOf } from "../registry/managers.ts";
import type { Reply } from "../reply.ts";
import { answerEntry, answerObject } from "./answer.ts";
import { decodeObject, type Given, mediaType, parseText, type Parsed, reportOdd } from "./body.ts";
import { createObject, placeInNamespace } from "./create.ts";
import { type WriteOptions, writeOptions } from "./options.ts";
import { storedResource } from "./stored.ts";
import { checkName } from "./update.ts";
import { exists, type Making, type Written, writeObject } from "./write.ts";

export type PatchType = "json" | "merge" | "strategic" | "apply";

const types: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

/** @throws {StatusError} BadRequest, UnsupportedMediaType, NotFound, Conflict, Invalid */
export async function patch(call: Call): Promise<Reply> {
  const wanted = negotiate(call.request.headers.accept, false);
  const type = patchTypeOf(call.request.headers["content-type"], call.served.kind);
  const options = writeOptions(call.info.query, "PatchOptions");
  checkOptions(options, type);
  const parsed = await parseText(await call.body(), type === "apply");
  if (type === "apply" && call.info.subresource === "" && !(await exists(storedResource(call), call.info))) {
    return await createApplied(call, parsed, options);
  }
  const written = await writeObject(
    call,
    type === "apply" ? applying(call, parsed, options) : patching(call, { type, parsed, options }),
  );
  return await answerWritten(call, wanted, written);
}

async function answerWritten(call: Call, wanted: ReturnType<typeof negotiate>, written: Written): Promise<Reply> {
  return written.entry === undefined
    ? answerObject(call, wanted, { code: 200, object: written.object })
    : await answerEntry(call, wanted, { code: 200, entry: written.entry });
}

/** @throws {StatusError} UnsupportedMediaType */
export function patchTypeOf(contentType: string | undefined, kind: Kind): PatchType {
  const media = mediaType(contentType);
  const type = types[media];
  const supported = Object.keys(types).filter((name) => kind.custom !== true || types[name] !== "strategic");
  if (type === undefined || !supported.includes(media)) {
    throw new StatusError(
      "UnsupportedMediaType",
      `the body of the request was in an unknown format - accepted media types include: ${supported.join(", ")}`,
      kind.custom === true ? {} : { details: {} },
    );
  }
  return type;
}

/** Source: metav1 validation.ValidatePatchOptions */
function checkOptions(options: WriteOptions, type: PatchType): void {
  const errors = new FieldErrors();
  if (type === "apply" && options.fieldManager === "") {
    errors.required(Path.of("fieldManager"), "is required for apply patch");
  }
  if (type !== "apply" && options.force !== undefined) {
    errors.forbidden(Path.of("force"), "may not be specified for non-apply patch");
  }
  if (!errors.ok) throw invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, "", errors);
}

/** A patch of the object's JSON, whose outcome is decoded like a body. */
function patching(
  call: Call,
  { type, parsed, options }: { type: Exclude<PatchType, "apply">; parsed: Parsed; options: WriteOptions },
): Making {
  const { kind } = call.served;
  const duplicates = type === "json" ? [...parsed.duplicates, ...unknownMembers(parsed.value)] : parsed.duplicates;
  return {
    options,
    conditional: false,
    make: (old) => {
      const value = patchedValue(kind.schema, type, { old, patch: parsed.value });
      const { object } = decodePatched(kind, { value, duplicates }, (odd) =>
        reportOdd(odd, options.fieldValidation, call.warnings),
      );
      checkName(object, call.info.name);
      placeInNamespace(object, call.info.namespace, kind);
      kind.strategy.setDefaults?.(object);
      ownersOf(call, options).updated(object, old);
      return object;
    },
  };
}

/**
 * What a patch made, decoded. What is wrong with it is told of the patch, not of the object.
 * @param report told what was odd about it, and may refuse it
 * @throws {StatusError} Invalid
 */
export function decodePatched(kind: Kind, patched: Parsed, report?: (odd: readonly string[]) => void): Given {
  try {
    const given = decodeObject(kind, patched, { origin: "patch" });
    report?.(given.odd);
    return given;
  } catch (cause) {
    if (!(cause instanceof StatusError) || cause.reason !== "BadRequest") throw cause;
    const errors = new FieldErrors();
    errors.invalid(Path.of("patch"), stringifyJson(patched.value), cause.message);
    const told = errors.list.map(({ field, message }) => `${field}: ${message}`).join(", ");
    throw new StatusError("Invalid", ` "" is invalid: ${told}`, { details: { causes: errors.list }, cause });
  }
}

/** The value that a patch makes of an object. */
export function patchedValue(
  schema: Schema,
  type: Exclude<PatchType, "apply">,
  { old, patch: given }: { old: ApiObject; patch: unknown },
): unknown {
  switch (type) {
    case "json":
      return applyJsonPatch(old, given);
    case "merge":
      return applyMergePatch(old, given);
    case "strategic":
      return applyStrategicMerge(schema, old, given);
  }
}

/** Server-side apply on an object that exists. */
function applying(call: Call, parsed: Parsed, options: WriteOptions): Making {
  const { kind } = call.served;
  const applied = appliedObject(call, parsed, options);
  return {
    options,
    conditional: false,
    make: (old) => {
      const merged = ownersOf(call, options).applied(applied, old);
      const { object } = decodeObject(kind, { value: merged, duplicates: [] }, { origin: "apply" });
      kind.strategy.setDefaults?.(object);
      return object;
    },
  };
}

/** Server-side apply on an object that does not exist makes it. */
async function createApplied(call: Call, parsed: Parsed, options: WriteOptions): Promise<Reply> {
  const { kind } = call.served;
  const wanted = negotiate(call.request.headers.accept, false);
  const applied = appliedObject(call, parsed, options);
  const merged = ownersOf(call, options).applied(applied, undefined);
  const { object } = decodeObject(kind, { value: merged, duplicates: [] }, { origin: "apply" });
  if (object.metadata.uid)
    throw storedResource(call).conflict(
      call.info.name,
      "uid mismatch: the provided object specified uid, and no existing object was found",
    );
  const made = await createObject(call, object, options, { owned: true });
  return made.entry === undefined
    ? answerObject(call, wanted, { code: 201, object: made.object })
    : await answerEntry(call, wanted, { code: 201, entry: made.entry });
}

/** The applied configuration, checked as far as it can be without the live object; its form is apply's to judge. */
export function appliedObject(call: Call, parsed: Parsed, options: WriteOptions): ApiObject {
  const { kind } = call.served;
  if (typeof parsed.value !== "object" || parsed.value === null || Array.isArray(parsed.value)) {
    throw new StatusError("BadRequest", "error decoding YAML: the body is no object");
  }
  const value = parsed.value as ApiObject;
  const apiVersion = formatApiVersion(kind.group, kind.version);
  reportOdd(parsed.duplicates, options.fieldValidation, call.warnings);
  if (value.kind !== kind.kind || value.apiVersion !== apiVersion) {
    throw new StatusError(
      "BadRequest",
      `an applied object must say what it is: apiVersion ${apiVersion}, kind ${kind.kind}`,
    );
  }
  value.metadata ??= {};
  value.metadata.name ??= call.info.name;
  checkName(value, call.info.name);
  placeInNamespace(value, call.info.namespace, kind);
  return value;
}
