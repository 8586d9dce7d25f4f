/**
 * The options of each verb, read from the query (and a delete's body) and checked.
 * Source: k8s.io/apimachinery/pkg/apis/meta/v1/types.go, …/meta/v1/validation/validation.go
 */
import { FieldErrors, Path } from "@atoll/machinery/field";
import { checkManagerName } from "@atoll/machinery/objectmeta";
import { StatusError } from "@atoll/machinery/status";
import { invalid } from "../registry/invalid.ts";

/** How strictly unknown and repeated fields are taken. */
export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** Options that writes share. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  readonly force: boolean | undefined;
}

/** How dependents of a deleted object fare. */
export type Propagation = "Orphan" | "Background" | "Foreground";

export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: Propagation | undefined;
  readonly orphanDependents: boolean | undefined;
  readonly preconditions: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
}

const validations: ReadonlySet<string> = new Set(["Ignore", "Warn", "Strict"]);

/**
 * @param kind the options' own kind, for the error: CreateOptions, UpdateOptions, PatchOptions
 * @throws {StatusError} Invalid
 */
export function writeOptions(query: URLSearchParams, kind: string): WriteOptions {
  if (query.size === 0) return defaults;
  const errors = new FieldErrors();
  const dryRun = query.getAll("dryRun").filter((value) => value !== "");
  checkDryRun(dryRun, errors);
  const fieldManager = query.get("fieldManager") ?? "";
  checkManagerName(fieldManager, Path.of("fieldManager"), errors);
  const validation = query.get("fieldValidation") || "Warn";
  if (!validations.has(validation)) {
    errors.notSupported(Path.of("fieldValidation"), validation, [...validations]);
  }
  const force = query.get("force");
  refuse(errors, kind);
  return {
    dryRun: dryRun.length > 0,
    fieldManager,
    fieldValidation: validation as FieldValidation,
    force: force === null ? undefined : force !== "false" && force !== "0",
  };
}

const defaults: WriteOptions = { dryRun: false, fieldManager: "", fieldValidation: "Warn", force: undefined };

function checkDryRun(values: readonly string[], errors: FieldErrors): void {
  if (values.every((value) => value === "All")) return;
  errors.notSupported(Path.of("dryRun"), values, ["All"]);
}

const propagations: ReadonlySet<string> = new Set(["Orphan", "Background", "Foreground"]);

/**
 * A delete's options: the body's when there is one, else the query's.
 * @param body a decoded DeleteOptions object, or undefined
 * @throws {StatusError} Invalid, BadRequest
 */
export function deleteOptions(query: URLSearchParams, body: Record<string, unknown> | undefined): DeleteOptions {
  const given = body ?? fromQuery(query);
  const errors = new FieldErrors();
  const dryRun = (given["dryRun"] ?? []) as string[];
  checkDryRun(dryRun, errors);
  const propagation = given["propagationPolicy"] as string | undefined;
  const orphan = given["orphanDependents"] as boolean | undefined;
  if (propagation !== undefined && orphan !== undefined) {
    errors.invalid(
      Path.of("propagationPolicy"),
      propagation,
      "orphanDependents and deletionPropagation cannot be both set",
    );
  }
  if (propagation !== undefined && !propagations.has(propagation)) {
    errors.notSupported(Path.of("propagationPolicy"), propagation, [...propagations]);
  }
  refuse(errors, "DeleteOptions");
  return {
    dryRun: dryRun.length > 0,
    gracePeriodSeconds: given["gracePeriodSeconds"] as number | undefined,
    propagationPolicy: propagation as Propagation | undefined,
    orphanDependents: orphan,
    preconditions: given["preconditions"] as DeleteOptions["preconditions"],
  };
}

function fromQuery(query: URLSearchParams): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  const dryRun = query.getAll("dryRun").filter((value) => value !== "");
  if (dryRun.length > 0) given["dryRun"] = dryRun;
  const grace = query.get("gracePeriodSeconds");
  if (grace !== null && grace !== "") given["gracePeriodSeconds"] = integer(grace, "gracePeriodSeconds");
  const policy = query.get("propagationPolicy");
  if (policy !== null && policy !== "") given["propagationPolicy"] = policy;
  const orphan = query.get("orphanDependents");
  if (orphan !== null && orphan !== "") given["orphanDependents"] = orphan !== "false" && orphan !== "0";
  return given;
}

/** @throws {StatusError} BadRequest */
export function integer(text: string, parameter: string): number {
  if (!/^-?\d{1,18}$/.test(text)) {
    throw new StatusError("BadRequest", `invalid value for ${parameter}: ${JSON.stringify(text)} is not an integer`);
  }
  return Number(text);
}

function refuse(errors: FieldErrors, kind: string): void {
  if (!errors.ok) throw invalid({ group: "meta.k8s.io", kind }, "", errors);
}

/** The options of a write as the object that policies and webhooks are shown. */
export function operationOptions(
  operation: string,
  options: WriteOptions | DeleteOptions,
): Readonly<Record<string, unknown>> {
  const shared = { apiVersion: "meta.k8s.io/v1", ...(options.dryRun ? { dryRun: ["All"] } : {}) };
  if (!("fieldManager" in options)) {
    const { dryRun: _, ...own } = options;
    const given = Object.entries(own).filter(([, value]) => value !== undefined);
    return { kind: "DeleteOptions", ...shared, ...Object.fromEntries(given) };
  }
  const { fieldManager, fieldValidation } = options;
  return {
    kind: operation === "CREATE" ? "CreateOptions" : "UpdateOptions",
    ...shared,
    ...(fieldManager === "" ? {} : { fieldManager }),
    fieldValidation,
  };
}
