/** Rules of a claim's spec. Source: k8s.io/kubernetes/pkg/apis/resource/validation (validateResourceClaimSpec) */
import { dns1123LabelErrors, dns1123SubdomainErrors } from "@atoll/machinery/names";
import type {
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  ExactDeviceRequest,
  OpaqueDeviceConfiguration,
  ResourceClaimSpec,
} from "../builtin/resource.k8s.io/v1.types.ts";
import type { Place } from "../core/podspec/place.ts";
import { checkDriver, checkFullyQualified } from "./names.ts";
import { checkSelectors } from "./selectors.ts";

const maxItems = 32;
const maxSubRequests = 8;

/** A request asks for one device in its favourite way unless said otherwise. Source: SetDefaults_ExactDeviceRequest */
export function setClaimDefaults({ devices }: ResourceClaimSpec): void {
  for (const { exactly, firstAvailable = [] } of devices.requests ?? []) {
    for (const request of exactly === undefined ? firstAvailable : [exactly, ...firstAvailable]) {
      request.allocationMode ||= "ExactCount";
      if (request.allocationMode === "ExactCount" && !request.count) request.count = 1;
      for (const toleration of request.tolerations ?? []) toleration.operator ||= "Equal";
    }
  }
}

/** Requests, constraints and configuration. */
export function checkClaim({ devices }: ResourceClaimSpec, at: Place): void {
  const place = at.child("devices");
  const requests = devices.requests ?? [];
  const known = new Set<string>();
  limit(requests, maxItems, { at: place, field: "requests" });
  for (const [i, request] of requests.entries()) {
    checkRequest(request, place.item("requests", i));
    if (known.has(request.name)) place.item("requests", i).duplicate("", request.name);
    known.add(request.name);
    for (const { name } of request.firstAvailable ?? []) known.add(`${request.name}/${name}`);
  }
  const { constraints = [], config = [] } = devices;
  limit(constraints, maxItems, { at: place, field: "constraints" });
  for (const [i, each] of constraints.entries()) checkConstraint(each, known, place.item("constraints", i));
  limit(config, maxItems, { at: place, field: "config" });
  for (const [i, each] of config.entries()) {
    checkReferences(each.requests ?? [], known, place.item("config", i));
    checkOpaque(each.opaque, place.item("config", i));
  }
}

function limit(items: readonly unknown[], max: number, { at, field }: { at: Place; field: string }): void {
  if (items.length > max) at.errors.tooMany(at.path.child(field), items.length, max);
}

function checkRequest({ name, exactly, firstAvailable = [] }: DeviceRequest, at: Place): void {
  at.each("name", name, dns1123LabelErrors(name));
  const why = "exactly one of `exactly` or `firstAvailable` is required";
  if (exactly === undefined && firstAvailable.length === 0) at.required("", why);
  if (exactly !== undefined && firstAvailable.length > 0) at.invalid("", name, why);
  if (exactly !== undefined) checkWanted(exactly, at.child("exactly"));
  limit(firstAvailable, maxSubRequests, { at, field: "firstAvailable" });
  const names = firstAvailable.map((each) => each.name);
  for (const [i, each] of firstAvailable.entries()) {
    const place = at.item("firstAvailable", i);
    place.each("name", each.name, dns1123LabelErrors(each.name));
    checkWanted(each, place);
    if (names.indexOf(each.name) < i) place.duplicate("", each.name);
  }
}

function checkWanted(wanted: ExactDeviceRequest | DeviceSubRequest, at: Place): void {
  const { deviceClassName, allocationMode, count = 0 } = wanted;
  if (deviceClassName === "") at.required("deviceClassName");
  else at.each("deviceClassName", deviceClassName, dns1123SubdomainErrors(deviceClassName));
  checkSelectors(wanted.selectors, at);
  switch (allocationMode) {
    case "All":
      if (count !== 0) at.invalid("count", count, "must not be specified when allocationMode is 'All'");
      return;
    case "ExactCount":
      if (count <= 0) at.invalid("count", count, "must be greater than zero");
      return;
    default:
      at.notSupported("allocationMode", allocationMode, ["All", "ExactCount"]);
  }
}

function checkConstraint(constraint: DeviceConstraint, known: ReadonlySet<string>, at: Place): void {
  checkReferences(constraint.requests ?? [], known, at);
  const { matchAttribute, distinctAttribute } = constraint;
  if (matchAttribute !== undefined) checkFullyQualified("matchAttribute", matchAttribute, at);
  else if (distinctAttribute !== undefined) checkFullyQualified("distinctAttribute", distinctAttribute, at);
  else at.required("", "exactly one of matchAttribute, distinctAttribute is required");
}

/** `request` or `request/subrequest`, of this claim. */
function checkReferences(names: readonly string[], known: ReadonlySet<string>, at: Place): void {
  for (const [i, name] of names.entries()) {
    const place = at.item("requests", i);
    for (const part of name.split("/", 2)) place.each("", part, dns1123LabelErrors(part));
    if (!known.has(name)) {
      const why =
        "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
      place.invalid("", name, why);
    }
    if (names.indexOf(name) < i) place.duplicate("", name);
  }
}

/** Configuration for a driver, as an object that only it understands. */
export function checkOpaque(opaque: OpaqueDeviceConfiguration | undefined, at: Place): void {
  if (opaque === undefined) {
    at.required("opaque");
    return;
  }
  const place = at.child("opaque");
  checkDriver("driver", opaque.driver, place);
  const { parameters } = opaque;
  if (parameters === undefined || parameters === null) place.required("parameters");
  else if (typeof parameters !== "object" || Array.isArray(parameters)) {
    place.invalid("parameters", "<value omitted>", "must be a valid JSON object");
  }
}
