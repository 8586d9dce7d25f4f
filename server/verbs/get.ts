/** GET of one object. Source: k8s.io/apiserver/pkg/endpoints/handlers/get.go */
import { StatusError } from "@atoll/machinery/status";
import type { Call } from "../call.ts";
import { negotiate } from "../http/negotiate.ts";
import type { Reply } from "../reply.ts";
import { answerEntry } from "./answer.ts";
import { storedResource } from "./stored.ts";
import { revisionOption } from "./revisions.ts";

/** @throws {StatusError} NotFound, BadRequest, NotAcceptable */
export async function get(call: Call): Promise<Reply> {
  const { info } = call;
  const resource = storedResource(call);
  const wanted = negotiate(call.request.headers.accept, false);
  if (info.query.size > 0) {
    if (info.query.get("export") === "true") {
      throw new StatusError("BadRequest", "the export parameter, deprecated since v1.14, is no longer supported");
    }
    // "0" is any version there is; another version asks for one at least as new.
    const revision = revisionOption(info.query.get("resourceVersion"));
    if (revision === 0) await resource.cache.loaded();
    else await resource.cache.current();
  } else await resource.cache.current();
  return await answerEntry(call, wanted, { code: 200, entry: resource.cached(info.namespace, info.name) });
}
