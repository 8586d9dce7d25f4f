/** Reading and answering kinds that are never stored: what they share. */
import { type ApiObject } from "@atoll/machinery/object";
import type { Kind } from "@atoll/api/kind";
import type { Call } from "../call.ts";
import { negotiate } from "../http/negotiate.ts";
import type { Reply } from "../reply.ts";
import { answerObject } from "../verbs/answer.ts";
import { decodeObject, parseBody, protobufSchema, reportOdd } from "../verbs/body.ts";
import { admissionRequest } from "../verbs/create.ts";
import { writeOptions } from "../verbs/options.ts";

/**
 * The body of a request, as an object of a kind, admitted.
 * @throws {StatusError} BadRequest, UnsupportedMediaType, and what admission refuses
 */
export async function readReview<T extends ApiObject>(call: Call, kind: Kind = call.served.kind): Promise<T> {
  const options = writeOptions(call.info.query, "CreateOptions");
  const type = call.request.headers["content-type"];
  const given = decodeObject(kind, await parseBody(await call.body(), type, protobufSchema(kind)));
  reportOdd(given.odd, options.fieldValidation, call.warnings);
  const { object } = given;
  const { name, namespace } = call.info;
  // What is asked about an object is about the one that the path names.
  if (name !== "") object.metadata = { ...object.metadata, name, namespace };
  const request = admissionRequest(call, "CREATE", { object, old: undefined, options });
  await call.services.admission.mutate(request);
  await call.services.admission.validate(request);
  return object as T;
}

/** The reviewed object, as created. */
export function answerReview(call: Call, object: ApiObject): Reply {
  return answerObject(call, negotiate(call.request.headers.accept, false, false), { code: 201, object });
}
