/** NetworkPolicy. Source: k8s.io/kubernetes/pkg/registry/networking/networkpolicy, pkg/apis/networking/validation */
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { portNameErrors, portNumberErrors } from "@atoll/machinery/names";
import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from "../builtin/networking.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { checkCidr } from "../core/addresses.ts";
import { Place } from "../core/podspec/place.ts";
import { checkSelector } from "../core/podspec/selector.ts";
import { selectorCell } from "../core/podspec/template.ts";
import type { Strategy } from "../kind.ts";

const protocols = ["SCTP", "TCP", "UDP"];
const directions = ["Egress", "Ingress"];

/** The rules of NetworkPolicies. */
export const networkPolicy: Strategy<NetworkPolicy> = {
  generation: true,
  setDefaults({ spec }) {
    if ((spec.policyTypes ?? []).length === 0) {
      spec.policyTypes = (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
    }
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of ports ?? []) port.protocol ??= "TCP";
    }
  },
  validate: check,
  validateUpdate: (object, _, errors) => check(object, errors),
  table: {
    columns: [nameColumn, column("Pod-Selector", "Labels of the pods it is about."), ageColumn],
    cells: ({ metadata, spec }, nowMs) => [
      metadata.name ?? "",
      selectorCell(spec.podSelector),
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function check({ spec }: NetworkPolicy, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("spec"));
  checkSelector(spec.podSelector, at.child("podSelector"));
  for (const [i, { ports, from }] of (spec.ingress ?? []).entries()) {
    checkRule(ports ?? [], { field: "from", peers: from ?? [] }, at.item("ingress", i));
  }
  for (const [i, { ports, to }] of (spec.egress ?? []).entries()) {
    checkRule(ports ?? [], { field: "to", peers: to ?? [] }, at.item("egress", i));
  }
  const types = spec.policyTypes ?? [];
  if (types.length > directions.length) {
    at.invalid("policyTypes", types, "may not specify more than two policyTypes");
    return;
  }
  for (const [i, type] of types.entries()) {
    if (!directions.includes(type)) at.item("policyTypes", i).notSupported("", type, directions);
  }
}

function checkRule(
  ports: readonly NetworkPolicyPort[],
  { field, peers }: { field: string; peers: readonly NetworkPolicyPeer[] },
  at: Place,
): void {
  for (const [i, port] of ports.entries()) checkPort(port, at.item("ports", i));
  for (const [i, peer] of peers.entries()) checkPeer(peer, at.item(field, i));
}

function checkPort({ protocol, port, endPort }: NetworkPolicyPort, at: Place): void {
  if (protocol !== undefined && !protocols.includes(protocol)) at.notSupported("protocol", protocol, protocols);
  if (typeof port === "number") {
    at.each("port", port, portNumberErrors(port));
    if (endPort !== undefined && endPort < port) {
      at.invalid("endPort", endPort, "must be greater than or equal to `port`");
    }
    if (endPort !== undefined) at.each("endPort", endPort, portNumberErrors(endPort));
    return;
  }
  if (endPort !== undefined && port !== undefined) {
    at.invalid("endPort", endPort, "may not be specified when `port` is non-numeric");
  } else if (endPort !== undefined) at.invalid("endPort", endPort, "may not be specified when `port` is not specified");
  if (port !== undefined) at.each("port", port, portNameErrors(port));
}

function checkPeer({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, at: Place): void {
  if (podSelector !== undefined) checkSelector(podSelector, at.child("podSelector"));
  if (namespaceSelector !== undefined) checkSelector(namespaceSelector, at.child("namespaceSelector"));
  if (ipBlock !== undefined) checkBlock(ipBlock, at.child("ipBlock"));
  const selected = podSelector !== undefined || namespaceSelector !== undefined;
  if (!selected && ipBlock === undefined) at.required("", "must specify a peer");
  else if (selected && ipBlock !== undefined) at.forbidden("", "may not specify both ipBlock and another peer");
}

function checkBlock({ cidr, except = [] }: IPBlock, at: Place): void {
  if (cidr === "") {
    at.required("cidr");
    return;
  }
  if (!checkCidr(cidr, at.child("cidr"))) return;
  for (const [i, inner] of except.entries()) {
    const here = at.item("except", i);
    if (!checkCidr(inner, here)) continue;
    if (!isStrictlyWithin(inner, cidr)) here.invalid("", inner, `must be a strict subset of \`cidr\``);
  }
}

function isStrictlyWithin(inner: string, outer: string): boolean {
  const a = bitsOf(inner);
  const b = bitsOf(outer);
  return (
    a.width === b.width &&
    a.length > b.length &&
    a.value >> BigInt(a.width - b.length) === b.value >> BigInt(a.width - b.length)
  );
}

/** The number an address is, of one that is valid. */
function bitsOf(cidr: string): { value: bigint; width: number; length: number } {
  const [address = "", length = ""] = cidr.split("/");
  if (!address.includes(":")) return { value: v4(address), width: 32, length: Number(length) };
  const text = address.replace(/[\d.]+\.[\d.]+$/, (tail) => {
    const number = v4(tail);
    return `${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`;
  });
  const [head = "", tail] = text.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill("0"), ...after];
  const value = groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  return { value, width: 128, length: Number(length) };
}

function v4(address: string): bigint {
  return address.split(".").reduce((sum, part) => (sum << 8n) | BigInt(Number(part)), 0n);
}
