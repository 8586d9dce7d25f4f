import assert from "node:assert/strict";
import { test } from "node:test";
import { FieldErrors } from "@atoll/machinery/field";
import { decode } from "@atoll/machinery/schema/decode";
import type { Container, Pod, PodSpec } from "../builtin/core/v1.types.ts";
import type { Draft } from "../draft.ts";
import { builtinSchema } from "../schemas.ts";
import { pod } from "./pod.ts";

const schema = builtinSchema("core/v1", "Pod");
const context = {
  now: "2026-01-01T00:00:00Z",
  user: { name: "admin", uid: "", groups: [] },
  subresource: "",
} as const;

function made(spec: Draft<PodSpec>, container: Draft<Container> = {}): Pod {
  const body = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a", namespace: "default" },
    spec: { containers: [{ name: "main", image: "nginx:1", ...container }], ...spec },
  };
  const object = decode(schema, body).value as unknown as Pod;
  pod.setDefaults?.(object);
  pod.prepareForCreate?.(object, context);
  return object;
}

function refusals(object: Pod): string[] {
  const errors = new FieldErrors();
  pod.validate?.(object, errors);
  return errors.list.map(({ field, reason }) => `${field} ${reason}`);
}

function changeRefusals(old: Pod, change: (object: Pod) => void): string[] {
  const object = structuredClone(old);
  change(object);
  const errors = new FieldErrors();
  pod.validateUpdate?.(object, old, errors);
  return errors.list.map(({ field, reason }) => `${field} ${reason}`);
}

test("a plain pod is taken, pending and best effort", () => {
  const object = made({});
  assert.deepEqual(refusals(object), []);
  assert.deepEqual(object.status, { phase: "Pending", qosClass: "BestEffort" });
});

test("a mount needs a volume of the pod that is sound itself", () => {
  const mount = { volumeMounts: [{ name: "data", mountPath: "/data" }] };
  assert.deepEqual(refusals(made({ volumes: [{ name: "data" }] }, mount)), []);
  assert.deepEqual(refusals(made({}, mount)), ["spec.containers[0].volumeMounts[0].name FieldValueNotFound"]);
  const unsound = { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "" } }] };
  assert.deepEqual(refusals(made(unsound, mount)), [
    "spec.volumes[0].persistentVolumeClaim.claimName FieldValueRequired",
    "spec.containers[0].volumeMounts[0].name FieldValueNotFound",
  ]);
});

test("a request above its limit is refused at the list of requests", () => {
  const resources = { requests: { cpu: "2" }, limits: { cpu: "1500m" } };
  assert.deepEqual(refusals(made({}, { resources })), ["spec.containers[0].resources.requests FieldValueInvalid"]);
});

test("the same port of the node is asked for once", () => {
  const port = { containerPort: 80, hostPort: 80 };
  const names = [{ ...port }, { ...port, protocol: "UDP" }, { ...port, hostIP: "127.0.0.1" }];
  assert.deepEqual(refusals(made({}, { ports: names })), []);
  assert.deepEqual(refusals(made({}, { ports: [port, port] })), [
    "spec.containers[0].ports[1].hostPort FieldValueDuplicate",
  ]);
});

test("an image may change, a command may not", () => {
  const old = made({});
  const image = (object: Pod) => ({
    containers: (object.spec.containers ?? []).map((each) => ({ ...each, image: "b" })),
  });
  assert.deepEqual(
    changeRefusals(old, (object) => Object.assign(object.spec, image(object))),
    [],
  );
  assert.deepEqual(
    changeRefusals(old, ({ spec }) => Object.assign(spec.containers?.[0] ?? {}, { command: ["x"] })),
    ["spec FieldValueForbidden"],
  );
});

test("tolerations are only added, gates only taken away", () => {
  const old = made({
    tolerations: [{ key: "a", operator: "Exists" }],
    schedulingGates: [{ name: "first" }, { name: "second" }],
  });
  const more = { key: "b", operator: "Exists" };
  assert.deepEqual(
    changeRefusals(old, ({ spec }) => spec.tolerations?.push(more)),
    [],
  );
  assert.deepEqual(
    changeRefusals(old, ({ spec }) => Object.assign(spec, { tolerations: [more] })),
    ["spec.tolerations FieldValueForbidden"],
  );
  assert.deepEqual(
    changeRefusals(old, ({ spec }) => spec.schedulingGates?.pop()),
    [],
  );
  assert.deepEqual(
    changeRefusals(old, ({ spec }) => spec.schedulingGates?.push({ name: "third" })),
    ["spec.schedulingGates[2].name FieldValueForbidden"],
  );
});

test("a deadline may be set and brought forward, not put off", () => {
  const old = made({ activeDeadlineSeconds: 10 });
  const set = (activeDeadlineSeconds: number) => (object: Pod) => Object.assign(object.spec, { activeDeadlineSeconds });
  assert.deepEqual(changeRefusals(old, set(5)), []);
  assert.deepEqual(changeRefusals(old, set(11)), ["spec.activeDeadlineSeconds FieldValueInvalid"]);
});

test("a resize changes cpu and memory and nothing else", () => {
  const old = made({}, { resources: { requests: { cpu: "1" } } });
  const object = structuredClone(old);
  const [container] = object.spec.containers ?? [];
  assert.ok(container !== undefined);
  container.resources = { requests: { cpu: "2" } };
  container.image = "other";
  pod.writes?.["resize"]?.prepareForUpdate(object, old, { ...context, subresource: "resize" });
  const errors = new FieldErrors();
  pod.writes?.["resize"]?.validateUpdate(object, old, errors);
  assert.deepEqual(errors.list, []);
  const [resized] = object.spec.containers ?? [];
  assert.deepEqual([resized?.resources, resized?.image], [{ requests: { cpu: "2" } }, "nginx:1"]);
});

test("a variable set twice is warned of, unless the second refers to the first", () => {
  const env = (value: string) =>
    made(
      {},
      {
        env: [
          { name: "A", value: "1" },
          { name: "A", value },
        ],
      },
    );
  assert.equal(pod.warnings?.(env("2"), undefined).length, 1);
  assert.deepEqual(pod.warnings?.(env("$(A):2"), undefined), []);
});
