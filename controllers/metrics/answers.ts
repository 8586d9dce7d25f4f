/**
 * The documents of metrics.k8s.io/v1beta1.
 * Source: k8s.io/metrics/pkg/apis/metrics/v1beta1
 */
import { matchesLabels, parseLabelSelector } from "@atoll/machinery/selectors/labels";
import type { Measured } from "./usage.ts";

const group = "metrics.k8s.io";
const apiVersion = `${group}/v1beta1`;
const verbs = ["get", "list"];

/** What is measured now, and the labels of what it is measured of. */
export interface Readings {
  readonly nodes: readonly Measured[];
  readonly pods: readonly Measured[];
  labelsOf(kind: "nodes" | "pods", namespace: string, name: string): Readonly<Record<string, string>> | undefined;
}

/** An answer: its code and its document. */
export interface Answer {
  readonly code: number;
  readonly body: object;
}

const version = { groupVersion: apiVersion, version: "v1beta1" };
const discovery: Readonly<Record<string, object>> = {
  "/apis": {
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: [{ name: group, versions: [version], preferredVersion: version }],
  },
  [`/apis/${group}`]: {
    kind: "APIGroup",
    apiVersion: "v1",
    name: group,
    versions: [version],
    preferredVersion: version,
  },
  [`/apis/${apiVersion}`]: {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: apiVersion,
    resources: [
      { name: "nodes", singularName: "", namespaced: false, kind: "NodeMetrics", verbs },
      { name: "pods", singularName: "", namespaced: true, kind: "PodMetrics", verbs },
    ],
  },
};

const paths = /^\/apis\/metrics\.k8s\.io\/v1beta1(?:\/namespaces\/([^/]+))?\/(nodes|pods)(?:\/([^/]+))?$/;

/** Answers a GET. */
export function answer(path: string, query: URLSearchParams, readings: Readings): Answer {
  const document = discovery[path];
  if (document !== undefined) return { code: 200, body: document };
  const [whole, namespace = "", resource, name] = paths.exec(path) ?? [];
  if (whole === undefined || (resource === "nodes" && namespace !== ""))
    return notFound("the server could not find the requested resource");
  const kind = resource === "nodes" ? "nodes" : "pods";
  const all = readings[kind].filter((each) => namespace === "" || each.namespace === namespace);
  if (name !== undefined) {
    const found = all.find((each) => each.name === name);
    if (found === undefined) return notFound(`${kind}.metrics.k8s.io "${name}" not found`);
    return { code: 200, body: { kind: kindOf(kind), apiVersion, ...documentOf(kind, found, readings) } };
  }
  const selector = parseLabelSelector(query.get("labelSelector") ?? "");
  const items = all
    .filter((each) => matchesLabels(selector, readings.labelsOf(kind, each.namespace, each.name)))
    .map((each) => documentOf(kind, each, readings));
  return { code: 200, body: { kind: `${kindOf(kind)}List`, apiVersion, metadata: {}, items } };
}

const kindOf = (resource: "nodes" | "pods") => (resource === "nodes" ? "NodeMetrics" : "PodMetrics");

function documentOf(kind: "nodes" | "pods", measured: Measured, readings: Readings): object {
  const { name, namespace, timestamp, window, usage, containers } = measured;
  const labels = readings.labelsOf(kind, namespace, name);
  const metadata = {
    name,
    ...(namespace === "" ? {} : { namespace }),
    ...(labels === undefined ? {} : { labels }),
    creationTimestamp: timestamp,
  };
  return kind === "nodes" ? { metadata, timestamp, window, usage } : { metadata, timestamp, window, containers };
}

function notFound(message: string): Answer {
  return {
    code: 404,
    body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", reason: "NotFound", code: 404, message },
  };
}
