/**
 * POST pods/NAME/binding: a pod gets its node, once.
 * Source: k8s.io/kubernetes/pkg/registry/core/pod/storage (BindingREST)
 */
import { builtinSchema } from "@atoll/api/schemas";
import { FieldErrors, Path } from "@atoll/machinery/field";
import { formatTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import type { Call } from "../call.ts";
import { admissionRequest } from "../verbs/create.ts";
import { invalid } from "../registry/invalid.ts";
import { clone } from "../registry/versions.ts";
import { jsonReply, type Reply } from "../reply.ts";
import { decodeObject, parseBody, protobufSchema, reportOdd } from "../verbs/body.ts";
import { writeOptions } from "../verbs/options.ts";
import { storedResource } from "../verbs/stored.ts";

interface Binding extends ApiObject {
  target: { kind?: string; apiVersion?: string; name?: string; namespace?: string };
}

interface PodFields {
  spec: { nodeName?: string; schedulingGates?: unknown[] };
  status: { conditions?: Record<string, unknown>[] };
}

/** @throws {StatusError} Conflict when the pod is bound or going */
export async function bind(call: Call): Promise<Reply> {
  const options = writeOptions(call.info.query, "CreateOptions");
  const kind = { ...call.served.kind, kind: "Binding", schema: builtinSchema("core/v1", "Binding") };
  const given = decodeObject(
    kind,
    await parseBody(await call.body(), call.request.headers["content-type"], protobufSchema(kind)),
  );
  reportOdd(given.odd, options.fieldValidation, call.warnings);
  const binding = given.object as Binding;
  checkBinding(binding);
  if (binding.metadata.name && binding.metadata.name !== call.info.name) {
    throw new StatusError("BadRequest", "name in URL does not match name in Binding object");
  }
  const request = admissionRequest(call, "CREATE", { object: binding, old: undefined, options });
  await call.services.admission.mutate(request);
  await call.services.admission.validate(request);
  const resource = storedResource(call);
  await resource.update(call.info, ({ object }) => {
    const pod = clone(object) as ApiObject & PodFields;
    assign(call, pod, binding);
    return options.dryRun ? "unchanged" : { object: pod };
  });
  return jsonReply(201, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 });
}

function checkBinding({ target, metadata }: Binding): void {
  const errors = new FieldErrors();
  const path = Path.of("target");
  if (target?.kind !== undefined && target.kind !== "" && target.kind !== "Node") {
    errors.notSupported(path.child("kind"), target.kind, ["Node", "<empty>"]);
  }
  if (!target?.name) errors.required(path.child("name"));
  if (!errors.ok) throw invalid({ group: "", kind: "Binding" }, metadata.name ?? "", errors);
}

function assign(call: Call, pod: ApiObject & PodFields, { target, metadata }: Binding): void {
  const { name } = call.info;
  const refuse = (why: string) =>
    new StatusError("Conflict", `Operation cannot be fulfilled on pods/binding ${JSON.stringify(name)}: ${why}`, {
      details: { name, kind: "pods/binding" },
    });
  if (metadata.uid && metadata.uid !== pod.metadata.uid) {
    throw refuse(`Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${pod.metadata.uid}`);
  }
  if (pod.metadata.deletionTimestamp !== undefined)
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec.nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
  if ((pod.spec.schedulingGates ?? []).length > 0) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  pod.spec.nodeName = target.name ?? "";
  if (metadata.annotations !== undefined)
    pod.metadata.annotations = { ...pod.metadata.annotations, ...metadata.annotations };
  if (metadata.labels !== undefined) pod.metadata.labels = { ...pod.metadata.labels, ...metadata.labels };
  setScheduled(pod, formatTime(call.services.clock.nowMs()));
}

function setScheduled({ status, metadata }: ApiObject & PodFields, now: string): void {
  const others = (status.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
  const { generation } = metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  status.conditions = [
    ...others,
    { type: "PodScheduled", ...observed, status: "True", lastProbeTime: null, lastTransitionTime: now },
  ];
}
