/** Node. Source: k8s.io/kubernetes/pkg/registry/core/node, pkg/apis/core/validation (ValidateNode) */
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { labelValueErrors, qualifiedNameErrors } from "@atoll/machinery/names";
import type { Node } from "../builtin/core/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";
import { checkCidr } from "./addresses.ts";
import { roundAmounts } from "./amounts.ts";
import { Place } from "./podspec/place.ts";
import { checkAmount } from "./podspec/resources.ts";

const effects = ["NoExecute", "NoSchedule", "PreferNoSchedule"];
const rolePrefix = "node-role.kubernetes.io/";
const roleLabel = "kubernetes.io/role";

/** The rules of Nodes. */
export const node: Strategy<Node> = {
  setDefaults({ spec, status }) {
    if (spec.podCIDR && (spec.podCIDRs ?? []).length === 0) spec.podCIDRs = [spec.podCIDR];
    roundAmounts(status.capacity);
    if (status.capacity !== undefined) status.allocatable ??= { ...status.capacity };
    roundAmounts(status.allocatable);
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validate: (object, errors) => check(object, errors, []),
  validateUpdate(object, old, errors) {
    check(object, errors, old.spec.podCIDRs ?? []);
    const at = new Place(errors, Path.of("spec"));
    for (const field of ["podCIDR", "providerID"] as const) {
      if (old.spec[field] && object.spec[field] !== old.spec[field]) {
        at.forbidden(field, "node updates may not change it once set");
      }
    }
  },
  status: { validateUpdate: (object, _, errors) => checkStatus(object, errors) },
  fields: { "spec.unschedulable": ({ spec }) => String(spec.unschedulable ?? false) },
  table: {
    columns: [
      nameColumn,
      column("Status", "Whether it is ready, and takes pods."),
      column("Roles", "What it is for."),
      ageColumn,
      column("Version", "Of its agent."),
      column("Internal-IP", "Its address inside.", 1),
      column("External-IP", "Its address outside.", 1),
      column("OS-Image", "Its operating system.", 1),
      column("Kernel-Version", "Its kernel.", 1),
      column("Container-Runtime", "What runs its containers.", 1),
    ],
    cells: (object, nowMs) => [
      object.metadata.name ?? "",
      statusCell(object),
      rolesCell(object),
      age(object.metadata.creationTimestamp, nowMs),
      object.status.nodeInfo.kubeletVersion,
      addressCell(object, "InternalIP"),
      addressCell(object, "ExternalIP"),
      object.status.nodeInfo.osImage || "<unknown>",
      kernelCell(object),
      object.status.nodeInfo.containerRuntimeVersion || "<unknown>",
    ],
  },
};

function kernelCell({ status: { nodeInfo } }: Node): string {
  if (!nodeInfo.kernelVersion) return "<unknown>";
  return nodeInfo.architecture ? `${nodeInfo.kernelVersion} (${nodeInfo.architecture})` : nodeInfo.kernelVersion;
}

function statusCell({ spec, status }: Node): string {
  const ready = status.conditions?.find(({ type }) => type === "Ready");
  const words = [ready?.status === "True" ? "Ready" : "NotReady"];
  if (ready === undefined) words[0] = "Unknown";
  if (spec.unschedulable === true) words.push("SchedulingDisabled");
  return words.join(",");
}

function rolesCell({ metadata }: Node): string {
  const roles = Object.entries(metadata.labels ?? {}).map(([key, value]) => {
    if (key.startsWith(rolePrefix)) return key.slice(rolePrefix.length);
    return key === roleLabel ? value : "";
  });
  const named = [...new Set(roles.filter((role) => role !== ""))].sort();
  return named.length === 0 ? "<none>" : named.join(",");
}

function addressCell({ status }: Node, wanted: string): string {
  return status.addresses?.find(({ type }) => type === wanted)?.address ?? "<none>";
}

function check(node: Node, errors: FieldErrors, known: readonly string[]): void {
  const { spec } = node;
  checkTaints(spec, errors);
  const at = new Place(errors, Path.of("spec"));
  const cidrs = spec.podCIDRs ?? [];
  for (const [i, cidr] of cidrs.entries()) checkCidr(cidr, at.item("podCIDRs", i), new Set(known));
  const families = new Set(cidrs.map((cidr) => cidr.includes(":")));
  if (cidrs.length > families.size) {
    at.invalid("podCIDRs", cidrs, "may specify no more than one CIDR for each IP family");
  }
  checkStatus(node, errors);
}

/** Source: ValidateNodeResources */
function checkStatus({ status }: Node, errors: FieldErrors): void {
  for (const list of ["capacity", "allocatable"] as const) {
    for (const [name, amount] of Object.entries(status[list] ?? {})) {
      checkAmount(name, amount, new Place(errors, Path.of("status", list, name)));
    }
  }
}

/** Upstream looks for taints below metadata, and says so. */
function checkTaints(spec: Node["spec"], errors: FieldErrors): void {
  const at = new Place(errors, Path.of("metadata"));
  const seen = new Set<string>();
  for (const [i, { key, value = "", effect }] of (spec.taints ?? []).entries()) {
    const here = at.item("taints", i);
    here.each("key", key, qualifiedNameErrors(key));
    here.each("value", value, labelValueErrors(value));
    here.oneOf("effect", effect, effects);
    if (seen.has(`${key}:${effect}`)) here.duplicate("", key);
    seen.add(`${key}:${effect}`);
  }
}
