/** PUT: an object replaced. Source: k8s.io/apiserver/pkg/endpoints/handlers/update.go */
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import type { Call } from "../call.ts";
import { negotiate } from "../http/negotiate.ts";
import { ownersOf } from "../registry/managers.ts";
import { clone } from "../registry/versions.ts";
import type { Reply } from "../reply.ts";
import { answerEntry, answerObject } from "./answer.ts";
import { decodeObject, parseBody, protobufSchema, reportOdd } from "./body.ts";
import { createObject, placeInNamespace } from "./create.ts";
import { writeOptions } from "./options.ts";
import { storedResource } from "./stored.ts";
import { exists, writeObject } from "./write.ts";

/** @throws {StatusError} BadRequest, NotFound, Conflict, Invalid */
export async function update(call: Call): Promise<Reply> {
  const { kind } = call.served;
  const { namespace, name, subresource } = call.info;
  const resource = storedResource(call);
  const wanted = negotiate(call.request.headers.accept, false);
  const options = writeOptions(call.info.query, "UpdateOptions");
  const given = decodeObject(
    kind,
    await parseBody(await call.body(), call.request.headers["content-type"], protobufSchema(kind)),
  );
  reportOdd(given.odd, options.fieldValidation, call.warnings);
  checkName(given.object, name);
  placeInNamespace(given.object, namespace, kind);
  kind.strategy.setDefaults?.(given.object);
  const createsMissing = kind.strategy.createOnUpdate === true && subresource === "";
  if (createsMissing && !(await exists(resource, { namespace, name }))) {
    const made = await createObject(call, given.object, options);
    return made.entry === undefined
      ? answerObject(call, wanted, { code: 201, object: made.object })
      : await answerEntry(call, wanted, { code: 201, entry: made.entry });
  }
  const written = await writeObject(call, {
    options,
    conditional: true,
    make: (old) => {
      const object = clone(given.object);
      ownersOf(call, options).updated(object, old);
      return object;
    },
  });
  return written.entry === undefined
    ? answerObject(call, wanted, { code: 200, object: written.object })
    : await answerEntry(call, wanted, { code: 200, entry: written.entry });
}

/** The body may not name another object than the path does. Source: rest.DefaultUpdatedObjectInfo, checkName */
export function checkName(object: ApiObject, name: string): void {
  const given = object.metadata.name ?? "";
  if (given !== name) {
    throw new StatusError(
      "BadRequest",
      given === ""
        ? "name must be provided"
        : `the name of the object (${given}) does not match the name on the URL (${name})`,
    );
  }
}
