/**
 * LimitRanges: what containers that say nothing get, and how much or little a container, a pod or a claim may ask for.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/limitranger
 */
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
  ResourceRequirements,
} from "@atoll/api/builtin/core/v1.types";
import { podNeeds } from "@atoll/api/core/podneeds";
import { formatAmounts } from "@atoll/api/core/quota/amounts";
import { compareQuantities, parseQuantity } from "@atoll/machinery/quantity";
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { forbidden } from "./forbidden.ts";

const annotation = "kubernetes.io/limit-ranger";

/** The plugin; it reads limit ranges. */
export function limitRanger(catalogue: Catalogue): AdmissionPlugin {
  return {
    name: "LimitRanger",
    handles: ({ kind, operation, subresource }) => {
      if (kind.group !== "") return false;
      if (kind.plural === "pods") {
        return subresource === "" ? operation === "CREATE" : subresource === "resize" && operation === "UPDATE";
      }
      const written = operation === "CREATE" || operation === "UPDATE";
      return kind.plural === "persistentvolumeclaims" && subresource === "" && written;
    },
    mutate: async (request) => {
      if (request.kind.plural !== "pods" || request.operation !== "CREATE") return;
      for (const range of await rangesOf(catalogue, request)) fillIn(range, request.object as unknown as Pod);
    },
    validate: async (request) => {
      for (const range of await rangesOf(catalogue, request)) {
        const found = (range.spec.limits ?? []).flatMap((item) => judge(item, request));
        if (found.length > 0) throw forbidden(request, aggregate(found));
      }
    },
  };
}

async function rangesOf(catalogue: Catalogue, { namespace }: AdmissionRequest): Promise<readonly LimitRange[]> {
  const resource = catalogue.resource("", "limitranges");
  if (resource === undefined) return [];
  await resource.cache.loaded();
  return resource.cache
    .range(resource.prefix(namespace))
    .map((entry) => resource.cache.object(entry) as unknown as LimitRange);
}

/** Source: utilerrors.NewAggregate, which says nothing twice */
function aggregate(messages: readonly string[]): string {
  const distinct = [...new Set(messages)];
  return distinct.length === 1 ? (distinct[0] ?? "") : `[${distinct.join(", ")}]`;
}

function fillIn({ spec }: LimitRange, pod: Pod): void {
  const items = (spec.limits ?? []).filter(({ type }) => type === "Container");
  const defaults = {
    limits: Object.assign({}, ...items.map((item) => item.default)) as Record<string, string>,
    requests: Object.assign({}, ...items.map((item) => item.defaultRequest)) as Record<string, string>,
  };
  const said = [
    ...(pod.spec.containers ?? []).flatMap((container) => complete(container, defaults, "container")),
    ...(pod.spec.initContainers ?? []).flatMap((container) => complete(container, defaults, "init container")),
  ];
  if (said.length === 0) return;
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [annotation]: `LimitRanger plugin set: ${said.join("; ")}`,
  };
}

/** Puts in what a container does not say, and says so. */
function complete(container: Container, defaults: ResourceRequirements, what: string): readonly string[] {
  const set = (field: "requests" | "limits"): readonly string[] => {
    const given = container.resources?.[field] ?? {};
    const missing = Object.entries(defaults[field] ?? {}).filter(([name]) => !Object.hasOwn(given, name));
    if (missing.length === 0) return [];
    container.resources = { ...container.resources, [field]: { ...given, ...Object.fromEntries(missing) } };
    const names = missing.map(([name]) => name).sort();
    return [`${names.join(", ")} ${field === "requests" ? "request" : "limit"} for ${what} ${container.name}`];
  };
  return [...set("requests"), ...set("limits")];
}

function judge(item: LimitRangeItem, { kind, object }: AdmissionRequest): readonly string[] {
  if (kind.plural === "persistentvolumeclaims") {
    if (item.type !== "PersistentVolumeClaim") return [];
    const { requests = {} } = (object as unknown as PersistentVolumeClaim).spec.resources ?? {};
    return [...belowLeast(item, { requests }), ...aboveMost(item, { requests }, "request")];
  }
  const pod = object as unknown as Pod;
  if (item.type === "Pod") {
    const { requests, limits } = podNeeds({ spec: pod.spec });
    return ofAll(item, { requests: formatAmounts(requests), limits: formatAmounts(limits) });
  }
  if (item.type !== "Container") return [];
  return [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].flatMap(({ resources }) =>
    ofAll(item, resources ?? {}),
  );
}

function ofAll(item: LimitRangeItem, asked: ResourceRequirements): readonly string[] {
  return [...belowLeast(item, asked), ...aboveMost(item, asked, "limit"), ...tooFarApart(item, asked)];
}

/** The rules of a list, resource by resource, in a stable order. */
function rules(list: Record<string, string> | undefined): readonly (readonly [name: string, amount: string])[] {
  return Object.entries(list ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function isMore(a: string, b: string): boolean {
  return compareQuantities(parseQuantity(a), parseQuantity(b)) > 0;
}

function belowLeast({ type, min }: LimitRangeItem, asked: ResourceRequirements): readonly string[] {
  return rules(min).flatMap(([name, least]) => {
    const request = asked.requests?.[name];
    const limit = asked.limits?.[name];
    const told = `minimum ${name} usage per ${type} is ${least}`;
    if (request === undefined) return [`${told}.  No request is specified`];
    if (isMore(least, request)) return [`${told}, but request is ${request}`];
    return limit !== undefined && isMore(least, limit) ? [`${told}, but limit is ${limit}`] : [];
  });
}

/** @param needed what must be there: claims have no limits */
function aboveMost(
  { type, max }: LimitRangeItem,
  asked: ResourceRequirements,
  needed: "request" | "limit",
): readonly string[] {
  return rules(max).flatMap(([name, most]) => {
    const request = asked.requests?.[name];
    const limit = asked.limits?.[name];
    const told = `maximum ${name} usage per ${type} is ${most}`;
    const must = needed === "limit" ? limit : request;
    if (must === undefined) return [`${told}.  No ${needed} is specified`];
    if (isMore(must, most)) return [`${told}, but ${needed} is ${must}`];
    return request !== undefined && isMore(request, most) ? [`${told}, but request is ${request}`] : [];
  });
}

function tooFarApart({ type, maxLimitRequestRatio }: LimitRangeItem, asked: ResourceRequirements): readonly string[] {
  return rules(maxLimitRequestRatio).flatMap(([name, most]) => {
    const told = `${name} max limit to request ratio per ${type} is ${most}`;
    const request = number(asked.requests?.[name]);
    const limit = number(asked.limits?.[name]);
    if (request === 0) return [`${told}, but no request is specified or request is 0`];
    if (limit === 0) return [`${told}, but no limit is specified or limit is 0`];
    const ratio = limit / request;
    return ratio > number(most) ? [`${told}, but provided ratio is ${ratio.toFixed(6)}`] : [];
  });
}

function number(text: string | undefined): number {
  if (text === undefined) return 0;
  const { value, scale } = parseQuantity(text);
  return Number(value) * 10 ** scale;
}
