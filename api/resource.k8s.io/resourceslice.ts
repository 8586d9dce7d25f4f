/** ResourceSlice. Source: k8s.io/kubernetes/pkg/registry/resource/resourceslice, pkg/apis/resource/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { Path } from "@atoll/machinery/field";
import { dns1123LabelErrors, dns1123SubdomainErrors } from "@atoll/machinery/names";
import type { Device, DeviceAttribute, ResourceSlice, ResourceSliceSpec } from "../builtin/resource.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { checkDriver, checkPoolName, checkQualified } from "./names.ts";

const maxDevices = 128;
const maxText = 64;

/** The rules of ResourceSlices: they stay with their driver, pool and node. */
export const resourceSlice: Strategy<ResourceSlice> = {
  generation: true,
  validate: ({ spec }, errors) => checkSpec(spec, new Place(errors, Path.of("spec"))),
  validateUpdate(object, old, errors) {
    resourceSlice.validate?.(object, errors);
    const at = new Place(errors, Path.of("spec"));
    const why = "field is immutable";
    for (const field of ["driver", "nodeName", "allNodes"] as const) {
      if (!deepEqual(object.spec[field] ?? null, old.spec[field] ?? null)) at.invalid(field, object.spec[field], why);
    }
    const { name } = object.spec.pool;
    if (name !== old.spec.pool.name) at.child("pool").invalid("name", name, why);
  },
  warnings: ({ spec: { driver } }) =>
    driver === driver.toLowerCase()
      ? []
      : [`spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`],
  fields: { "spec.nodeName": ({ spec }) => spec.nodeName ?? "", "spec.driver": ({ spec }) => spec.driver },
  table: {
    columns: [
      nameColumn,
      column("Node", "The node its devices are on."),
      column("Driver", "Who offers the devices."),
      column("Pool", "The pool it is part of."),
      ageColumn,
    ],
    cells: ({ metadata, spec }, nowMs) => [
      metadata.name ?? "",
      spec.nodeName ?? "<unset>",
      spec.driver,
      spec.pool.name,
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function checkSpec(spec: ResourceSliceSpec, at: Place): void {
  checkDriver("driver", spec.driver, at);
  checkPlacement(spec, at);
  const { name, generation, resourceSliceCount } = spec.pool;
  const pool = at.child("pool");
  checkPoolName(name, pool);
  if (resourceSliceCount <= 0) pool.invalid("resourceSliceCount", resourceSliceCount, "must be greater than zero");
  if (generation < 0) pool.invalid("generation", generation, "must be greater than or equal to zero");
  const { devices = [] } = spec;
  if (devices.length > maxDevices) at.errors.tooMany(at.path.child("devices"), devices.length, maxDevices);
  const names = devices.map((device) => device.name);
  for (const [i, device] of devices.entries()) {
    checkDevice(device, at.item("devices", i));
    if (names.indexOf(device.name) < i) at.item("devices", i).duplicate("", device.name);
  }
}

/** Exactly one way to say which nodes reach the devices. */
function checkPlacement(spec: ResourceSliceSpec, at: Place): void {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec;
  if (nodeName === "") at.invalid("nodeName", nodeName, "must be either unset or set to a non-empty string");
  else if (nodeName !== undefined) at.each("nodeName", nodeName, dns1123SubdomainErrors(nodeName));
  const set = [
    nodeName !== undefined && nodeName !== "",
    nodeSelector !== undefined,
    allNodes === true,
    perDeviceNodeSelection === true,
  ].filter(Boolean).length;
  const why = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
  if (set === 0) at.required("", why);
  if (set > 1) at.invalid("", spec, why);
}

function checkDevice({ name, attributes = {}, capacity = {} }: Device, at: Place): void {
  at.each("name", name, dns1123LabelErrors(name));
  for (const [key, attribute] of Object.entries(attributes)) {
    const place = at.entry("attributes", key);
    checkQualified("", key, place);
    checkAttribute(attribute, place);
  }
  for (const key of Object.keys(capacity)) checkQualified("", key, at.entry("capacity", key));
}

function checkAttribute(attribute: DeviceAttribute, at: Place): void {
  if (Object.values(attribute).filter((value) => value !== undefined).length !== 1) {
    at.invalid("", attribute, "exactly one value must be specified");
  }
  for (const field of ["string", "version"] as const) {
    if ((attribute[field] ?? "").length > maxText) at.tooLong(field, maxText);
  }
}
