/**
 * APIService.
 * Source: k8s.io/kube-aggregator/pkg/{registry/apiservice,apis/apiregistration/validation,apis/apiregistration/v1}
 */
import { Path } from "@atoll/machinery/field";
import {
  dns1035LabelErrors,
  dns1123SubdomainErrors,
  nameRules,
  pathSegmentErrors,
  portNumberErrors,
} from "@atoll/machinery/names";
import type { APIService, APIServiceSpec, ServiceReference } from "../builtin/apiregistration.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";

const httpsPort = 443;
const maxGroupPriority = 20_000;
const maxVersionPriority = 1_000;

/** The rules of APIServices. */
export const apiService: Strategy<APIService> = {
  // Its name is known from what it says, so the start of one is never right.
  nameErrors: (name, prefix) =>
    prefix ? ['must be `spec.version+"."+spec.group`'] : nameRules.pathSegment(name, prefix),
  setDefaults({ spec }) {
    if (spec.service !== null) spec.service.port ??= httpsPort;
  },
  prepareForCreate(object, { now }) {
    object.status = {};
    if (object.spec.service !== null) return;
    const message = "Local APIServices are always available";
    const condition = { type: "Available", status: "True", lastTransitionTime: now, reason: "Local", message };
    object.status.conditions = [condition];
  },
  validate({ metadata, spec }, errors) {
    const { name = "" } = metadata;
    const wanted = `${spec.version ?? ""}.${spec.group ?? ""}`;
    if (name !== "" && pathSegmentErrors(name, false).length === 0 && name !== wanted) {
      const why = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`;
      errors.invalid(Path.of("metadata", "name"), name, why);
    }
    checkSpec(spec, new Place(errors, Path.of("spec")));
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate: (object, _, errors) => apiService.validate?.(object, errors),
  status: {
    validateUpdate({ status }, _, errors) {
      const at = new Place(errors, Path.of("status"));
      for (const [i, condition] of (status.conditions ?? []).entries()) {
        const statuses = ["True", "False", "Unknown"];
        if (!statuses.includes(condition.status)) {
          at.item("conditions", i).notSupported("status", condition.status, statuses);
        }
      }
    },
  },
  table: {
    columns: [
      nameColumn,
      column("Service", "What serves it: Local, or a Service as namespace/name."),
      column("Available", "Whether it is reached, and why not."),
      ageColumn,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name ?? "",
      spec.service === null ? "Local" : `${spec.service.namespace ?? ""}/${spec.service.name ?? ""}`,
      availableCell(status),
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function checkSpec(spec: APIServiceSpec, at: Place): void {
  const { group = "", version = "", service } = spec;
  if (group === "" && version !== "v1") {
    at.required("group", "only v1 may have an empty group and it better be legacy kube");
  }
  if (group !== "") at.each("group", group, dns1123SubdomainErrors(group));
  at.each("version", version, dns1035LabelErrors(version));
  if (spec.groupPriorityMinimum <= 0 || spec.groupPriorityMinimum > maxGroupPriority) {
    at.invalid("groupPriorityMinimum", spec.groupPriorityMinimum, "must be positive and less than 20000");
  }
  if (spec.versionPriority <= 0 || spec.versionPriority > maxVersionPriority) {
    at.invalid("versionPriority", spec.versionPriority, "must be positive and less than 1000");
  }
  if (service === null) checkLocal(spec, at);
  else checkService(spec, service, at);
}

function checkLocal({ caBundle = "", insecureSkipTLSVerify }: APIServiceSpec, at: Place): void {
  if (caBundle !== "") {
    const bytes = Math.floor((caBundle.replace(/=+$/, "").length * 3) / 4);
    at.invalid("caBundle", `${bytes} bytes`, "local APIServices may not have a caBundle");
  }
  if (insecureSkipTLSVerify === true) {
    at.invalid("insecureSkipTLSVerify", true, "local APIServices may not have insecureSkipTLSVerify");
  }
}

function checkService({ caBundle = "", insecureSkipTLSVerify }: APIServiceSpec, service: ServiceReference, at: Place) {
  const place = at.child("service");
  if ((service.namespace ?? "") === "") place.required("namespace");
  if ((service.name ?? "") === "") place.required("name");
  const wrong = portNumberErrors(service.port ?? httpsPort);
  if (wrong.length > 0) place.invalid("port", service.port, `port is not valid: ${wrong.join(", ")}`);
  if (insecureSkipTLSVerify === true && caBundle !== "") {
    at.invalid("insecureSkipTLSVerify", true, "may not be true if caBundle is present");
  }
}

function availableCell({ conditions = [] }: APIService["status"]): string {
  const found = conditions.find(({ type }) => type === "Available");
  if (found === undefined) return "Unknown";
  return found.status === "True" ? "True" : `${found.status} (${found.reason ?? ""})`;
}
