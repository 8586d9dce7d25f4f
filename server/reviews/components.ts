/**
 * componentstatuses: the health of what is behind the server. It is deprecated, and says so.
 * Source: k8s.io/kubernetes/pkg/registry/core/componentstatus
 */
import type { ComponentStatus } from "@atoll/api/builtin/core/v1.types";
import { StatusError } from "@atoll/machinery/status";
import type { Store } from "@atoll/storage/store";
import type { Call, Handler } from "../call.ts";
import { negotiate } from "../http/negotiate.ts";
import { answerObject, answerValue } from "../verbs/answer.ts";

const deprecation = "v1 ComponentStatus is deprecated in v1.19+";

/** Gets one or lists all: the store is the one component of which the server knows. */
export function componentStatuses(store: Store): Handler {
  return async (call: Call) => {
    call.warnings.push(deprecation);
    const { name } = call.info;
    const known = await storeStatus(store);
    if (name === "") {
      const list = { kind: "ComponentStatusList", apiVersion: "v1", metadata: {}, items: [known] };
      return answerValue(negotiate(call.request.headers.accept, true), 200, list);
    }
    if (name !== known.metadata.name) {
      const told = `componentstatus ${JSON.stringify(name)} not found`;
      throw new StatusError("NotFound", told, { details: { name, kind: "componentstatus" } });
    }
    return answerObject(call, negotiate(call.request.headers.accept, false), { code: 200, object: known });
  };
}

async function storeStatus(store: Store): Promise<ComponentStatus> {
  const problem = await Promise.resolve(store.healthy()).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  const condition =
    problem === undefined
      ? { type: "Healthy", status: "True", message: "ok" }
      : { type: "Healthy", status: "False", error: problem };
  return { kind: "ComponentStatus", apiVersion: "v1", metadata: { name: "etcd-0" }, conditions: [condition] };
}
