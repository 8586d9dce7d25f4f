/**
 * Metrics of HorizontalPodAutoscalers: autoscaling/v1 spells them flat, within annotations; autoscaling/v2 nests the
 * metric, its target and its current value.
 * Source: k8s.io/kubernetes/pkg/apis/autoscaling/v1/conversion.go
 */

/** Plain data of a metric. */
export type Metric = Record<string, unknown>;

/** A copy without the fields that are undefined. */
function present(fields: Metric): Metric {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

function part(metric: Metric, name: string): Metric {
  const value = metric[name];
  return typeof value === "object" && value !== null ? (value as Metric) : {};
}

/** Changes one source of a metric; the type names it: `ContainerResource` is at `containerResource`. */
function changed(metric: Metric, change: Readonly<Record<string, (source: Metric) => Metric>>): Metric {
  const made: Metric = { type: metric["type"] ?? "" };
  for (const [name, source] of Object.entries(change)) {
    if (metric[name] !== undefined && metric[name] !== null) made[name] = source(part(metric, name));
  }
  return made;
}

function identified(source: Metric, selector: string): Metric {
  return present({ name: source["metricName"] ?? "", selector: source[selector] });
}

function resourceTarget(source: Metric): Metric {
  const averageUtilization = source["targetAverageUtilization"];
  const type = averageUtilization === undefined ? "AverageValue" : "Utilization";
  return present({ type, averageUtilization, averageValue: source["targetAverageValue"] });
}

function valueTarget(value: unknown, averageValue: unknown): Metric {
  return present({ type: averageValue === undefined ? "Value" : "AverageValue", value, averageValue });
}

/** A v1 metric in v2's form. */
export function metricToV2(metric: Metric): Metric {
  return changed(metric, {
    object: (source) => ({
      describedObject: part(source, "target"),
      // With an average the value is not looked at, and "0" there stands for none.
      target: valueTarget(
        source["averageValue"] === undefined ? source["targetValue"] : undefined,
        source["averageValue"],
      ),
      metric: identified(source, "selector"),
    }),
    pods: (source) => ({
      metric: identified(source, "selector"),
      target: present({ type: "AverageValue", averageValue: source["targetAverageValue"] }),
    }),
    resource: (source) => ({ name: source["name"] ?? "", target: resourceTarget(source) }),
    containerResource: (source) => ({
      name: source["name"] ?? "",
      target: resourceTarget(source),
      container: source["container"] ?? "",
    }),
    external: (source) => ({
      metric: identified(source, "metricSelector"),
      target: valueTarget(source["targetValue"], source["targetAverageValue"]),
    }),
  });
}

function flat(source: Metric, selector: string): Metric {
  const metric = part(source, "metric");
  return { metricName: metric["name"] ?? "", [selector]: metric["selector"] };
}

function flatResource(source: Metric, current: boolean): Metric {
  const value = part(source, current ? "current" : "target");
  const prefix = current ? "current" : "target";
  return present({
    name: source["name"] ?? "",
    [`${prefix}AverageUtilization`]: value["averageUtilization"],
    [`${prefix}AverageValue`]: value["averageValue"] ?? (current ? "0" : undefined),
    container: source["container"],
  });
}

/** A v2 metric, or with `current` the status of one, in v1's form. */
export function metricFromV2(metric: Metric, current: boolean): Metric {
  const at = current ? "current" : "target";
  return changed(metric, {
    object: (source) =>
      present({
        target: part(source, "describedObject"),
        ...flat(source, "selector"),
        [`${at}Value`]: part(source, at)["value"] ?? "0",
        averageValue: part(source, at)["averageValue"],
      }),
    pods: (source) =>
      present({ ...flat(source, "selector"), [`${at}AverageValue`]: part(source, at)["averageValue"] ?? "0" }),
    resource: (source) => flatResource(source, current),
    containerResource: (source) => flatResource(source, current),
    external: (source) =>
      present({
        ...flat(source, "metricSelector"),
        [`${at}Value`]: part(source, at)["value"] ?? (current ? "0" : undefined),
        [`${at}AverageValue`]: part(source, at)["averageValue"],
      }),
  });
}

function currentOf(value: unknown, source: Metric): Metric {
  return present({
    value,
    averageValue: source["currentAverageValue"] ?? source["averageValue"],
    averageUtilization: source["currentAverageUtilization"],
  });
}

/** The v1 status of a metric in v2's form. */
export function metricStatusToV2(metric: Metric): Metric {
  return changed(metric, {
    object: (source) => ({
      metric: identified(source, "selector"),
      current: currentOf(source["currentValue"], source),
      describedObject: part(source, "target"),
    }),
    pods: (source) => ({ metric: identified(source, "selector"), current: currentOf(undefined, source) }),
    resource: (source) => ({ name: source["name"] ?? "", current: currentOf(undefined, source) }),
    containerResource: (source) => ({
      name: source["name"] ?? "",
      current: currentOf(undefined, source),
      container: source["container"] ?? "",
    }),
    external: (source) => ({
      metric: identified(source, "metricSelector"),
      current: currentOf(source["currentValue"], source),
    }),
  });
}
