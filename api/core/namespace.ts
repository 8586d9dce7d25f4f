/** Namespace. Source: k8s.io/kubernetes/pkg/registry/core/namespace */
import type { Namespace } from "../builtin/core/v1.types.ts";
import { nameRules } from "@atoll/machinery/names";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";

/** A label that lets selectors pick a namespace by name. */
const nameLabel = "kubernetes.io/metadata.name";
/** Kept until what is in the namespace is gone. */
const contentFinalizer = "kubernetes";

export const namespace: Strategy<Namespace> = {
  nameErrors: nameRules.dnsLabel,
  setDefaults({ metadata }) {
    if (metadata.name) metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name };
  },
  prepareForCreate(object) {
    object.status = { phase: "Active" };
    object.metadata.labels = { ...object.metadata.labels, [nameLabel]: object.metadata.name ?? "" };
    const finalizers = object.spec?.finalizers ?? [];
    if (!finalizers.includes(contentFinalizer))
      object.spec = { ...object.spec, finalizers: [...finalizers, contentFinalizer] };
  },
  prepareForUpdate(object, old) {
    object.spec = {
      ...object.spec,
      ...(old.spec?.finalizers === undefined ? {} : { finalizers: old.spec.finalizers }),
    };
    object.status = old.status ?? {};
  },
  writes: {
    finalize: {
      prepareForUpdate(object, old) {
        object.status = old.status ?? {};
      },
      validateUpdate() {},
    },
  },
  holdsDeletion: ({ spec }) => (spec?.finalizers ?? []).length > 0,
  beginDeletion(object) {
    object.status = { ...object.status, phase: "Terminating" };
  },
  fields: {
    name: ({ metadata }) => metadata.name ?? "",
    "status.phase": ({ status }) => status?.phase ?? "",
  },
  table: {
    columns: [nameColumn, column("Status", "Active, or Terminating while it is being deleted."), ageColumn],
    cells: ({ metadata, status }, nowMs) => [
      metadata.name ?? "",
      status?.phase ?? "",
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};
