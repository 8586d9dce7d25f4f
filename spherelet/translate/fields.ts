/**
 * fieldRef and resourceFieldRef: facts about a Pod, as text.
 * Sources: k8s.io/kubernetes/pkg/fieldpath, pkg/api/v1/resource (ExtractContainerResourceValue), kubelet_pods.go
 */
import type { Container, EphemeralContainer, ResourceFieldSelector } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import { parseQuantity, type Quantity, scaledValue } from "@atoll/machinery/quantity";
import { configError } from "./failure.ts";

/** What is known only on the node. Addresses are "" while there are none. */
export interface NodeFacts {
  readonly hostIP: string;
  readonly podIP: string;
  /** What a Pod may have of the node: the limit where none is set. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** A fact of the Pod. @throws {CannotStart} there is no such fact */
export function fieldOf(pod: Pod, path: string, facts: NodeFacts): string {
  const { metadata, spec } = pod;
  const known: Readonly<Record<string, string | undefined>> = {
    "metadata.name": metadata.name,
    "metadata.namespace": metadata.namespace,
    "metadata.uid": metadata.uid,
    "metadata.labels": spellMap(metadata.labels),
    "metadata.annotations": spellMap(metadata.annotations),
    "spec.nodeName": spec.nodeName,
    "spec.serviceAccountName": spec.serviceAccountName,
    "status.hostIP": facts.hostIP,
    "status.hostIPs": facts.hostIP,
    "status.podIP": facts.podIP,
    "status.podIPs": facts.podIP,
  };
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (subscript !== null) {
    const [, map, key = ""] = subscript;
    return (map === "labels" ? metadata.labels : metadata.annotations)?.[key] ?? "";
  }
  if (!Object.hasOwn(known, path)) throw configError(`unsupported fieldPath: ${path}`);
  return known[path] ?? "";
}

/** One `key="value"` a line, as downwardAPI volumes have it. */
function spellMap(map: Readonly<Record<string, string>> = {}): string {
  return Object.entries(map)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${quoteAsGo(value)}`)
    .join("\n");
}

/** Go's strconv.Quote differs from JSON in a few control characters only. */
function quoteAsGo(text: string): string {
  return JSON.stringify(text)
    .replaceAll("\\u0007", "\\a")
    .replaceAll("\\u000b", "\\v")
    .replace(/\\u00([0-9a-f]{2})/g, "\\x$1");
}

/** An amount of a container, in units of its divisor, rounded up. @throws {CannotStart} there is no such resource */
export function resourceOf(
  container: Container | EphemeralContainer,
  { resource, divisor }: ResourceFieldSelector,
  facts: NodeFacts,
): string {
  const [, kind, name = ""] = /^(limits|requests)\.(.+)$/.exec(resource) ?? [];
  if (kind === undefined) throw configError(`unsupported container resource : ${resource}`);
  const { limits, requests } = container.resources ?? {};
  const limit = limits?.[name] ?? facts.allocatable[name];
  const text = kind === "limits" ? limit : requests?.[name];
  return divided(parseQuantity(text ?? "0"), parseQuantity(divisor === undefined || divisor === "0" ? "1" : divisor));
}

function divided(amount: Quantity, divisor: Quantity): string {
  const billionths = -9;
  const by = scaledValue(divisor, billionths);
  const whole = scaledValue(amount, billionths);
  return String((whole + by - 1n) / by);
}

/** The container of that name. @throws {CannotStart} */
export function containerNamed(pod: Pod, name: string): Container {
  const { initContainers, containers } = pod.spec;
  const found = [...(containers ?? []), ...(initContainers ?? [])].find((container) => container.name === name);
  if (found === undefined) throw configError(`container ${name} not found`);
  return found;
}
