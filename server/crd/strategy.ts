/**
 * The rules of a custom kind, from one version of its definition.
 * Source: k8s.io/apiextensions-apiserver/pkg/registry/customresource/{strategy,status_strategy,validator}.go
 */
import type { CustomResourceSubresourceScale } from "@atoll/api/builtin/apiextensions.k8s.io/v1.types";
import type { Shared } from "@atoll/api/apiextensions/definition";
import type { Strategy } from "@atoll/api/kind";
import { deepEqual } from "@atoll/machinery/equal";
import type { FieldErrors } from "@atoll/machinery/field";
import { JsonPath, printFound } from "@atoll/machinery/jsonpath";
import { qualifiedNameErrors } from "@atoll/machinery/names";
import type { ApiObject } from "@atoll/machinery/object";
import type { Structural } from "@atoll/machinery/schema/structural/structural";
import { StatusError } from "@atoll/machinery/status";
import { clone } from "../registry/versions.ts";
import { customScale, validateScaleSpec, validateScaleStatus } from "./scale.ts";
import { customTable } from "./table.ts";

/** What a version is like. */
export interface Version {
  readonly structural: Structural;
  readonly shared: Shared;
  /** Where each version has its replicas, by apiVersion. */
  readonly scalePaths: Readonly<Record<string, string | undefined>>;
  /** Whether the definition is being deleted: nothing new is taken then. */
  readonly terminating: () => boolean;
}

export function customStrategy({ structural, shared, scalePaths, terminating }: Version): Strategy {
  const { subresources = {}, additionalPrinterColumns, selectableFields = [] } = shared;
  const hasStatus = subresources.status !== undefined;
  const rules = new CustomRules(structural, subresources.scale);
  return {
    generation: true,
    specChanged: (object, old) => !deepEqual(counted(object, hasStatus), counted(old, hasStatus)),
    needsResourceVersion: true,
    setDefaults: (object) => structural.applyDefaults(object),
    prepareForCreate(object) {
      if (terminating()) {
        throw new StatusError("MethodNotAllowed", "create not allowed while custom resource definition is terminating");
      }
      if (hasStatus) delete object["status"];
    },
    validate: (object, errors) => rules.check(object, undefined, errors),
    prepareForUpdate(object, old) {
      if (hasStatus) carryStatus(object, old);
    },
    validateUpdate: (object, old, errors) => rules.check(object, old, errors),
    warnings: (object, old) => [...finalizerWarnings(object, old), ...rules.kept(object)],
    status: {
      prepareForUpdate: keepMetadata,
      validateUpdate: (object, old, errors) => rules.checkStatus(object, old, errors),
    },
    fields: Object.fromEntries(
      selectableFields.map(({ jsonPath }) => [jsonPath.replace(/^\./, ""), valueAt(jsonPath)]),
    ),
    table: customTable(additionalPrinterColumns),
    resetFields: { status: ["metadata", "spec"], ...(hasStatus ? { "": ["status"] } : {}) },
    ...(subresources.scale === undefined ? {} : { scale: { ...customScale(subresources.scale), paths: scalePaths } }),
  };
}

/** What generation counts. */
function counted({ metadata: _, status, ...rest }: ApiObject, hasStatus: boolean): Record<string, unknown> {
  return hasStatus ? rest : { ...rest, status };
}

function carryStatus(object: ApiObject, old: ApiObject): void {
  if (Object.hasOwn(old, "status")) object["status"] = clone(old["status"]);
  else delete object["status"];
}

/** A write of the status changes nothing of the metadata but who owns what. */
function keepMetadata(object: ApiObject, old: ApiObject): void {
  const { managedFields } = object.metadata;
  object.metadata = clone(old.metadata);
  if (managedFields === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = managedFields;
}

function valueAt(jsonPath: string): (object: ApiObject) => string {
  const path = new JsonPath(jsonPath);
  return (object) => {
    const found = path.find(object);
    return found.length === 0 ? "" : printFound(found[0]);
  };
}

/** Schema, scale and rules of a version, and what they let be. */
class CustomRules {
  readonly #structural: Structural;
  readonly #scale: CustomResourceSubresourceScale | undefined;
  /** Failures that were not held against an object, until its warnings are asked for. */
  readonly #kept = new WeakMap<object, string[]>();

  constructor(structural: Structural, scale: CustomResourceSubresourceScale | undefined) {
    this.#structural = structural;
    this.#scale = scale;
  }

  check(object: ApiObject, old: ApiObject | undefined, errors: FieldErrors): void {
    if (this.#scale !== undefined) {
      validateScaleSpec(this.#scale, object, errors);
      validateScaleStatus(this.#scale, object, errors);
    }
    this.#validate(object, errors, { old, statusOnly: false });
  }

  checkStatus(object: ApiObject, old: ApiObject, errors: FieldErrors): void {
    if (this.#scale !== undefined) validateScaleStatus(this.#scale, object, errors);
    this.#validate(object, errors, { old, statusOnly: true });
  }

  kept(object: ApiObject): readonly string[] {
    return this.#kept.get(object) ?? [];
  }

  #validate(object: ApiObject, errors: FieldErrors, change: { old: ApiObject | undefined; statusOnly: boolean }): void {
    const kept: string[] = [];
    this.#structural.validate(object, errors, { ...change, onKept: (message) => kept.push(message) });
    this.#kept.set(object, kept);
  }
}

const standardFinalizers: ReadonlySet<string> = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

/** Custom kinds may have any finalizer, but are told which names others may take, too. */
function finalizerWarnings(object: ApiObject, old: ApiObject | undefined): readonly string[] {
  const before = new Set(old?.metadata.finalizers);
  const added = new Set((object.metadata.finalizers ?? []).filter((name) => !before.has(name)));
  return [...added].sort().flatMap((name) => {
    const opening = `metadata.finalizers: ${JSON.stringify(name)}: `;
    return [...qualifiedNameErrors(name), ...unqualified(name)].map((message) => opening + message);
  });
}

function unqualified(name: string): readonly string[] {
  if (name.includes("/") || standardFinalizers.has(name)) return [];
  const path = name.includes(".") ? " including a path (/)" : "";
  return [`prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`];
}
